// The target of JAX's foreign calls: runs the kernel of a spec on XLA's buffers.
//
// Compiled by granary.jax against the headers that jaxlib ships. The functions of libgranary come from Python, so that
// both use one library with one set of kernels.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace {

using Get = int32_t (*)(const char *, const void *, void **);
using Call = int32_t (*)(void *, const void *const *, void *const *);
using Message = const char *(*)();

Get get;
Call call;
Message message;

// The buffers of XLA are nearly always aligned so; others are copied.
constexpr size_t alignment = 64;

void *allocated(size_t bytes) { return std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment); }

struct Copies {
  std::vector<void *> all;
  ~Copies() {
    for (void *copy : all) std::free(copy);
  }
  void *add(size_t bytes) {
    all.push_back(allocated(bytes ? bytes : 1));
    return all.back();
  }
};

bool is_aligned(const void *address) { return reinterpret_cast<uintptr_t>(address) % alignment == 0; }

ffi::Error run(ffi::RemainingArgs arguments, ffi::RemainingRets results, std::string_view spec) {
  void *kernel = nullptr;
  int32_t status = get(std::string(spec).c_str(), nullptr, &kernel);
  if (status != 0) return ffi::Error::Internal(message());
  Copies copies;
  std::vector<const void *> inputs;
  std::vector<void *> outputs;
  struct Late {
    void *to;
    const void *from;
    size_t bytes;
  };
  std::vector<Late> late;
  for (size_t i = 0; i < arguments.size(); i++) {
    auto buffer = arguments.get<ffi::AnyBuffer>(i);
    if (!buffer.has_value()) return buffer.error();
    const void *data = buffer->untyped_data();
    if (!is_aligned(data)) {
      void *copy = copies.add(buffer->size_bytes());
      if (!copy) return ffi::Error::Internal("no memory for a copy");
      data = std::memcpy(copy, data, buffer->size_bytes());
    }
    inputs.push_back(data);
  }
  for (size_t i = 0; i < results.size(); i++) {
    auto buffer = results.get<ffi::AnyBuffer>(i);
    if (!buffer.has_value()) return buffer.error();
    void *data = (*buffer)->untyped_data();
    if (!is_aligned(data)) {
      void *copy = copies.add((*buffer)->size_bytes());
      if (!copy) return ffi::Error::Internal("no memory for a copy");
      late.push_back({data, copy, (*buffer)->size_bytes()});
      data = copy;
    }
    outputs.push_back(data);
  }
  status = call(kernel, inputs.data(), outputs.data());
  if (status != 0) return ffi::Error::Internal(message());
  for (const Late &result : late) std::memcpy(result.to, result.from, result.bytes);
  return ffi::Error::Success();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void granary_jax_bind(void *of_get, void *of_call, void *of_message) {
  get = reinterpret_cast<Get>(of_get);
  call = reinterpret_cast<Call>(of_call);
  message = reinterpret_cast<Message>(of_message);
}

#pragma GCC visibility push(default)
XLA_FFI_DEFINE_HANDLER_SYMBOL(granary_jax_call, run,
                              ffi::Ffi::Bind().RemainingArgs().RemainingRets().Attr<std::string_view>("spec"));
#pragma GCC visibility pop
