#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "kernel.h"

/* The largest rank, extent and size that a spec may have; Granary's own limits. */
enum { RANK = 8, TENSORS = 8192 };
static const int64_t largest_extent = INT64_C(0x7fffffff), largest_bytes = INT64_C(1) << 38;

static const struct {
  const char *name;
  int64_t bytes;
} dtypes[] = {{"f64", 8}, {"f32", 4}, {"f16", 2}, {"bf16", 2}, {"i64", 8},
              {"i32", 4}, {"i16", 2}, {"i8", 1},  {"u8", 1},   {"bool", 1}};

static int64_t dtype_bytes(json value, const char **name) {
  for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
    if (!json_equals(value, dtypes[i].name)) continue;
    *name = dtypes[i].name;
    return dtypes[i].bytes;
  }
  return 0;
}

/* Reads rank numbers into numbers; false when there are more, fewer, or too large ones. */
static bool read_extents(json list, int32_t rank, int64_t *numbers) {
  const char *cursor = NULL;
  json element;
  int32_t count = 0;
  for (; json_next(list, &cursor, &element); count++)
    if (count == rank || !json_natural(element, &numbers[count]) || numbers[count] > largest_extent) return false;
  return count == rank;
}

static void fill_strides(int32_t rank, const int64_t *shape, int64_t *strides) {
  int64_t stride = 1;
  for (int32_t i = rank; i-- > 0; stride *= shape[i] ? shape[i] : 1) strides[i] = stride;
}

/* The bytes from the first to behind the last element; -1 when they are more than a tensor may have. */
static int64_t storage_bytes(const granary_tensor *tensor, int64_t element_bytes) {
  int64_t elements = 1;
  for (int32_t i = 0; i < tensor->rank; i++) {
    if (tensor->shape[i] == 0) return 0;
    elements += (tensor->shape[i] - 1) * tensor->strides[i];
    if (elements > largest_bytes) return -1;
  }
  return elements * element_bytes > largest_bytes ? -1 : elements * element_bytes;
}

static bool read_tensor(json value, granary_tensor *tensor) {
  json shape, strides, dtype;
  if (!json_member(value, "shape", &shape) || !json_member(value, "dtype", &dtype)) return false;
  int64_t rank = json_count(shape), bytes = dtype_bytes(dtype, &tensor->dtype);
  if (rank < 0 || rank > RANK || bytes == 0) return false;
  int64_t *numbers = calloc(2 * RANK, sizeof *numbers);
  if (!numbers) return false;
  tensor->rank = (int32_t)rank;
  tensor->shape = numbers;
  tensor->strides = numbers + RANK;
  if (!read_extents(shape, tensor->rank, numbers)) return false;
  if (!json_member(value, "strides", &strides)) fill_strides(tensor->rank, numbers, numbers + RANK);
  else if (!read_extents(strides, tensor->rank, numbers + RANK)) return false;
  tensor->bytes = storage_bytes(tensor, bytes);
  return tensor->bytes >= 0;
}

/* Reads a list of types; what was read of it is freed with the kernel even when it fails. */
static bool read_tensors(json interface, const char *name, const granary_tensor **tensors, int32_t *count) {
  json list, element;
  if (!json_member(interface, name, &list)) return false;
  int64_t length = json_count(list);
  if (length < 0 || length > TENSORS) return false;
  granary_tensor *made = calloc((size_t)length + 1, sizeof *made);
  if (!made) return false;
  *tensors = made;
  *count = (int32_t)length;
  const char *cursor = NULL;
  for (; json_next(list, &cursor, &element); made++)
    if (!read_tensor(element, made)) return false;
  return true;
}

static bool read_names(json answer, granary_description *description) {
  json names, element;
  if (!json_member(answer, "inputs", &names) || json_count(names) != description->input_count) return false;
  const char *cursor = NULL;
  granary_tensor *tensor = (granary_tensor *)description->inputs;
  for (; json_next(names, &cursor, &element); tensor++)
    if (!(tensor->name = json_copy(element))) return false;
  return true;
}

static const char *copied_member(json object, const char *name) {
  json value;
  return json_member(object, name, &value) ? json_copy(value) : NULL;
}

static bool natural_member(json object, const char *name, int64_t *number) {
  json value;
  return json_member(object, name, &value) && json_natural(value, number);
}

static bool read_description(json answer, granary_kernel *kernel) {
  granary_description *description = &kernel->description;
  json manifest, interface;
  if (!json_member(answer, "manifest", &manifest) || !json_member(manifest, "interface", &interface)) return false;
  description->key = copied_member(answer, "key");
  description->artifact = copied_member(answer, "artifact");
  description->verdict = copied_member(answer, "verdict");
  return description->key && description->artifact && strlen(description->artifact) == 64 && description->verdict &&
         natural_member(answer, "revision", &description->revision) &&
         natural_member(interface, "alignment_bytes", &description->alignment_bytes) &&
         natural_member(interface, "workspace_bytes", &description->workspace_bytes) &&
         description->alignment_bytes > 0 && description->alignment_bytes <= 4096 &&
         (description->alignment_bytes & (description->alignment_bytes - 1)) == 0 &&
         description->workspace_bytes <= largest_bytes &&
         read_tensors(interface, "inputs", &description->inputs, &description->input_count) &&
         read_tensors(interface, "outputs", &description->outputs, &description->output_count) &&
         read_names(answer, description) && granary_sizes_read(interface, kernel);
}

int32_t granary_kernel_describe(json answer, granary_kernel **kernel) {
  *kernel = calloc(1, sizeof **kernel);
  if (!*kernel) return granary_fail(GRANARY_ENVIRONMENT, "no memory for a kernel");
  (*kernel)->most_threads = INT32_MAX;
  if (read_description(answer, *kernel)) return GRANARY_OK;
  granary_kernel_discard(*kernel);
  *kernel = NULL;
  return granary_fail(GRANARY_BAD_ANSWER, "the daemon's answer cannot be read; are both of one version?");
}

static void discard_tensors(const granary_tensor *tensors, int32_t count) {
  for (int32_t i = 0; i < count; i++) {
    free((void *)tensors[i].name);
    free((void *)tensors[i].shape);
  }
  free((void *)tensors);
}

void granary_kernel_discard_description(granary_description *description) {
  discard_tensors(description->inputs, description->input_count);
  discard_tensors(description->outputs, description->output_count);
  free((void *)description->key);
  free((void *)description->artifact);
  free((void *)description->verdict);
  free((void *)description->sizes);
}
