import KernelSpec
import TensorProgram

/// Statements: loops with their remainders, stores, reductions and scans.
extension CWriter {
  mutating func statements(_ body: [TileStatement]) {
    for statement in body { write(statement) }
  }

  /// Statements for every interleaved point: passes and scans together, others one point after the other.
  mutating func interleaved(_ body: [TileStatement]) {
    for statement in body {
      if case .pass(let pass) = statement {
        write(pass)
      } else if case .scan(let scan) = statement, writeVectors(scan) {
        continue
      } else {
        forEachRow { $0.write(statement) }
      }
    }
  }

  /// Runs `body` for each interleaved point, or once without.
  mutating func forEachRow(_ body: (inout CWriter) -> Void) {
    for row in 0..<(rows?.count ?? 1) {
      rows?.current = row
      body(&self)
    }
  }

  private mutating func write(_ statement: TileStatement) {
    switch statement {
    case .loop(let loop, let body): write(loop, body)
    case .store(let store): write(store)
    case .reduce(let reduction): write(reduction)
    case .scan(let scan): write(scan)
    case .pass(let pass): write(pass)
    case .scatter(let scatter): write(scatter)
    case .sort(let sort): write(sort)
    }
  }

  mutating func write(_ loop: TileLoop, _ body: [TileStatement]) {
    let name = name(of: loop.axis)
    let (lower, upper) = limits(of: loop)
    guard loop.lanes > 1, dialect == .c else {
      let saved = lanes
      if loop.isGridTile { lanes = LaneContext(axis: loop.axis, width: 1, unroll: 1) }
      block("for (\(dialect.indexType) \(name) = \(lower); \(name) < \(upper); \(name)++)") {
        $0.statements(body)
      }
      lanes = saved
      return
    }
    block("") { writer in
      writer.line("int64_t \(name) = \(lower);")
      for (width, unroll) in loop.passes {
        let step = width * unroll
        let saved = writer.lanes
        writer.lanes = LaneContext(axis: loop.axis, width: width, unroll: unroll)
        writer.block("for (; \(name) + \(step) <= \(upper); \(name) += \(step))") { writer in
          for prefetch in width > 1 ? loop.prefetches : [] {
            for copy in 0..<unroll { writer.write(prefetch, copy, width: width) }
          }
          writer.statements(body)
        }
        writer.lanes = saved
      }
      guard loop.endsWithVector, loop.range.count % loop.lanes > 0 else { return }
      let saved = writer.lanes
      writer.lanes = LaneContext(axis: loop.axis, width: loop.lanes, unroll: 1)
      writer.line("\(name) = \(loop.range.upperBound - loop.lanes);")
      writer.block("") { $0.statements(body) }
      writer.lanes = saved
    }
  }

  /// The C text of the first value and the end of a loop.
  private mutating func limits(of loop: TileLoop) -> (String, String) {
    guard loop.isGridTile else { return ("\(loop.range.lowerBound)", "\(loop.range.upperBound)") }
    let tile = "t\(loop.axis.id)"
    let lower = loop.range.lowerBound
    let upper = loop.range.upperBound
    return (
      lower == 0 ? "\(tile)_from" : "(\(tile)_from > \(lower) ? \(tile)_from : \(lower))",
      upper == loop.axis.extent ? "\(tile)_to" : "(\(tile)_to < \(upper) ? \(tile)_to : \(upper))"
    )
  }

  /// Runs `body` for each interleaved vector of the lane loop that statements stand in, or once without.
  mutating func forEachCopy(_ body: (inout CWriter, Int) -> Void) {
    guard let context = lanes else { return body(&self, 0) }
    for copy in 0..<context.unroll {
      lanes?.copy = copy
      body(&self, copy)
    }
    lanes = context
  }

  /// The width of the vectors that statements compute now.
  var width: Int { lanes?.width ?? 1 }

  mutating func value(_ expression: Expression) -> String {
    guard let lanes, lanes.width > 1 else { return scalar(expression) }
    return vector(expression, lanes)
  }

  private mutating func write(_ store: TileStore) {
    forEachCopy { writer, _ in writer.writeCopy(of: store) }
  }

  /// Writes a store for the interleaved vector that is being written.
  mutating func writeCopy(of store: TileStore) {
    let type = dtypes[store.output.position]
    let expression = store.value.dtype == type ? store.value : .cast(type, store.value)
    put(value(expression), type, store.output, store.index, isStreaming: store.isStreaming)
  }

