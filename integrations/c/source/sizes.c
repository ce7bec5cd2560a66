#define _GNU_SOURCE
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "kernel.h"

enum { RANK = 8, SIZES = 4 };
static const int64_t largest_extent = INT64_C(0x7fffffff);

static bool natural(json object, const char *name, int64_t *number) {
  json value;
  return json_member(object, name, &value) && json_natural(value, number);
}

static bool read_size(json symbol, json place, granary_size *size) {
  int64_t input, dimension;
  if (!natural(symbol, "lower", &size->lower) || !natural(symbol, "upper", &size->upper) ||
      !natural(symbol, "step", &size->step) || !natural(place, "input", &input) ||
      !natural(place, "dimension", &dimension) || size->step < 1 || size->upper > largest_extent || dimension >= RANK)
    return false;
  size->input = (int32_t)input;
  size->dimension = (int32_t)dimension;
  return true;
}

bool granary_sizes_read(json interface, granary_kernel *kernel) {
  json open, symbols, places, symbol, place;
  if (!json_member(interface, "open_sizes", &open)) return true;
  if (!json_member(open, "symbols", &symbols) || !json_member(open, "places", &places)) return false;
  int64_t count = json_count(symbols);
  if (count < 1 || count > SIZES || json_count(places) != count) return false;
  granary_size *sizes = calloc((size_t)count, sizeof *sizes);
  kernel->description.sizes = sizes;
  kernel->open_sizes = strndup(open.start, (size_t)(open.end - open.start));
  if (!sizes || !kernel->open_sizes) return false;
  kernel->description.size_count = (int32_t)count;
  const char *at = NULL, *beside = NULL;
  for (; json_next(symbols, &at, &symbol) && json_next(places, &beside, &place); sizes++)
    if (!read_size(symbol, place, sizes) || sizes->input >= kernel->description.input_count) return false;
  return true;
}

int32_t granary_sizes_check(const granary_kernel *kernel, const int64_t *sizes) {
  const granary_description *description = &kernel->description;
  if (!sizes) return granary_fail(GRANARY_BAD_ARGUMENT, "the sizes are a null pointer");
  for (int32_t i = 0; i < description->size_count; i++) {
    const granary_size *size = &description->sizes[i];
    if (sizes[i] < size->lower || sizes[i] > size->upper || (sizes[i] - size->lower) % size->step)
      return granary_fail(GRANARY_SIZE_REFUSED, "extent %d of input %d is %lld; the kernel takes %lld...%lld by %lld",
                          size->dimension, size->input, (long long)sizes[i], (long long)size->lower,
                          (long long)size->upper, (long long)size->step);
  }
  return GRANARY_OK;
}

/* The value of a sum of products such as "12*s0*s1+3"; false for another text or a value beyond an extent. */
static bool evaluate(json text, const int64_t *sizes, int32_t count, int64_t *value) {
  const char *at = text.start + 1, *end = text.end - 1;
  __int128 sum = 0;
  if (!json_is_text(text) || at >= end) return false;
  while (at < end) {
    __int128 product = *at == '-' ? -1 : 1;
    if (*at == '-' || *at == '+') at++;
    for (;; at++) {
      bool is_size = at < end && *at == 's';
      const char *digits = is_size ? at + 1 : at;
      int64_t number = 0;
      for (at = digits; at < end && *at >= '0' && *at <= '9' && number <= largest_extent; at++)
        number = number * 10 + (*at - '0');
      if (at == digits || (is_size && number >= count)) return false;
      product *= is_size ? sizes[number] : number;
      if (product > ((__int128)1 << 90) || product < -((__int128)1 << 90)) return false;
      if (at == end || *at != '*') break;
    }
    sum += product;
    if (sum > ((__int128)1 << 100) || sum < -((__int128)1 << 100)) return false;
    if (at < end && *at != '+' && *at != '-') return false;
  }
  *value = (int64_t)sum;
  return sum >= 0 && sum <= largest_extent;
}

static bool evaluate_all(json list, const granary_kernel *kernel, const int64_t *sizes, int32_t rank, int64_t *values) {
  const char *cursor = NULL;
  json element;
  int32_t count = 0;
  for (; json_next(list, &cursor, &element); count++)
    if (count == rank || !evaluate(element, sizes, kernel->description.size_count, &values[count])) return false;
  return count == rank;
}

static bool write_shape(json type, const granary_kernel *kernel, const int64_t *sizes, int32_t rank, int64_t *shape) {
  json extents, strides;
  if (!json_member(type, "shape", &extents) || !evaluate_all(extents, kernel, sizes, rank, shape)) return false;
  if (json_member(type, "strides", &strides)) return evaluate_all(strides, kernel, sizes, rank, shape + RANK);
  int64_t stride = 1;
  for (int32_t i = rank; i-- > 0; stride *= shape[i] ? shape[i] : 1) shape[RANK + i] = stride;
  return true;
}

static bool write_shapes(json open, const char *name, const granary_kernel *kernel, const int64_t *sizes,
                         const granary_tensor *tensors, int32_t count, int64_t *shapes) {
  json list, type;
  const char *cursor = NULL;
  if (!json_member(open, name, &list) || json_count(list) != count) return false;
  for (; json_next(list, &cursor, &type); tensors++, shapes += 2 * RANK)
    if (!write_shape(type, kernel, sizes, tensors->rank, shapes)) return false;
  return true;
}

int32_t granary_shapes(const granary_kernel *kernel, const int64_t *sizes, int64_t *shapes) {
  json open;
  if (!kernel || !shapes) return granary_fail(GRANARY_BAD_ARGUMENT, "the kernel or the shapes are a null pointer");
  if (!kernel->open_sizes) return granary_fail(GRANARY_BAD_ARGUMENT, "the spec leaves no sizes open");
  int32_t status = granary_sizes_check(kernel, sizes);
  if (status != GRANARY_OK) return status;
  const granary_description *description = &kernel->description;
  if (json_parse(kernel->open_sizes, strlen(kernel->open_sizes), &open) &&
      write_shapes(open, "inputs", kernel, sizes, description->inputs, description->input_count, shapes) &&
      write_shapes(open, "outputs", kernel, sizes, description->outputs, description->output_count,
                   shapes + 2 * RANK * description->input_count))
    return GRANARY_OK;
  return granary_fail(GRANARY_BAD_ANSWER, "the types at these sizes cannot be read");
}
