import Hardware
import KernelSpec
import TensorProgram

/// The parameters of a contraction on given hardware, with defaults that need no search to be good.
///
/// The rules were found by measuring products from 64³ to 1024³ and convolutions on two Zen 5
/// cores.
struct ContractionDefaults {
  private let contraction: Contraction
  private let hardware: TuningIdentity
  private let lanes: Int
  /// How each factor may be packed.
  private let packingA: [Int]
  private let packingB: [Int]
  private let leftFollowsDepth: Bool
  /// Whether columns are read from a copy of an image, so that small blocks of them cost nothing.
  private let readsImage: Bool
  /// Whether the right factor is the same in all calls of the kernel, so that it is packed once.
  private let rightLasts: Bool

  init(_ contraction: Contraction, site: KernelSite, readsImage: Bool = false) {
    self.contraction = contraction
    self.readsImage = readsImage
    hardware = site.hardware.tuning
    let text = ContractionText(contraction, tuning: ContractionTuning([:]), site: site)
    lanes = text.shape.lanes
    rightLasts = site.isLasting(contraction.right)
    packingA = text.left.rowsCanStay ? [0, 1, 2] : [1, 2]
    packingB = text.right.columnsCanStay(text.shape.columns) ? [0, 1, 2] : [1, 2]
    leftFollowsDepth = text.left.rowsCanStay && text.left.depthStride == 1
  }

  var domains: [ParameterDomain] {
    let tile = bestTile
    let rowBlock = rowBlock
    return [
      ParameterDomain("mr", Self.tileRows, default: tile.rows, isFeature: true),
      ParameterDomain("nv", Self.tileVectors, default: tile.vectors, isFeature: true),
      ParameterDomain("kc", [64, 128, 192, 256, 384, 512, 768, 1024, 0], default: depthBlock),
      ParameterDomain("mc", [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 0], default: rowBlock),
      ParameterDomain(
        "nc", [32, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 0],
        default: columnBlock(rowBlock)),
      ParameterDomain("pack_a", packingA, default: leftFollowsDepth ? 0 : 1),
      ParameterDomain("pack_b", packingB, default: packB(rowBlock), isFeature: true),
      ParameterDomain("unroll", [1, 2, 4, 8], default: 1),
      ParameterDomain("order", [0, 1], default: 0),
    ]
  }

  static let tileRows = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 24]
  static let tileVectors = [1, 2, 3, 4, 6]
  private static let narrowVectors = 4

  // MARK: - Register tile

  private var bestTile: (rows: Int, vectors: Int) {
    Self.bestTile(
      rows: contraction.rows.extent, vectors: ceilDivide(contraction.columns.extent, lanes),
      registers: hardware.vectorRegisters)
  }

  /// The tile that takes the fewest cycles for a matrix by a count of what each step of the depth issues.
  static func bestTile(rows allRows: Int, vectors allVectors: Int, registers: Int)
    -> (rows: Int, vectors: Int)
  {
    var best = (rows: 1, vectors: 1, cost: Double.infinity)
    for vectors in tileVectors {
      for rows in tileRows where rows * vectors + vectors + 1 <= max(registers, 16) {
        let columnParts = [(vectors, allVectors / vectors), (allVectors % vectors, 1)]
        let rowParts = [(rows, allRows / rows), (allRows % rows, 1)]
        var cost = 0.0
        for (width, times) in columnParts where width > 0 {
          for (height, repeats) in rowParts where height > 0 {
            cost += cycles(height, width) * Double(times * repeats)
          }
        }
        if cost < best.cost { best = (rows, vectors, cost) }
      }
    }
    return (best.rows, best.vectors)
  }

  /// Cycles of one step: two products and two loads each, four cycles from a sum to the next, and a
  /// little for the loop and for starting and storing the tile.
  private static func cycles(_ rows: Int, _ vectors: Int) -> Double {
    let products = Double(rows * vectors) / 2
    let loads = Double(rows + vectors) / 2
    return max(products, loads, 4) + 0.15 * loads + 0.5
  }

  // MARK: - Blocks

  private var depthBlock: Int { contraction.depth.extent <= 640 ? 0 : 512 }

  /// Rows are cut when there are many; else all of them pass by each block of columns.
  private var rowBlock: Int {
    if contraction.rows.extent <= 256 { return 0 }
    let parts = ceilDivide(hardware.threads * 2, contraction.batch.extent)
    return ceilDivide(contraction.rows.extent, parts) >= 64 ? 64 : 32
  }

  private func columnBlock(_ rowBlock: Int) -> Int {
    if rowBlock != 0 || contraction.batch.extent >= hardware.threads * 2 {
      return contraction.columns.extent > 2048 ? 1024 : 0
    }
    let parts = ceilDivide(hardware.threads * (readsImage ? 16 : 2), contraction.batch.extent)
    let wanted = ceilDivide(contraction.columns.extent, parts)
    return [32, 64, 96, 128, 192, 256, 384].last { $0 <= wanted } ?? 32
  }

  private func packB(_ rowBlock: Int) -> Int {
    if rightLasts { return 1 }
    // A few vectors of columns lie in memory nearly as packing would bring them.
    let isNarrow = contraction.columns.extent <= Self.narrowVectors * lanes
    if packingB.contains(0) && (contraction.rows.extent <= 256 || isNarrow) { return 0 }
    return rowBlock == 0 ? 2 : 1
  }
}
