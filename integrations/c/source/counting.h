/* The counters of the process. */
#ifndef GRANARY_COUNTING_H
#define GRANARY_COUNTING_H

#include <stdatomic.h>
#include <stdint.h>

struct granary_tally {
  _Atomic uint64_t requests, kernels_loaded, calls, serial_calls, fallbacks;
};

extern struct granary_tally granary_tally;

#define granary_counted(name) atomic_fetch_add_explicit(&granary_tally.name, 1, memory_order_relaxed)

#endif