  /// Stores a value, which is of the buffer's type: a vector in a lane loop, else a scalar.
  mutating func put(
    _ value: String, _ type: DType, _ output: BufferID, _ index: Index, isStreaming: Bool
  ) {
    guard let lanes, lanes.width > 1 else {
      let element = "\(name(of: output))[\(address(output, index))]"
      return line("\(element) = \(value);")
    }
    let isPerLane = scratch[output]?.isPerLane == true
    let affine = AffineIndex(index)
    let isContiguous =
      isPerLane || affine.isLinear(in: lanes.axis) && affine.coefficient(of: lanes.axis) == 1
    guard isContiguous else { return scatter(value, type, output, index, lanes) }
    let start = isPerLane || lanes.copy == 0 ? "" : " + \(lanes.copy * lanes.width)"
    let place = "\(name(of: output)) + \(address(output, index))\(start)"
    let function = isStreaming ? "stream" : "store"
    line("\(call(function, type, lanes: lanes.width, place, value));")
  }

  private mutating func scatter(
    _ value: String, _ type: DType, _ output: BufferID, _ index: Index, _ lanes: LaneContext
  ) {
    let whole = fresh("v")
    let lane = fresh("l")
    line("const \(vectorType(type, lanes.width)) \(whole) = \(value);")
    oneLane(lane, lanes) { writer in
      let place = "\(writer.name(of: output))[\(writer.address(output, index))]"
      writer.line("\(place) = \(type == .bool ? "-" : "")\(whole)[\(lane)];")
    }
  }
}

// MARK: - Reductions and scans

extension CWriter {
  private mutating func write(_ reduction: TileReduction) {
    guard !writeVectors(reduction) else { return }
    writeInStep(reduction.accumulatingHalvesWide)
  }

  /// A reduction whose lanes, if any, are of the surrounding loop.
  mutating func writeInStep(_ reduction: TileReduction) {
    if reduction.isLongSum { return writeLongSum(reduction) }
    block("") { writer in
      let parts = writer.declareParts(reduction.combiner, reduction.value.dtype)
      writer.nest(reduction.axes[...]) { writer in
        let position = rowMajorPosition(of: reduction.axes)
        writer.fetchAhead(reduction)
        writer.forEachCopy { writer, copy in
          writer.combine(parts[copy], reduction.combiner, reduction.value, position: position)
        }
      }
      writer.forEachCopy { writer, copy in
        writer.putResult(parts[copy], reduction)
      }
    }
  }

  private mutating func write(_ scan: TileScan) {
    guard !writeVectors(scan) else { return }
    block("") { writer in
      let value = scan.value.dtype.isHalf ? Expression.cast(.f32, scan.value) : scan.value
      let parts = writer.declareParts(scan.combiner, value.dtype)
      writer.nest([scan.axis]) { writer in
        writer.forEachCopy { writer, copy in
          writer.combine(parts[copy], scan.combiner, value, position: .axis(scan.axis))
          let type = scan.combiner.isArgument ? DType.i64 : value.dtype
          writer.putConverted(parts[copy].result, type, scan.output, scan.index)
        }
      }
    }
  }

  /// A running combination: a variable, and for arguments one more for the position.
  struct Part {
    var best: String
    var position: String?
    var result: String { position ?? best }
  }

  mutating func declareParts(_ combiner: Combiner, _ type: DType) -> [Part] {
    (0..<(lanes?.unroll ?? 1)).map { _ in declarePart(combiner, type, width: width) }
  }

  mutating func declarePart(_ combiner: Combiner, _ type: DType, width: Int) -> Part {
    let name = fresh("a")
    let identity = dialect.identity(of: combiner, type)
    line("\(registerType(type, width)) \(name) = \(constant(identity, type, width));")
    guard combiner.isArgument else { return Part(best: name) }
    line("\(registerType(.i64, width)) \(name)_at = \(constant("0", .i64, width));")
    return Part(best: name, position: "\(name)_at")
  }

  func registerType(_ type: DType, _ width: Int) -> String {
    width == 1 ? dialect.scalarType(type) : vectorType(type, width)
  }

  mutating func constant(_ text: String, _ type: DType, _ width: Int) -> String {
    width == 1 ? text : call("set", type, lanes: width, text)
  }

  mutating func nest(_ axes: ArraySlice<Axis>, _ body: (inout CWriter) -> Void) {
    guard let axis = axes.first else { return body(&self) }
    let name = name(of: axis)
    block("for (\(dialect.indexType) \(name) = 0; \(name) < \(axis.extent); \(name)++)") {
      $0.nest(axes.dropFirst(), body)
    }
  }

