import Hardware
import KernelSpec
import TensorProgram

/// A convolution by Winograd's transforms as C text.
///
/// Filters and tiles of the image are transformed, multiplied element by element and summed over the channels, for each
/// product one matrix product with the register tiles of a contraction, and transformed back. The image's tiles have
/// channels side by side, its results filters, so that transforms are arithmetic on whole vectors.
///
/// Where a result is not finite the group is computed again as a plain sum: a transform mixes the elements of a tile, and
/// an infinity or NaN would reach results whose windows it is not in. Any that belongs into a result leaves none of the
/// transformed way finite, since each element of a window reaches it through factors that are not zero.
struct WinogradText {
  let convolution: WinogradConvolution
  let shape: WinogradShape
  let tuning: WinogradTuning
  let weights: PackedFactor
  let epilogue: EpilogueText
  let prefix: String
  private let types: ElementTypesText
  private let imageCopy: KernelText
  private let filtersLast: Bool

  init(_ convolution: WinogradConvolution, tuning: WinogradTuning, site: KernelSite) {
    let contraction = convolution.contraction
    let vectorBytes = max(site.hardware.tuning.vectorBytes, 8)
    let lanes = vectorBytes / contraction.accumulator.sizeBytes
    let shape = WinogradShape(convolution, tuning, lanes: lanes)
    let scalars = ScalarText(program: site.program)
    let prefix = "\(site.name)_"
    self.convolution = convolution
    self.tuning = tuning
    self.shape = shape
    self.prefix = prefix
    types = ElementTypesText(
      prefix: prefix, accumulator: contraction.accumulator, vectorBytes: vectorBytes)
    imageCopy = convolution.image.copy(name: "\(site.name)_image", site: site)
    filtersLast = site.isLasting(contraction.left)
    weights = PackedFactor(
      contraction.left, side: contraction.rows, contraction: contraction,
      width: shape.panelWidth, edge: shape.panelWidth, packing: .whole,
      name: prefix + "pack", lanes: lanes, scalars: scalars, padsRows: true)
    epilogue = EpilogueText(
      contraction, name: prefix + "store",
      tileColumns: shape.groupRows * shape.results * shape.width, locals: site.kernel.locals,
      scalars: scalars)
  }

  var kernelText: KernelText {
    let filters = KernelText.Phase(
      function: prefix + "filters", blocks: filterBlocks, isPreparation: filtersLast)
    let tiles = KernelText.Phase(function: prefix + "tiles", blocks: tileBlocks)
    let multiply = KernelText.Phase(function: prefix + "multiply", blocks: multiplyBlocks)
    return KernelText(
      functions: functions,
      phases: [filters] + imageCopy.phases + (tuning.isShared ? [tiles] : []) + [multiply],
      sharedBytes: sharedBytes, threadBytes: threadBytes,
      library: epilogue.library.union(weights.library).union(imageCopy.library))
  }

  private var functions: String {
    let transpose = prefix + "transpose"
    var parts = [imageCopy.functions, types.definitions]
    parts.append(TransposeText(name: transpose, lanes: shape.lanes).text)
    parts.append(weights.text(transpose: transpose))
    parts += ([shape.tileRows] + shape.edges).map { microKernel($0).text }
    parts += [epilogue.text, filtersText, inputText, outputText, plainText]
    parts += (tuning.isShared ? [tilesText] : []) + [multiplyText]
    return (parts + ElementTypesText.ends).joined(separator: "\n\n")
  }

  // MARK: - Memory

  private var elementBytes: Int { convolution.contraction.accumulator.sizeBytes }
  var imageElements: Int { convolution.image.bytes(slack: shape.slack) / elementBytes }
  private var filterMatrices: Int { weights.batch.extent }
  private var imageMatrices: Int { convolution.image.batch.extent }
  private var packedElements: Int { filterMatrices * shape.panels * shape.panelFilters }
  /// The transformed filters of a matrix.
  var matrixFilters: Int { shape.products * shape.panels * shape.panelProduct }
  var packedStart: Int { imageElements }
  var filterStart: Int { roundUp(packedStart + packedElements, to: 16) }
  var tileStart: Int { filterStart + filterMatrices * matrixFilters }
  private var sharedTiles: Int {
    tuning.isShared ? imageMatrices * shape.groups * shape.groupTiles : 0
  }
  var sharedBytes: Int { roundUp((tileStart + sharedTiles) * elementBytes, to: 64) }

  /// Where a thread's parts begin, in elements.
  var tilesOffset: Int { shape.strip }
  var sumsOffset: Int { tilesOffset + (tuning.isShared ? 0 : roundUp(shape.groupTiles, to: 16)) }
  var placesOffset: Int { sumsOffset + shape.sums }
  var resultsOffset: Int { placesOffset + shape.places2D }
  var threadBytes: Int {
    roundUp((resultsOffset + shape.resultRows) * elementBytes, to: 64)
  }

  // MARK: - Blocks

  /// As many channels as lanes of one panel.
  var channelParts: Int { ceilDivide(shape.channels, shape.lanes) }
  private var filterBlocks: Int { filterMatrices * shape.panels * channelParts }
  private var tileBlocks: Int { imageMatrices * shape.tilesDown }
  private var multiplyBlocks: Int {
    convolution.contraction.loopedBatch.extent * shape.groups
      * (tuning.isShared ? shape.panels : 1)
  }

  // MARK: - Register tiles

  private func microKernel(_ rows: Int) -> MicroKernelText {
    MicroKernelText(
      name: "\(prefix)product_\(rows)", rows: rows, vectors: shape.vectors, lanes: shape.lanes,
      unroll: 1, rowStride: shape.channelStride, depthStride: 1, columnStride: shape.panelWidth,
      looksUpColumns: false)
  }

  /// The statement that multiplies `rows` tiles.
  var productCall: String {
    let arguments =
      "(\(shape.channels), from + tile * \(shape.channelStride), filters, 0, "
      + "to + tile * \(shape.panelWidth), \(shape.panelWidth));"
    return
      (shape.edges.map { "if (rows == \($0)) \(prefix)product_\($0)\(arguments) else " }
      + ["\(prefix)product_\(shape.tileRows)\(arguments)"]).joined()
  }
}
