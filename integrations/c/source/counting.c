#include <stdint.h>

#include "counting.h"
#include "granary.h"

struct granary_tally granary_tally;

granary_counters granary_count(void) {
  struct granary_tally *tally = &granary_tally;
  return (granary_counters){tally->requests, tally->kernels_loaded, tally->calls, tally->serial_calls,
                            tally->fallbacks};
}
