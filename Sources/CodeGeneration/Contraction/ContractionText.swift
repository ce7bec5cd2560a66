import Hardware
import KernelSpec
import TensorProgram

/// A contraction as C text: one function packs the factors, another multiplies blocks and runs the
/// epilogue.
///
/// The structure is that of Goto and van de Geijn, "Anatomy of High-Performance Matrix
/// Multiplication" (2008): register tiles, panels of packed columns, blocks of packed rows.
struct ContractionText {
  let contraction: Contraction
  let shape: ContractionShape
  let tuning: ContractionTuning
  let left: PackedFactor
  let right: PackedFactor
  let epilogue: EpilogueText
  /// Whether every packed factor is the same in all calls of the kernel.
  private let packsLasting: Bool
  /// What names of functions begin with.
  let prefix: String
  let threads: Int
  let vectorBytes: Int
  /// The image that the second factor is read from, in a convolution that packs none.
  let image: ConvolutionImage?
  private let imageCopy: KernelText?

  init(
    _ contraction: Contraction, tuning: ContractionTuning, site: KernelSite,
    image: ConvolutionImage? = nil
  ) {
    let vectorBytes = max(site.hardware.tuning.vectorBytes, 8)
    let shape = ContractionShape(
      contraction, tuning: tuning, vectorBytes: vectorBytes, columns: image?.columnCount)
    self.image = image
    imageCopy = image?.copy(name: "\(site.name)_image", site: site)
    let prefix = "\(site.name)_"
    let scalars = ScalarText(program: site.program)
    self.contraction = contraction
    self.tuning = tuning
    self.shape = shape
    self.prefix = prefix
    self.vectorBytes = vectorBytes
    threads = max(site.hardware.tuning.threads, 1)
    packsLasting =
      (tuning.packA != .whole || site.isLasting(contraction.left))
      && (tuning.packB != .whole || site.isLasting(contraction.right))
    left = PackedFactor(
      contraction.left, side: contraction.rows, contraction: contraction,
      width: shape.tileRows, edge: shape.edgeRows, packing: tuning.packA,
      name: prefix + "pack_a", lanes: shape.lanes, scalars: scalars)
    right = PackedFactor(
      contraction.right, side: contraction.columns, contraction: contraction,
      width: shape.tileColumns, edge: shape.edgeVectors * shape.lanes, packing: tuning.packB,
      name: prefix + "pack_b", lanes: shape.lanes, scalars: scalars)
    epilogue = EpilogueText(
      contraction, name: prefix + "store", tileColumns: shape.tileColumns,
      locals: site.kernel.locals,
      visibleColumns: image?.visibleColumns, scalars: scalars)
  }

  /// The kernel: its functions, phases and memory.
  var kernelText: KernelText {
    var phases = imageCopy?.phases ?? []
    if packedPanels > 0 {
      phases.append(
        .init(function: prefix + "pack", blocks: packBlocks, isPreparation: packsLasting))
    }
    phases.append(.init(function: prefix + (isGrouped ? "group" : "multiply"), blocks: groups))
    return KernelText(
      functions: functions, phases: phases, sharedBytes: sharedBytes, threadBytes: threadBytes,
      library: epilogue.library.union(left.library).union(right.library)
        .union(imageCopy?.library ?? []))
  }

  private var functions: String {
    var parts = [imageCopy?.functions, distances, types].compactMap { $0 }
    if left.transposes || right.transposes {
      parts.append(TransposeText(name: prefix + "transpose", lanes: shape.lanes).text)
    }
    if tuning.packA != .inPlace { parts.append(left.text(transpose: prefix + "transpose")) }
    if tuning.packB == .whole || tuning.packB == .block {
      parts.append(right.text(transpose: prefix + "transpose"))
    }
    if packedPanels > 0 { parts.append(packText) }
    parts += microKernels.map(\.text)
    parts += [epilogue.text, multiplyText] + (isGrouped ? [groupText] : [])
    return (parts + ElementTypesText.ends).joined(separator: "\n\n")
  }

  /// The table of how far each step of the depth is from the first.
  private var distances: String? {
    guard let image else { return nil }
    let values = image.distances.map(String.init)
    let rows = stride(from: 0, to: values.count, by: 16).map {
      values[$0..<min($0 + 16, values.count)].joined(separator: ", ")
    }
    return "static const int32_t \(prefix)distance[] = {\n  \(rows.joined(separator: ",\n  "))};"
  }

  private var types: String {
    ElementTypesText(
      prefix: prefix, accumulator: contraction.accumulator, vectorBytes: vectorBytes
    ).definitions
  }

  // MARK: - Memory

  private var elementBytes: Int { contraction.accumulator.sizeBytes }

  /// Elements of the packed factors, as a whole.
  var imageElements: Int {
    (image?.bytes(slack: shape.tileColumns) ?? 0) / elementBytes
  }
  var leftWhole: Int {
    tuning.packA == .whole ? aligned(left.batch.extent * shape.rows * shape.depth) : 0
  }
  private var rightWhole: Int {
    tuning.packB == .whole ? aligned(right.batch.extent * shape.paddedColumns * shape.depth) : 0
  }
  var sharedBytes: Int { (imageElements + leftWhole + rightWhole) * elementBytes }

  /// Elements of a thread's blocks.
  var leftBlock: Int {
    tuning.packA == .block ? aligned(shape.rowBlock * shape.depthBlock) : 0
  }
  var rightBlock: Int {
    tuning.packB == .block ? aligned(shape.columnBlock * shape.depthBlock) : 0
  }
  private var sumsBlock: Int {
    shape.depthBlocks > 1 ? aligned(shape.rowBlock * shape.columnBlock) : 0
  }
  var threadBytes: Int { (leftBlock + rightBlock + sumsBlock) * elementBytes }

