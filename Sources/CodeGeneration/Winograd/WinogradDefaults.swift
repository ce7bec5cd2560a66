import Hardware
import KernelSpec
import TensorProgram

/// The parameters of a convolution by Winograd's transforms on given hardware, with defaults that need no search.
///
/// The rules were found by measuring convolutions of 32 to 512 channels on two Zen 5 cores (decision 019).
struct WinogradDefaults {
  private let convolution: WinogradConvolution
  private let hardware: TuningIdentity
  private let lanes: Int

  init(_ convolution: WinogradConvolution, site: KernelSite) {
    self.convolution = convolution
    hardware = site.hardware.tuning
    lanes = max(hardware.vectorBytes, 8) / convolution.contraction.accumulator.sizeBytes
  }

  private static let groupRows = [1, 2, 3, 4, 7, 8, 14]

  var domains: [ParameterDomain] {
    let tile = cost(of: 2) < cost(of: 4) ? 2 : 4
    let across = ceilDivide(convolution.width, tile)
    // All transformed filters are read for each group of tiles.
    let rows =
      Self.groupRows.first { $0 * across >= Self.fewestTiles } ?? Self.groupRows.last ?? 1
    let down = ceilDivide(convolution.height, tile)
    let groups = ceilDivide(down, rows) * convolution.contraction.batch.extent
    let register = ContractionDefaults.bestTile(
      rows: min(rows, down) * across, vectors: ceilDivide(convolution.filters, lanes),
      registers: hardware.vectorRegisters)
    return [
      ParameterDomain("tile", [2, 4], default: tile, isFeature: true),
      ParameterDomain(
        "mr", ContractionDefaults.tileRows, default: register.rows, isFeature: true),
      ParameterDomain(
        "nv", ContractionDefaults.tileVectors, default: register.vectors, isFeature: true),
      ParameterDomain("rows", Self.groupRows, default: rows),
      ParameterDomain(
        "share", [0, 1], default: groups < 4 * hardware.threads ? 1 : 0, isFeature: true),
    ]
  }

  private static let fewestTiles = 14

  // MARK: - Whether it pays

  /// Whether the fewer products are worth the transforms.
  var isWorthIt: Bool {
    let places = Double(convolution.height * convolution.width)
    let products = places * 9 * Double(convolution.channels * convolution.filters) * batch
    return min(cost(of: 2), cost(of: 4)) < 0.8 * products
  }

  private var batch: Double { Double(convolution.contraction.batch.extent) }

  /// The time with tiles of `results` × `results`, as products that take as long.
  ///
  /// A byte of transformed filters takes as long as thirty products, and ninety where they fill more than half of the
  /// largest cache; a byte of tiles or sums as long as two. That is the cost with a largest cache that other work
  /// fills too: on the quiet machine it is a third.
  private func cost(of results: Int) -> Double {
    let tiles =
      Double(
        ceilDivide(convolution.height, results) * ceilDivide(convolution.width, results)) * batch
    let products = Double((results + 2) * (results + 2))
    let (channels, filters) = (Double(convolution.channels), Double(convolution.filters))
    let largest = Double(max(hardware.cacheBytes.max() ?? 0, 1 << 20))
    let filterBytes = 4 * products * channels * filters
    let perByte = filterBytes > largest / 2 ? 90.0 : 30
    return products * tiles * channels * filters + perByte * filterBytes
      + 2 * 4 * products * tiles * (channels + filters)
  }
}
