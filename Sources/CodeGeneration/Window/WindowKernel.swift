import KernelSpec
import TensorProgram

/// The tile kernel of a windowed reduction: each point of the grid brings the part of the image that a band of
/// rows needs into memory of its own, where guards have become elements, and then makes the rows from there.
///
/// The elements of a window are written out, so that neighbouring rows share what they read of the image, and
/// each lane makes one column.
struct WindowKernel {
  /// The choices that a schedule makes.
  struct Tuning: Equatable {
    /// Rows of the result that one point of the grid makes; divides all of them.
    var band = 1
    /// Rows that are made together.
    var rows = 1
    var lanes = 1
    var unroll = 1
    /// Whether the copy holds windows whose rows have been combined already.
    var isSeparated = false
    var isStreaming = false
    /// How many bytes ahead of use the image is fetched; 0 for not at all.
    var prefetchBytes = 0
  }

  private let reduction: WindowedReduction
  private let tuning: Tuning
  /// The program, with a buffer for the copy of the image.
  private(set) var program: TensorProgram
  private let locals: Set<BufferID>
  private let image: BufferID
  private let imageType: DType
  /// The number of the band.
  private let band: Axis
  private let firstFreshAxis: Int

  init(_ reduction: WindowedReduction, tuning: Tuning, site: KernelSite) {
    self.reduction = reduction
    self.tuning = tuning
    locals = site.kernel.locals
    program = site.program
    imageType = tuning.isSeparated ? reduction.value.dtype : reduction.window.element.dtype
    image = BufferID(program.buffers.count)
    program.buffers.append(Buffer(name: "image", type: TensorType(imageType, [])))
    let used = site.kernel.outer + [reduction.columns.tap, reduction.rows?.tap].compactMap { $0 }
    firstFreshAxis = 1 + (used.map(\.id).max() ?? 0)
    band = Axis(
      id: firstFreshAxis, extent: (reduction.rows?.axis.extent ?? 1) / max(tuning.band, 1))
  }

  /// Elements from one row of the copy to the next: whole cache lines.
  private var rowLength: Int {
    let columns = reduction.columns.span(reduction.columns.axis.extent) + lead
    return roundUp((columns + (isReadInPairs ? 1 : 0)) * imageType.sizeBytes, to: 64)
      / imageType.sizeBytes
  }

  /// Whether results read every second column of the copy.
  private var isReadInPairs: Bool { reduction.columns.stride == 2 }

  /// Where the columns of the copy begin: so that those which are no padding begin a cache line, where each row
  /// is combined from several and so is stored once for few loads.
  private var lead: Int {
    guard tuning.isSeparated else { return 0 }
    let ranges = GuardSplitting(axis: copiedColumns, program: program).split([
      copyStage(at: .constant(0))
    ])
    let widest = ranges.max { $0.0.count < $1.0.count }?.0.lowerBound ?? 0
    let line = 64 / imageType.sizeBytes
    return (line - widest % line) % line
  }

  private var imageRows: Int {
    guard let rows = reduction.rows else { return 1 }
    return tuning.isSeparated ? tuning.band : rows.span(tuning.band)
  }

  /// What the copy takes for one thread.
  var imageBytes: Int { imageRows * rowLength * imageType.sizeBytes }

  func tileKernel(name: String) -> TileKernel {
    let grid = reduction.batch + (reduction.rows == nil ? [] : [band])
    return TileKernel(
      name: name, grid: grid.map { GridAxis(axis: $0, tile: 1) }, blocks: 1,
      scratch: [
        ScratchTile(
          buffer: image, dtype: imageType, elementCount: imageRows * rowLength, isPerLane: false,
          isReadInPairs: isReadInPairs)
      ],
      body: [copy] + results)
  }

  // MARK: - The copy of the image

  private var copiedRows: Axis { Axis(id: firstFreshAxis + 1, extent: imageRows) }

  private var copiedColumns: Axis {
    Axis(
      id: firstFreshAxis + 2, extent: reduction.columns.span(reduction.columns.axis.extent))
  }

  private var copy: TileStatement {
    let start = Index.sum(.product(.axis(copiedRows), rowLength), .constant(lead))
    let parts = GuardSplitting(axis: copiedColumns, program: program).split([copyStage(at: start)])
    return .loop(
      TileLoop(axis: copiedRows, range: 0..<imageRows),
      parts.map { loop(copiedColumns, $0, storing: $1) })
  }

  /// The copy, without its loops.
  ///
  /// - Parameter start: the place of its first element in a row of the copy.
  private func copyStage(at start: Index) -> FlatKernel.FlatStage {
    FlatKernel.FlatStage(
      output: image, outputType: imageType, index: .sum(start, .axis(copiedColumns)), rest: [],
      body: .map(flat(element(row: .axis(copiedRows), column: .axis(copiedColumns)))))
  }

  private func loop(
    _ axis: Axis, _ range: Range<Int>, storing stages: [FlatKernel.FlatStage]
  ) -> TileStatement {
    var loop = TileLoop(axis: axis, range: range, widest: tuning.lanes)
    loop.prefetches = stages.flatMap { prefetches($0.body.value, along: axis) }
    return .loop(
      loop,
      stages.map {
        .store(TileStore(output: $0.output, index: $0.index, value: $0.body.value))
      })
  }

  /// Those rows of the image that no row of the copy before has read, further on.
  private func prefetches(_ value: Expression, along axis: Axis) -> [TilePrefetch] {
    guard tuning.prefetchBytes > 0 else { return [] }
    var rows: [TilePrefetch] = []
    value.visit { part in
      guard case .load(let buffer, let type, let indices) = part,
        AffineIndex(indices[0]).coefficient(of: axis) == 1
      else { return }
      let distance = Index.constant(tuning.prefetchBytes / type.sizeBytes)
      rows.append(TilePrefetch(buffer: buffer, index: .sum(indices[0], distance)))
    }
    return rows.suffix(tuning.isSeparated ? reduction.rows?.stride ?? 1 : 1)
  }