  private func aligned(_ elements: Int) -> Int {
    let step = 64 / elementBytes
    return ceilDivide(elements, step) * step
  }

  // MARK: - Packing

  private var leftPanels: Int {
    tuning.packA == .whole ? left.batch.extent * ceilDivide(shape.rows, shape.tileRows) : 0
  }
  private var rightPanels: Int {
    tuning.packB == .whole ? right.batch.extent * ceilDivide(shape.columns, shape.tileColumns) : 0
  }
  private var packedPanels: Int { leftPanels + rightPanels }
  private var packBlocks: Int { min(packedPanels, threads * 8) }

  /// The function that packs whole factors: each call some of the panels.
  private var packText: String {
    """
    static void \(prefix)pack(void *argument, int64_t block, int32_t thread) {
      const granary_call *call = argument;
      const int64_t end = (block + 1) * \(packedPanels) / \(packBlocks);
      for (int64_t panel = block * \(packedPanels) / \(packBlocks); panel < end; panel++) {
    \(packPanel(
      left, panels: leftPanels, before: 0, offset: imageElements, extent: shape.rows))
    \(packPanel(
      right, panels: rightPanels, before: leftPanels, offset: imageElements + leftWhole, extent: shape.columns))
      }
    }
    """
  }

  private func packPanel(
    _ factor: PackedFactor, panels: Int, before: Int, offset: Int, extent: Int
  ) -> String {
    guard panels > 0 else { return "" }
    let each = panels / factor.batch.extent
    let padded = factor.padded(extent)
    return """
          if (panel >= \(before) && panel < \(before + panels)) {
            const int64_t matrix = (panel - \(before)) / \(each);
      \(lines(6, decode("matrix", factor.batch)))
            const int64_t first = (panel - \(before)) % \(each) * \(factor.width);
            const int64_t width = \(minimum("\(extent) - first", "\(factor.width)"));
            T *to = (T *)call->shared + \(offset) + matrix * \(padded * shape.depth)
                + first * \(shape.depth);
            \(factor.call("first", "width", "0", "\(shape.depth)", "to"));
          }
      """
  }

  // MARK: - Groups

  /// How many runs of blocks are handed out to threads: enough to keep all busy to the end, and few where blocks
  /// are so many and small that handing them out takes long.
  private var groups: Int { min(shape.blocks, threads * 32) }
  private var isGrouped: Bool { groups < shape.blocks }

  /// The function that multiplies the blocks of a run.
  private var groupText: String {
    """
    static void \(prefix)group(void *argument, int64_t group, int32_t thread) {
      const int64_t end = (group + 1) * \(shape.blocks) / \(groups);
      for (int64_t block = group * \(shape.blocks) / \(groups); block < end; block++)
        \(prefix)multiply(argument, block, thread);
    }
    """
  }

  // MARK: - Register tiles

  /// The functions for full tiles and for those at the edges.
  private var microKernels: [MicroKernelText] {
    let rows = [shape.tileRows] + (shape.edgeRows > 0 ? [shape.edgeRows] : [])
    let vectors =
      [shape.tileVectors]
      + (shape.edgeVectors > 0 && shape.edgeVectors != shape.tileVectors ? [shape.edgeVectors] : [])
    return rows.flatMap { rows in vectors.map { microKernel(rows: rows, vectors: $0) } }
  }

  private func microKernel(rows: Int, vectors: Int) -> MicroKernelText {
    let packedWidth = vectors * shape.lanes
    return MicroKernelText(
      name: "\(prefix)tile_\(rows)_\(vectors)", rows: rows, vectors: vectors, lanes: shape.lanes,
      unroll: tuning.unroll,
      rowStride: tuning.packA == .inPlace ? left.sideStride : 1,
      depthStride: tuning.packA == .inPlace ? left.depthStride : rows,
      columnStride: tuning.packB == .inPlace ? right.depthStride : packedWidth,
      looksUpColumns: image != nil)
  }

  var tileCall: String {
    let distance = image == nil ? "" : "\(prefix)distance + k0, "
    let arguments = "depth, a, b, \(distance)from, to, stride"
    return microKernels.reversed().map { kernel in
      let conditions =
        (kernel.rows == shape.tileRows ? [] : ["rows == \(kernel.rows)"])
        + (kernel.vectors == shape.tileVectors
          ? [] : ["columns <= \(kernel.vectors * shape.lanes)"])
      let call = "\(kernel.name)(\(arguments));"
      return conditions.isEmpty ? call : "if (\(conditions.joined(separator: " && "))) \(call) else"
    }.joined(separator: "\n          ")
  }
}

/// The smaller of two C expressions.
func minimum(_ first: String, _ second: String) -> String {
  "\(first) < \(second) ? \(first) : \(second)"
}

/// Definitions of the variables of `axes`, whose iterations `flat` counts, outermost axis first.
func decode(_ flat: String, _ axes: [Axis]) -> [String] {
  var inner = axes.extent
  return axes.enumerated().map { position, axis in
    inner /= max(axis.extent, 1)
    let quotient = inner == 1 ? "(\(flat))" : "(\(flat)) / \(inner)"
    let remainder = position == 0 ? quotient : "\(quotient) % \(axis.extent)"
    return "const int64_t \(axis.variable) = \(remainder);"
  }
}

extension Axis {
  /// The name of the axis' variable in C.
  var variable: String { "i\(id)" }
}
