// The measured loops: each does a fixed amount of work and returns how much.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "CHardware.h"

// Runs the register loop of `probe` once; returns the operations done.
double granary_compute_chunk(granary_probe probe);

// Each moves `bytes` (a multiple of 1024) at 64-byte aligned addresses.
void granary_read_chunk(const void *source, size_t bytes);
void granary_read_ahead_chunk(const void *source, size_t bytes);
void granary_write_chunk(void *destination, size_t bytes);
void granary_streaming_write_chunk(void *destination, size_t bytes);
void granary_copy_chunk(void *destination, const void *source, size_t bytes);
void granary_copy_ahead_chunk(void *destination, const void *source, size_t bytes);
void granary_streaming_copy_chunk(void *destination, const void *source, size_t bytes);
