import Hardware
import KernelSpec

/// The parameters of a contraction, as numbers.
struct ContractionTuning: Equatable {
  /// Rows of the register tile.
  var mr: Int
  /// Vectors in a row of the register tile.
  var nv: Int
  /// How much of the depth is summed between two visits of a tile; 0 for all.
  var kc: Int
  /// Rows and columns of the block that one call of the parallel loop computes; 0 for all.
  var mc: Int
  var nc: Int
  var packA: Packing
  var packB: Packing
  /// Steps of the depth in one iteration of the inner loop.
  var unroll: Int
  /// 0 keeps a panel of columns in the nearest cache while rows pass by, 1 the other way round.
  var order: Int

  /// How a factor is brought into the order in which the register tile reads it.
  enum Packing: Int {
    /// Not at all: it is read where it is.
    case inPlace
    /// All of it, before the products, by all threads.
    case whole
    /// Each block by the thread that needs it, just before.
    case block
    /// As a copy of the image that a convolution reads, see ``ConvolutionImage``.
    case image
  }

  init(_ parameters: [String: Int]) {
    mr = max(parameters["mr"] ?? 1, 1)
    nv = max(parameters["nv"] ?? 1, 1)
    kc = parameters["kc"] ?? 0
    mc = parameters["mc"] ?? 0
    nc = parameters["nc"] ?? 0
    packA = Packing(rawValue: parameters["pack_a"] ?? 1) ?? .whole
    packB = Packing(rawValue: parameters["pack_b"] ?? 1) ?? .whole
    unroll = max(parameters["unroll"] ?? 1, 1)
    order = parameters["order"] ?? 0
  }
}

/// The numbers that make up a contraction once its parameters are chosen.
///
/// Blocks hold whole tiles, except at the lower and right edge of the matrix.
struct ContractionShape: Equatable {
  var batch: Int
  var rows: Int
  var columns: Int
  var depth: Int
  /// Elements of a vector register.
  var lanes: Int
  var tileRows: Int
  var tileVectors: Int
  var depthBlock: Int
  var rowBlock: Int
  var columnBlock: Int

  /// - Parameter columns: the columns that are needed, where they are fewer than those of the axes.
  init(
    _ contraction: Contraction, tuning: ContractionTuning, vectorBytes: Int, columns: Int? = nil
  ) {
    batch = contraction.batch.extent
    rows = contraction.rows.extent
    let columns = columns ?? contraction.columns.extent
    self.columns = columns
    depth = contraction.depth.extent
    lanes = max(vectorBytes / contraction.accumulator.sizeBytes, 1)
    tileRows = min(tuning.mr, rows)
    tileVectors = min(tuning.nv, ceilDivide(columns, lanes))
    depthBlock = tuning.kc == 0 ? max(depth, 1) : min(tuning.kc, max(depth, 1))
    rowBlock = Self.block(tuning.mc, tile: tileRows, extent: rows)
    columnBlock = Self.block(tuning.nc, tile: tileVectors * lanes, extent: columns)
  }

  private static func block(_ wanted: Int, tile: Int, extent: Int) -> Int {
    let whole = ceilDivide(extent, tile) * tile
    return wanted == 0 ? whole : min(max(ceilDivide(wanted, tile), 1) * tile, whole)
  }

  var tileColumns: Int { tileVectors * lanes }
  var depthBlocks: Int { max(ceilDivide(depth, depthBlock), 1) }
  var rowBlocks: Int { ceilDivide(rows, rowBlock) }
  var columnBlocks: Int { ceilDivide(columns, columnBlock) }
  var blocks: Int { batch * rowBlocks * columnBlocks }
  /// Rows of the tiles at the lower edge; 0 when all tiles are full.
  var edgeRows: Int { rows % tileRows }
  /// Vectors in the tiles at the right edge, the last perhaps partly used; 0 when all tiles are
  /// full.
  var edgeVectors: Int { ceilDivide(columns % tileColumns, lanes) }
  /// Columns when every vector is counted whole.
  var paddedColumns: Int { ceilDivide(columns, lanes) * lanes }
}

func ceilDivide(_ dividend: Int, _ divisor: Int) -> Int { (dividend + divisor - 1) / divisor }