  /// What the copy holds at `row` and `column`.
  private func element(row: Index, column: Index) -> Expression {
    guard let rows = reduction.rows else {
      return reduction.window.at(row: nil, column: column, reduction.window.element)
    }
    let start = Index.product(.axis(band), tuning.band * rows.stride)
    guard tuning.isSeparated else {
      return reduction.window.at(
        row: .sum(start, row), column: column, reduction.window.element)
    }
    return reduction.combination(
      (0..<rows.taps).map { tap in
        let place = Index.sum(.product(row, rows.stride), .constant(tap * rows.dilation))
        return reduction.window.at(
          row: .sum(start, place), column: column, reduction.value)
      })
  }

  // MARK: - Results

  /// Rows of the band, some at a time, and those that are left over.
  private var results: [TileStatement] {
    guard reduction.rows != nil else { return [resultLoop([.constant(0)])] }
    let groups = Axis(id: firstFreshAxis + 3, extent: tuning.band / tuning.rows)
    let together = (0..<tuning.rows).map {
      Index.sum(.product(.axis(groups), tuning.rows), .constant($0))
    }
    let rest = (groups.extent * tuning.rows..<tuning.band).map { Index.constant($0) }
    let loop = TileStatement.loop(
      TileLoop(axis: groups, range: 0..<groups.extent), [resultLoop(together)])
    return (groups.extent > 0 ? [loop] : []) + (rest.isEmpty ? [] : [resultLoop(rest)])
  }

  /// All columns of some rows of the band.
  private func resultLoop(_ rows: [Index]) -> TileStatement {
    let axis = reduction.columns.axis
    var loop = TileLoop(axis: axis, range: 0..<axis.extent, widest: tuning.lanes)
    loop.unroll = tuning.unroll
    return .loop(loop, rows.flatMap(stores))
  }

  /// The stores of what the stages make in one row of the band.
  private func stores(row: Index) -> [TileStatement] {
    var made: [BufferID: Expression] = [:]
    var statements: [TileStatement] = []
    let place = reduction.rows.map { rows in
      [rows.axis: Index.sum(.product(.axis(band), tuning.band), row)]
    }
    for stage in reduction.stages {
      let type = program[stage.output].type
      var value = result(row: row)
      if case .map(let map) = stage.body {
        value = map.rewritten { part in
          if case .load(let buffer, _, _) = part, let known = made[buffer] { known } else { part }
        }
      }
      let atPlace = place.map(value.substituting) ?? value
      made[stage.output] = value.dtype == type.dtype ? value : .cast(type.dtype, value)
      guard !locals.contains(stage.output) else { continue }
      let index = AffineIndex(stage.domain.map { .axis($0) }, strides: type.resolvedStrides).index
      let there = Expression.index(index, .i64)
      guard case .index(let moved, _) = place.map(there.substituting) ?? there else { continue }
      statements.append(
        .store(
          TileStore(
            output: stage.output, index: moved, value: flat(atPlace),
            isStreaming: tuning.isStreaming)))
    }
    return statements
  }

  /// The combination of the elements of one window, in the axes of the result.
  private func result(row: Index) -> Expression {
    let columns = reduction.columns
    let rowTaps = tuning.isSeparated ? 1 : reduction.rows?.taps ?? 1
    let stride = tuning.isSeparated ? 1 : reduction.rows?.stride ?? 1
    var values: [Expression] = []
    for rowTap in 0..<rowTaps {
      for columnTap in 0..<columns.taps {
        let down = rowTap * (reduction.rows?.dilation ?? 1) * rowLength + lead
        let along = columnTap * columns.dilation
        let index = Index.sum(
          .sum(.product(row, stride * rowLength), .product(.axis(columns.axis), columns.stride)),
          .constant(down + along))
        values.append(value(of: .load(image, imageType, [index]), rowTap, columnTap))
      }
    }
    return reduction.combination(values)
  }

  private func value(of element: Expression, _ rowTap: Int, _ columnTap: Int) -> Expression {
    if tuning.isSeparated { return element }
    var taps: [Axis: Index] = [:]
    if let tap = reduction.rows?.tap { taps[tap] = .constant(rowTap) }
    if let tap = reduction.columns.tap { taps[tap] = .constant(columnTap) }
    return reduction.value.replacing(reduction.window.element, by: element).substituting(taps)
  }

  // MARK: - Memory

  /// The value with one index, the position in memory, for each load of a buffer.
  private func flat(_ value: Expression) -> Expression {
    value.mapped(load: { buffer, type, indices in
      guard buffer != image else { return .load(buffer, type, indices) }
      let strides = program[buffer].type.resolvedStrides
      return .load(buffer, type, [AffineIndex(indices, strides: strides).index])
    })
  }
}

extension Expression {
  /// The expression with each part that equals `part` replaced.
  fileprivate func replacing(_ part: Expression, by other: Expression) -> Expression {
    if self == part { return other }
    switch self {
    case .real, .integer, .index, .load, .inRange: return self
    case .unary(let operation, let operand):
      return .unary(operation, operand.replacing(part, by: other))
    case .cast(let type, let operand): return .cast(type, operand.replacing(part, by: other))
    case .binary(let operation, let first, let second):
      return .binary(
        operation, first.replacing(part, by: other), second.replacing(part, by: other))
    case .select(let condition, let first, let second):
      return .select(
        condition.replacing(part, by: other), first.replacing(part, by: other),
        second.replacing(part, by: other))
    }
  }
}
