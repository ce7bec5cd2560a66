import Hardware
import KernelSpec
import TensorProgram

/// A convolution that Winograd's transforms fit: windows of 3 × 3 places next to each other, over many channels.
struct WinogradConvolution {
  /// Rows are filters, columns the places of the result.
  let contraction: Contraction
  let image: ConvolutionImage
  let channels: Int
  var filters: Int { contraction.rows.extent }
  let height: Int
  let width: Int

  /// With fewer channels transforms take longer than what they save, and a window may hold so little beside the
  /// others of its tile that the others' rounding shows.
  static let leastChannels = 32
  private static let leastFilters = 16

  init?(_ contraction: Contraction) {
    let axes = contraction.columns.filter { $0.extent != 1 }
    let depth = contraction.depth.filter { $0.extent != 1 }
    guard contraction.accumulator == .f32, let image = ConvolutionImage(contraction),
      let rows = image.window.rows, axes == [rows.axis, image.window.columns.axis],
      image.window.sides.allSatisfy({
        $0.taps == WinogradTransform.taps && $0.stride == 1 && $0.dilation == 1
      }),
      depth.suffix(2) == [rows.tap, image.window.columns.tap].compactMap({ $0 })[...]
    else { return nil }
    self.contraction = contraction
    self.image = image
    channels = Array(depth.dropLast(2)).extent
    (height, width) = (axes[0].extent, axes[1].extent)
    guard channels >= Self.leastChannels, filters >= Self.leastFilters else { return nil }
  }
}

/// The parameters of a convolution by Winograd's transforms, as numbers.
struct WinogradTuning: Equatable {
  /// Results of a tile in one direction.
  var tile: Int
  /// Tiles and vectors of filters of the register tile.
  var mr: Int
  var nv: Int
  /// Rows of tiles whose products are formed together.
  var rows: Int
  /// Whether all tiles are transformed before the products, so that threads may share them.
  var isShared: Bool

  init(_ parameters: [String: Int]) {
    tile = parameters["tile"] == 2 ? 2 : 4
    mr = max(parameters["mr"] ?? 1, 1)
    nv = max(parameters["nv"] ?? 1, 1)
    rows = max(parameters["rows"] ?? 1, 1)
    isShared = parameters["share"] == 1
  }
}

/// The numbers that make up the kernel once its parameters are chosen.
struct WinogradShape {
  let transform: WinogradTransform
  let lanes: Int
  let channels: Int
  let filters: Int
  let height: Int
  let width: Int
  /// Tiles of the register tile.
  let tileRows: Int
  /// Filters of a panel: those of the register tile.
  let panelWidth: Int
  /// Rows of tiles in a group.
  let groupRows: Int

  init(_ convolution: WinogradConvolution, _ tuning: WinogradTuning, lanes: Int) {
    transform = WinogradTransform(results: tuning.tile)
    self.lanes = lanes
    channels = convolution.channels
    filters = convolution.filters
    (height, width) = (convolution.height, convolution.width)
    groupRows = min(tuning.rows, ceilDivide(height, tuning.tile))
    tileRows = min(tuning.mr, groupRows * ceilDivide(width, tuning.tile))
    panelWidth = min(tuning.nv, ceilDivide(filters, lanes)) * lanes
  }

  var results: Int { transform.results }
  var places: Int { transform.places }
  /// Products of a tile, channel and filter.
  var products: Int { places * places }
  var panels: Int { ceilDivide(filters, panelWidth) }
  var vectors: Int { panelWidth / lanes }

  // MARK: - Tiles

  var tilesAcross: Int { ceilDivide(width, results) }
  var tilesDown: Int { ceilDivide(height, results) }
  var groups: Int { ceilDivide(tilesDown, groupRows) }
  /// Tiles of a group; the last may have ``lastTiles``.
  var tiles: Int { groupRows * tilesAcross }
  var lastTiles: Int { (tilesDown - (groups - 1) * groupRows) * tilesAcross }
  /// The heights of register tiles below full ones.
  var edges: [Int] { Set([tiles, lastTiles].map { $0 % tileRows }).subtracting([0]).sorted() }

  // MARK: - Memory, in elements

  /// A row of a strip of the image, in whole vectors.
  var stripColumns: Int { roundUp(tilesAcross * results + 2, to: lanes) }
  /// As many channels as lanes of all rows that a row of tiles needs.
  var strip: Int { places * stripColumns * lanes }
  /// From a tile to the next. A multiple of a page would have all tiles in the same lines of the cache.
  var channelStride: Int {
    let whole = roundUp(channels, to: lanes)
    return whole % 512 == 0 ? whole + lanes : whole
  }
  /// The transformed tiles of a group, and those of one product.
  var groupTiles: Int { products * productTiles }
  var productTiles: Int { tiles * channelStride }
  /// The products of a panel's filters, summed over channels.
  var sums: Int { products * tiles * panelWidth }
  /// Results place by place.
  var resultColumns: Int { tilesAcross * results }
  var places2D: Int { (groupRows * results * resultColumns + lanes) * panelWidth }
  /// Results filter by filter.
  var resultStride: Int { roundUp(groupRows * results * width, to: lanes) + lanes }
  var resultRows: Int { panelWidth * resultStride }
  /// The filters of a panel, place by place.
  var panelFilters: Int { channels * 9 * panelWidth }
  /// The transformed filters of a panel for one product.
  var panelProduct: Int { channels * panelWidth }
  /// Elements that are read, and not used, behind the image.
  var slack: Int { stripColumns + 2 * lanes }
}
