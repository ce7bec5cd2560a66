/// Facts about the running process and machine that Linux gives only to C, and loops that measure what
/// the hardware can do at best.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// The version of the GNU C library in use, for example "2.36"; empty with another C library.
const char *granary_libc_version(void);

/// Writes the machine's name as `uname -m` says, for example "x86_64", into `name` of `size` bytes.
void granary_machine_name(char *name, size_t size);

/// Writes the numbers of the cores that this process may run on, ascending, into `cores`.
/// Returns how many there are, which may exceed `capacity`; 0 when the system does not say.
int32_t granary_usable_cores(int32_t *cores, int32_t capacity);

/// The length of a scalable vector register (SVE) of this thread in bytes; 0 where there is none.
int32_t granary_scalable_vector_bytes(void);

/// What one measurement repeats.
typedef enum {
  /// Fused multiply-adds on registers; counts two operations each.
  GRANARY_FMA_F64,
  GRANARY_FMA_F32,
  /// Dot products of pairs of bf16 into f32, where the processor has them (AVX-512 BF16).
  GRANARY_DOT_BF16,
  /// Dot products of quadruples of 8-bit integers into i32, where the processor has them (AVX-512 VNNI).
  GRANARY_DOT_I8,
  /// Reads `source`; counts bytes read.
  GRANARY_READ,
  /// As above, fetching some kilobytes ahead of use.
  GRANARY_READ_AHEAD,
  /// Writes `destination` with ordinary stores; counts bytes written.
  GRANARY_WRITE,
  /// As above with non-temporal stores.
  GRANARY_STREAMING_WRITE,
  /// Copies `source` to `destination` with ordinary stores; counts bytes read plus bytes written.
  GRANARY_COPY,
  /// As above, fetching some kilobytes of the source ahead of use.
  GRANARY_COPY_AHEAD,
  /// Copies with non-temporal stores.
  GRANARY_STREAMING_COPY,
} granary_probe;

/// Whether this processor has the instructions of `probe`, and the operating system enables them.
int32_t granary_probe_available(granary_probe probe);

/// Runs `probe` on `threads` threads at once for about `seconds` and returns operations or bytes a second,
/// summed over the threads; 0 when the probe is not available or a thread could not start.
///
/// `source` and `destination` are `bytes` long and aligned to 64 bytes; each thread works on its own part of
/// them, over and over. They are ignored by probes on registers, and `destination` by reads.
double granary_probe_rate(
    granary_probe probe, int32_t threads, double seconds, void *source, void *destination,
    size_t bytes);

/// Memory of `bytes` rounded up to whole pages, in large pages where possible, every page touched by
/// `threads` threads; NULL when there is not enough. Free it with `granary_probe_release`.
void *granary_probe_memory(size_t bytes, int32_t threads);
void granary_probe_release(void *memory, size_t bytes);
