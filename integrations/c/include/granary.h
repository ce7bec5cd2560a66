/* The C library of Granary: asks the daemon for kernels, keeps them for the process and calls them.
 *
 * Every function may be called from any thread. A kernel is valid until the process ends. No function waits longer
 * than the deadline it is given, and none ends the process: each failure is a status, and granary_message() says
 * why, so that the caller uses its own operator. After fork the child keeps its kernels and starts its own threads.
 *
 * The library starts no daemon and writes no file; it sets the time of a published file to tell its use. It needs
 * nothing but libc. */
#ifndef GRANARY_H
#define GRANARY_H

#include <stddef.h>
#include <stdint.h>

#include "granary_kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GRANARY_API __attribute__((visibility("default")))

/* Statuses beside GRANARY_OK and those that a kernel returns. */
enum {
  /* Nobody answers on the socket. */
  GRANARY_NO_DAEMON = 100,
  /* The deadline passed. */
  GRANARY_DEADLINE_EXCEEDED = 101,
  /* The spec is wrong; the message says where. */
  GRANARY_BAD_SPEC = 102,
  /* The spec, or the kernel that was served, cannot be used on this machine. */
  GRANARY_UNSUPPORTED = 103,
  /* The policy was "cached", and the cache has no kernel. */
  GRANARY_NO_KERNEL = 104,
  /* Measured: the caller's own operator is faster here. */
  GRANARY_PREFER_VENDOR = 105,
  /* What arrived is not what was asked for: no answer of a daemon, or a damaged artifact. */
  GRANARY_BAD_ANSWER = 106,
  /* The system refused: memory, files, threads, loading. */
  GRANARY_ENVIRONMENT = 107,
  /* A null pointer, or a buffer that is not aligned as the kernel needs. */
  GRANARY_BAD_ARGUMENT = 108
};

typedef struct granary_kernel granary_kernel;

/* How to ask. Zero in each member but size means the default, and so does a null pointer to options. */
typedef struct granary_options {
  /* sizeof(granary_options) of the caller. */
  uint32_t size;
  /* Not zero: ask the daemon even when this process has the kernel, and take a better one. */
  int32_t refresh;
  /* The Unix socket; by default the one that GRANARY_SOCKET, GRANARY_HOME or the XDG variables give. */
  const char *socket;
  /* "cached", "baseline" (the default) or "tuned". */
  const char *policy;
  /* How long a call may take; 10,000 by default. */
  int64_t deadline_milliseconds;
  /* A folder of published kernels; by default the one that GRANARY_PUBLISHED, GRANARY_HOME or the XDG variables give. */
  const char *published;
} granary_options;

/* An input or an output of a kernel. */
typedef struct granary_tensor {
  /* The name of an input in the spec; NULL for an output. */
  const char *name;
  /* f64 f32 f16 bf16 i64 i32 i16 i8 u8 bool. */
  const char *dtype;
  int32_t rank;
  const int64_t *shape;
  /* In elements. */
  const int64_t *strides;
  /* How large a buffer must be. */
  int64_t bytes;
} granary_tensor;

/* A size that a spec leaves open. */
typedef struct granary_size {
  /* The kernel takes lower, lower + step, ... up to upper, as far as it was made for them. */
  int64_t lower, upper, step;
  /* The extent of an input that it is. */
  int32_t input, dimension;
} granary_size;

/* What a kernel is. Owned by the kernel. */
typedef struct granary_description {
  /* The kernel key and the address of the artifact: SHA-256 in hexadecimal digits. */
  const char *key;
  const char *artifact;
  /* "tuned" or "baseline". */
  const char *verdict;
  int64_t revision;
  int32_t input_count;
  int32_t output_count;
  const granary_tensor *inputs;
  const granary_tensor *outputs;
  /* What the address of every buffer must be a multiple of. */
  int64_t alignment_bytes;
  int64_t workspace_bytes;
  /* The sizes that the spec leaves open, in the order in which calls take them; none for a spec of one shape. The
   * types above are then those at the largest sizes. */
  int32_t size_count;
  const granary_size *sizes;
} granary_description;

