/* Written by `granary export-source`. */
#pragma once
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
/* Returns 0, or a status of granary.h. Inputs as the spec lays them out, outputs contiguous. */
int32_t softmax_exported(const float *x, float *out0);
/* The kernel of this source tree, on the thread that calls it: a granary_fallback. */
int32_t softmax_exported_portable(void *argument, const void *const *inputs, void *const *outputs);
#ifdef __cplusplus
}
#endif
