/// The pages that Granary comes with, as text with front matter. Figures were measured on two Zen 5 cores.
enum DocumentTexts {
  static let all = [
    cacheBlocking, registerTiles, rows, nonTemporalStores, threads, openCL, pooling,
  ]

  private static let cacheBlocking = """
    ---
    name: x86-cache-blocking
    title: Blocks of a matrix product that fit the caches
    platforms: x86_64
    bottlenecks: compute, memory
    sketches: contraction
    ---
    Pack B in slivers as wide as the register tile for a depth of 256 to 512, so that one sliver stays in
    level 1 (depth x width x 4 bytes under half of it). Keep a block of A of about 384 rows at that depth in
    half of level 2; B as a whole stays in level 3. The first pass over the depth stores, later ones
    accumulate, the last applies the epilogue. Small batched products are faster with B used in place:
    packing costs as much as it saves below about 64 rows.
    """

  private static let registerTiles = """
    ---
    name: x86-register-tiles
    title: Register tiles of a matrix product
    platforms: x86_64
    bottlenecks: compute
    sketches: contraction, window
    ---
    Two fused multiply-adds start each cycle and take four, so at least 8 accumulators must be independent;
    20 or more reach the peak. With 32 registers, tiles of 8x2, 8x3, 14x2 and 6x4 (rows x vectors) work;
    with 16 registers, 6x2 and 4x3. Accumulators plus the vectors of one row of B plus one broadcast must
    not exceed the registers: a spill in the inner loop costs more than any tile gains. The best tile
    differs by compiler, so try several.
    """

  private static let rows = """
    ---
    name: row-resident
    title: Softmax and norms with the row in level 1
    bottlenecks: memory
    sketches: row-resident, reduction
    ---
    Read each row from memory once and write it once: all passes in between find it in level 1. Four
    accumulators hide the latency of sums and maxima. Divide once for each row and multiply by the
    reciprocal. Split rows over the threads, never one row, unless there are fewer rows than threads.
    """

  private static let nonTemporalStores = """
    ---
    name: non-temporal-stores
    title: Stores that go past the caches
    bottlenecks: memory
    sketches: pointwise, row-resident
    ---
    An ordinary store to a line that is not cached reads the line first: a copy moves three bytes for two.
    Non-temporal stores avoid that and gained 30 to 40 % on copies beyond level 3. They lose when the output
    fits the last-level cache or is read again soon. Write whole lines, aligned, and fence once at the end.
    """

  private static let threads = """
    ---
    name: threads-and-numa
    title: How many threads, and where their memory is
    bottlenecks: overhead, memory
    ---
    Forking and joining costs 3 to 8 microseconds: below about 20 microseconds of work use one thread. Give
    each thread one contiguous part, of whole cache lines, so that no line is written by two. On several
    NUMA nodes a page belongs to the node that touches it first: split every kernel of a program the same
    way. One thread rarely saturates memory; two to four for each memory channel group do.
    """

  private static let openCL = """
    ---
    name: opencl-on-cpus
    title: OpenCL kernels on processors
    platforms: opencl
    bottlenecks: overhead, compute, memory
    ---
    A group runs on one thread, its items in a loop that the driver vectorises: groups of 16 to 256 items
    along the contiguous dimension, and several groups for each core. Local memory is ordinary memory:
    copying into it gains nothing. Barriers split the loop over items and spill what lives across them.
    Use vector types only where the driver does not vectorise. Each launch costs tens of microseconds.
    """

  private static let pooling = """
    ---
    name: window-reuse
    title: Windows: load each row once
    bottlenecks: compute, memory
    sketches: window
    ---
    Depthwise convolution: keep the weights in registers and compute four output rows at a time, so that an
    input row is loaded once for three outputs. Pooling: reduce vertically by whole vectors first, then
    horizontally. Vectors run along the width; let the last vector overlap the one before it instead of
    handling a remainder. Pad into a copy when the taps are many; guard the border only when they are few.
    """
}