/* What the library did since the process started. */
typedef struct granary_counters {
  /* Round trips to the daemon. */
  uint64_t requests;
  uint64_t kernels_loaded;
  uint64_t calls;
  /* Calls that ran on the caller's thread alone, because another call used the threads. */
  uint64_t serial_calls;
  /* How often granary_run used the caller's function. */
  uint64_t fallbacks;
} granary_counters;

/* The kernel of a spec, in either of its forms: from this process, else from the folder in which the daemon publishes
 * what it answered, else from the daemon. Without a folder in the options,
 * the default one is for the default socket only. A refresh asks the daemon first.
 *
 * A failure is remembered for some seconds, so that a daemon that hangs costs one deadline and not one for each
 * spec. *kernel is NULL unless GRANARY_OK is returned. */
GRANARY_API int32_t granary_get(const char *spec, const granary_options *options, granary_kernel **kernel);

/* The kernels of many specs in two round trips. statuses[i] and kernels[i] are what granary_get gives for specs[i];
 * returns the first status that is not GRANARY_OK. */
GRANARY_API int32_t granary_get_all(const char *const *specs, size_t count, const granary_options *options,
                                    granary_kernel **kernels, int32_t *statuses);

/* Why the last call of this thread failed. Valid until the thread's next call. */
GRANARY_API const char *granary_message(void);

GRANARY_API const granary_description *granary_describe(const granary_kernel *kernel);

/* Runs a kernel: inputs are laid out by the strides of their description, outputs are contiguous, written
 * completely, and overlap neither each other nor an input. Two calls at once are fine; the second one to start uses
 * no thread but its own. */
GRANARY_API int32_t granary_call(granary_kernel *kernel, const void *const *inputs, void *const *outputs);

/* The same for a kernel whose spec leaves sizes open: sizes has one number for each of them, and the buffers are as
 * large as the types at these sizes. GRANARY_SIZE_REFUSED for sizes that the kernel was not made for. */
GRANARY_API int32_t granary_call_sized(granary_kernel *kernel, const int64_t *sizes, const void *const *inputs,
                                       void *const *outputs);

/* The shape and the strides that the types of a kernel have at sizes: those of the inputs and behind them those of the
 * outputs, 8 extents and 8 strides for each tensor, of which as many count as it has dimensions. */
GRANARY_API int32_t granary_shapes(const granary_kernel *kernel, const int64_t *sizes, int64_t *shapes);

/* The same with the buffers of the inputs and behind them those of the outputs in one array, for callers to whom
 * making an array costs more than a call. */
GRANARY_API int32_t granary_call_packed(granary_kernel *kernel, const void *const *buffers);

/* The caller's own implementation. Returns GRANARY_OK, or a status of its own. */
typedef int32_t (*granary_fallback)(void *argument, const void *const *inputs, void *const *outputs);

/* Runs the kernel of a spec; where there is none, or it fails, the fallback instead. Returns what the one that ran
 * last returned. An index out of range is the caller's fault and returned without trying the fallback. */
GRANARY_API int32_t granary_run(const char *spec, const granary_options *options, const void *const *inputs,
                                void *const *outputs, granary_fallback fallback, void *argument);

/* How many threads calls use from now on, their own included. By default as many as the process may use. */
GRANARY_API void granary_set_threads(int32_t count);

/* GOMP_parallel of an OpenMP runtime: calls share(argument) on so many threads and returns when all have. */
typedef void (*granary_region)(void (*share)(void *), void *argument, unsigned thread_count, unsigned flags);

/* omp_get_max_threads of an OpenMP runtime. */
typedef int (*granary_thread_count)(void);

/* Runs kernels on the threads of the host's OpenMP runtime and as many of them as it says at each call, so that a
 * host with such threads has no others beside them. NULL: threads of the library's own, which is the default. A
 * child after fork uses one thread: OpenMP's may not be used there. */
GRANARY_API void granary_use_openmp(granary_region region, granary_thread_count thread_count);

GRANARY_API granary_counters granary_count(void);

#ifdef __cplusplus
}
#endif
#endif
