package import KernelSpec
package import TensorProgram

/// A kernel as a grid of independent points, each of which runs statements on tiles.
///
/// Loads and stores are flattened: each has one index, in elements of its buffer. Every target language is
/// rendered from this.
package struct TileKernel: Sendable, Hashable {
  package var name: String
  /// The points of the grid, outermost axis first.
  package var grid: [GridAxis]
  /// How many runs of neighbouring points are handed out to threads; one runs serially.
  package var blocks: Int
  package var scratch: [ScratchTile]
  package var body: [TileStatement]
  package var overlap = PointOverlap.none

  /// How many points use scratch tiles at once, each its own; pipelined points take turns with them.
  package var scratchSlots: Int {
    switch overlap {
    case .none: 1
    case .interleaved(let count): count
    case .pipelined: longestScratchLife
    }
  }

  /// The most steps that a scratch tile is in use for, from its first writing to its last reading.
  private var longestScratchLife: Int {
    scratch.map { tile in
      let users = steps.enumerated().filter { $1.contains { $0.usedBuffers.contains(tile.buffer) } }
      return (users.last?.offset ?? 0) - (users.first?.offset ?? 0) + 1
    }.max() ?? 1
  }

  /// The body, cut before each pass.
  package var steps: [ArraySlice<TileStatement>] {
    let starts = body.indices.filter { if case .pass = body[$0] { true } else { false } }
    return zip(starts, starts.dropFirst() + [body.endIndex]).map { body[$0..<$1] }
  }

  package var gridCount: Int { grid.reduce(1) { $0 * $1.count } }
}

/// How neighbouring points of a grid run together; a target may run them one after the other.
package enum PointOverlap: Sendable, Hashable {
  case none
  /// So many points at once, statement by statement.
  case interleaved(Int)
  /// Each point is one step behind the one before it, and one loop does the passes of all the steps: what one
  /// pass waits for memory hides behind the arithmetic of another. The body begins with a pass, and all passes
  /// have the same extent.
  case pipelined
}

/// An axis that the grid runs over in steps of `tile`.
///
/// With a tile of 1 the axis has one value in the body; else the body loops over the tile.
package struct GridAxis: Sendable, Hashable {
  package var axis: Axis
  package var tile: Int
  package var count: Int { (axis.extent + tile - 1) / tile }
}

/// Memory of one thread that lives as long as one grid point.
package struct ScratchTile: Sendable, Hashable {
  package var buffer: BufferID
  package var dtype: DType
  package var elementCount: Int
  /// Whether each lane of the surrounding lane loop has elements of its own.
  package var isPerLane: Bool
  /// Whether every second element is read together with its neighbour: the elements have room for one more at the
  /// end, and those at odd distances from the start have one before them.
  package var isReadInPairs = false

  /// `elementCount` rounded up, so that the next tile begins a cache line.
  var paddedElementCount: Int { roundUp(elementCount * dtype.sizeBytes, to: 64) / dtype.sizeBytes }
}

/// A step of a tile kernel.
package indirect enum TileStatement: Sendable, Hashable {
  case loop(TileLoop, [TileStatement])
  case store(TileStore)
  case reduce(TileReduction)
  case scan(TileScan)
  case scatter(TileScatter)
  case sort(TileSort)
  case pass(TilePass)
}

/// One loop over an axis that does several things with each element, in order: stores, and reductions over the
/// axis.
///
/// A member may read what an earlier store of the pass wrote in the same iteration, and no result of its
/// reductions.
package struct TilePass: Sendable, Hashable {
  package var axis: Axis
  package var members: [Member]
  /// How many iterations run as the lanes of a vector.
  package var lanes = 1
  /// How many vectors run interleaved; each has partial results of its own.
  package var unroll = 1
  /// What is fetched into the caches ahead of use; where a target cannot, nothing is.
  package var prefetches: [TilePrefetch] = []

  package enum Member: Sendable, Hashable {
    case store(TileStore)
    case reduce(TileReduction)
  }
}

/// An element that will be read or written soon, at `index`, which may lie beyond the buffer.
package struct TilePrefetch: Sendable, Hashable {
  package var buffer: BufferID
  package var index: Index
  package var isWrite = false
}

/// A loop over a range of an axis, `lanes × unroll` iterations at a time, with a remainder.
package struct TileLoop: Sendable, Hashable {
  package var axis: Axis
  package var range: Range<Int>
  /// Whether the range is cut to the tile that the grid point stands for.
  package var isGridTile = false
  /// How many iterations run as the lanes of a vector.
  package var lanes = 1
  /// How many vectors run interleaved.
  package var unroll = 1
  /// Whether what is left at the end is one more vector that ends with the range and does again what the one
  /// before it did. Only for stores, and ranges that no tile cuts.
  package var overlapsItself = false
  /// What is fetched into the caches ahead of use, with each vector; a target may leave it.
  package var prefetches: [TilePrefetch] = []
}

/// `output[index] = value`.
package struct TileStore: Sendable, Hashable {
  package var output: BufferID
  package var index: Index
  package var value: Expression
  /// Whether the store goes past the caches.
  package var isStreaming = false
}

/// `output[index] = value`, combined over all values of `axes`.
package struct TileReduction: Sendable, Hashable {
  package var output: BufferID
  package var index: Index
  package var axes: [Axis]
  package var combiner: Combiner
  package var value: Expression
  /// How many iterations of the last axis run as lanes; 1 inside a lane loop.
  package var lanes = 1
  /// How many partial results are kept, to hide the latency of the arithmetic and to keep rounding small.
  package var accumulators = 1
  /// How many iterations of the last axis ahead of use rows that are looked up are fetched; 0 for not at all. A
  /// target may leave it.
  package var ahead = 0
}

/// `output[target] = value`, or combined with what is there; nothing where the target is outside the output.
package struct TileScatter: Sendable, Hashable {
  package var output: BufferID
  /// One index for each dimension of the output.
  package var target: [Index]
  package var extents: [Int]
  package var strides: [Int]
  package var combiner: Combiner?
  package var value: Expression
}

/// For each value of `rank`, `output[index]` is the position along `axis` of the element that comes after as
/// many others.
package struct TileSort: Sendable, Hashable {
  package var output: BufferID
  package var index: Index
  package var rank: Axis
  package var axis: Axis
  package var isDescending: Bool
  package var value: Expression
}

/// `output[index] = value`, combined over the values of `axis` up to and including each.
package struct TileScan: Sendable, Hashable {
  package var output: BufferID
  package var index: Index
  package var axis: Axis
  package var combiner: Combiner
  package var value: Expression
  /// How many iterations run as lanes; 1 inside a lane loop.
  package var lanes = 1
  /// Whether vectors of results go past the caches.
  package var isStreaming = false
}