  /// Combines the value of an expression into a part.
  mutating func combine(
    _ part: Part, _ combiner: Combiner, _ expression: Expression, position: Index
  ) {
    let type = expression.dtype
    let value = value(expression)
    guard let at = part.position else {
      return line("\(part.best) = \(combined(combiner, part.best, value, type, width));")
    }
    let new = fresh("v")
    line("const \(registerType(type, width)) \(new) = \(value);")
    let place = self.value(.index(position, .i64))
    let isLarger = combiner == .argumentOfMaximum
    let better = fresh("m")
    guard width > 1 else {
      let isNaN =
        type.isFloatingPoint ? " || (\(new) != \(new) && \(part.best) == \(part.best))" : ""
      line("const int \(better) = \(new) \(isLarger ? ">" : "<") \(part.best)\(isNaN);")
      line("\(part.best) = \(better) ? \(new) : \(part.best);")
      return line("\(at) = \(better) ? \(place) : \(at);")
    }
    var mask = vectorBinary(isLarger ? .greater : .less, new, part.best, type, width)
    if type.isFloatingPoint {
      let isNaN = vectorBinary(.notEqual, new, new, type, width)
      mask += " | (\(isNaN) & \(vectorBinary(.equal, part.best, part.best, type, width)))"
    }
    line("const \(vectorType(.i32, width)) \(better) = \(mask);")
    let best = call("select", type, lanes: width, better, new, part.best)
    line("\(part.best) = \(best);")
    line("\(at) = \(call("select", .i64, lanes: width, better, place, at));")
  }

  mutating func combined(
    _ combiner: Combiner, _ first: String, _ second: String, _ type: DType, _ width: Int
  ) -> String {
    let operation = combiner.operation
    return width == 1
      ? binary(operation, first, second, type)
      : vectorBinary(operation, first, second, type, width)
  }

  mutating func putResult(_ part: Part, _ reduction: TileReduction) {
    let type = reduction.combiner.isArgument ? DType.i64 : reduction.value.dtype
    putConverted(part.result, type, reduction.output, reduction.index)
  }

  private mutating func putConverted(
    _ value: String, _ type: DType, _ output: BufferID, _ index: Index
  ) {
    let target = dtypes[output.position]
    let converted =
      width == 1
      ? scalarCast(value, from: type, to: target)
      : vectorCast(value, from: type, to: target, width)
    put(converted, target, output, index, isStreaming: false)
  }
}

extension TileLoop {
  /// The loops that cover the range one after the other: interleaved vectors, single vectors, single elements.
  var passes: [(width: Int, unroll: Int)] {
    var passes: [(width: Int, unroll: Int)] = []
    if unroll > 1 && range.count >= lanes * unroll { passes.append((lanes, unroll)) }
    if range.count >= lanes { passes.append((lanes, 1)) }
    if !endsWithVector { passes.append((1, 1)) }
    return passes
  }

  /// Whether what is left at the end is a vector of its own.
  var endsWithVector: Bool { overlapsItself && !isGridTile && range.count >= lanes }
}

extension TileReduction {
  /// The reduction with 16-bit floating-point values combined as `f32`.
  var accumulatingHalvesWide: TileReduction {
    guard value.dtype.isHalf else { return self }
    var wide = self
    wide.value = .cast(.f32, value)
    return wide
  }
}

/// The position among all values of `axes`, counted row by row.
func rowMajorPosition(of axes: [Axis]) -> Index {
  axes.reduce(Index.constant(0)) { .sum(.product($0, $1.extent), .axis($1)) }
}

extension Combiner {
  var isArgument: Bool { self == .argumentOfMaximum || self == .argumentOfMinimum }

  /// The operator that combines two values; for arguments, that of the values compared.
  var operation: BinaryOperator {
    switch self {
    case .sum: .add
    case .product: .multiply
    case .maximum, .argumentOfMaximum: .maximum
    case .minimum, .argumentOfMinimum: .minimum
    case .any: .logicalOr
    case .all: .logicalAnd
    }
  }
}

extension CDialect {
  /// The value that changes nothing when combined, as a scalar constant.
  func identity(of combiner: Combiner, _ type: DType) -> String {
    switch combiner {
    case .sum, .any: type.isFloatingPoint ? real(0, type) : integer(0, type)
    case .product, .all: type.isFloatingPoint ? real(1, type) : integer(1, type)
    case .maximum, .argumentOfMaximum:
      type.isFloatingPoint ? real(-.infinity, type) : integer(type.smallestInteger, type)
    case .minimum, .argumentOfMinimum:
      type.isFloatingPoint ? real(.infinity, type) : integer(type.largestInteger, type)
    }
  }
}

extension DType {
  var smallestInteger: Int64 {
    switch self {
    case .i64: .min
    case .i32: Int64(Int32.min)
    case .i16: Int64(Int16.min)
    case .i8: Int64(Int8.min)
    default: 0
    }
  }

  var largestInteger: Int64 {
    switch self {
    case .i64: .max
    case .i32: Int64(Int32.max)
    case .i16: Int64(Int16.max)
    case .i8: Int64(Int8.max)
    case .u8: 255
    default: 1
    }
  }
}
