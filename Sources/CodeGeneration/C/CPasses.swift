import KernelSpec
import TensorProgram

/// Loops whose own axis runs as lanes: stores and reductions of one pass over a row.
///
/// What is left when the axis is no multiple of a vector is one more vector that ends with the axis: it repeats
/// elements of the one before it, which changes no store, no maximum and no minimum; sums and products leave
/// those elements out.
extension CWriter {
  mutating func write(_ pass: TilePass) {
    let width = vectorWidth(pass.axis, wanted: pass.lanes)
    let members = pass.members.map(\.accumulatingHalvesWide)
    guard width > 1, members.allSatisfy(\.hasVectorForm) else {
      return forEachRow { $0.writeApart(pass) }
    }
    writeVectors(
      VectorPass(
        axes: [pass.axis], members: members, width: width, unroll: pass.unroll,
        rows: 0..<(rows?.count ?? 1), prefetches: pass.prefetches))
  }

  /// Whether the reduction, which stands in no lane loop, was written with its last axis as lanes.
  mutating func writeVectors(_ reduction: TileReduction) -> Bool {
    let reduction = reduction.accumulatingHalvesWide
    guard lanes == nil, !reduction.combiner.isArgument, let last = reduction.axes.last else {
      return false
    }
    let width = vectorWidth(last, wanted: reduction.lanes)
    guard width > 1 else { return false }
    let row = rows?.current ?? 0
    writeVectors(
      VectorPass(
        axes: reduction.axes, members: [.reduce(reduction)], width: width,
        unroll: reduction.accumulators, rows: row..<row + 1))
    return true
  }

  /// The widest vector that the axis fills, if it fills one that is worth it.
  private func vectorWidth(_ axis: Axis, wanted: Int) -> Int {
    guard dialect == .c else { return 1 }
    var width = wanted
    while width > axis.extent { width /= 2 }
    return width >= 4 ? width : 1
  }

  /// One loop for each member, without vectors.
  private mutating func writeApart(_ pass: TilePass) {
    for member in pass.members {
      switch member {
      case .store(let store):
        write(TileLoop(axis: pass.axis, range: 0..<pass.axis.extent), [.store(store)])
      case .reduce(let reduction): writeInStep(reduction.accumulatingHalvesWide)
      }
    }
  }

  // MARK: - Vectors

  /// What a pass does, brought to a form in which every member has vectors of `width` lanes.
  private struct VectorPass {
    /// The loops around the vectors, and last the axis of their lanes.
    var axes: [Axis]
    var members: [TilePass.Member]
    var width: Int
    var unroll: Int
    /// The interleaved points that the pass is written for.
    var rows: Range<Int>
    var prefetches: [TilePrefetch] = []

    var rest: Int { (axes.last?.extent ?? 0) % width }
  }

  /// The partial results of one reduction.
  private struct Accumulator {
    var parts: [Part]
    /// A vector that notes the lanes which have met NaN, beside maxima and minima that ignore it.
    var notNumbers: String?
  }

  private mutating func writeVectors(_ pass: VectorPass) {
    guard let lane = pass.axes.last else { return }
    block("") { writer in
      let accumulators = pass.rows.map { _ in
        pass.members.map { writer.accumulator(of: $0, pass) }
      }
      writer.nest(pass.axes.dropLast()) { writer in
        writer.writeLoops(pass, over: lane, accumulators)
      }
      for (row, ofRow) in zip(pass.rows, accumulators) {
        writer.rows?.current = row
        for case (.reduce(let reduction), let accumulator?) in zip(pass.members, ofRow) {
          writer.finish(reduction, accumulator, width: pass.width)
        }
      }
    }
  }

  private mutating func accumulator(of member: TilePass.Member, _ pass: VectorPass) -> Accumulator?
  {
    guard case .reduce(let reduction) = member else { return nil }
    let type = reduction.value.dtype
    let parts = (0..<max(pass.unroll, 1)).map { _ in
      declarePart(reduction.combiner, type, width: pass.width)
    }
    guard reduction.tracksNaN else { return Accumulator(parts: parts) }
    let name = fresh("n")
    line("\(maskType(type, pass.width)) \(name) = {0};")
    return Accumulator(parts: parts, notNumbers: name)
  }

  private func maskType(_ type: DType, _ width: Int) -> String {
    vectorType(type == .f64 ? .i64 : .i32, width)
  }

  private mutating func writeLoops(
    _ pass: VectorPass, over lane: Axis, _ accumulators: [[Accumulator?]]
  ) {
    let name = name(of: lane)
    let step = pass.width * pass.unroll
    let (whole, full) = (lane.extent - lane.extent % step, lane.extent - pass.rest)
    line("int64_t \(name) = 0;")
    if whole > 0 && pass.unroll > 1 {
      block("for (; \(name) < \(whole); \(name) += \(step))") {
        $0.writeCopies(pass, over: lane, unroll: pass.unroll, accumulators)
      }
    }
    if full > (pass.unroll > 1 ? whole : 0) {
      block("for (; \(name) < \(full); \(name) += \(pass.width))") {
        $0.writeCopies(pass, over: lane, unroll: 1, accumulators)
      }
    }
    guard pass.rest > 0 else { return }
    line("\(name) = \(lane.extent - pass.width);")
    writeCopies(pass, over: lane, unroll: 1, accumulators, fresh: pass.rest)
  }

  /// - Parameter fresh: how many lanes, the last ones, no other vector has had; `nil` for all.
  private mutating func writeCopies(
    _ pass: VectorPass, over lane: Axis, unroll: Int, _ accumulators: [[Accumulator?]],
    fresh: Int? = nil
  ) {
    lanes = LaneContext(axis: lane, width: pass.width, unroll: unroll)
    var seen = pass.rows.map { _ in pass.members.map { _ in [String]() } }
    forEachCopy { writer, copy in
      for (slot, row) in pass.rows.enumerated() {
        writer.rows?.current = row
        for prefetch in pass.prefetches { writer.write(prefetch, copy, width: pass.width) }
        for (position, member) in pass.members.enumerated() {
          switch member {
          case .store(let store): writer.writeCopy(of: store)
          case .reduce(let reduction):
            guard let accumulator = accumulators[slot][position] else { continue }
            let part = accumulator.parts[copy]
            seen[slot][position].append(
              writer.add(reduction, to: part, width: pass.width, fresh: fresh))
          }
        }
      }
    }
    lanes = nil
    for (accumulator, values) in zip(accumulators.joined(), seen.joined()) {
      guard let name = accumulator?.notNumbers else { continue }
      line("\(name) |= \(values.map { "(\($0) != \($0))" }.joined(separator: " | "));")
    }
  }

  private mutating func write(_ prefetch: TilePrefetch, _ copy: Int, width: Int) {
    let size = dtypes[prefetch.buffer.position].sizeBytes
    guard copy * width * size % cacheLineBytes == 0 else { return }
    for bytes in stride(from: 0, to: width * size, by: cacheLineBytes) {
      let ahead = copy * width + bytes / size
      let place = "\(name(of: prefetch.buffer)) + \(text(prefetch.index)) + \(ahead)"
      line("__builtin_prefetch(\(place)\(prefetch.isWrite ? ", 1" : ""));")
    }
  }

  /// Combines one vector into a part, and gives the name of the vector.
  private mutating func add(
    _ reduction: TileReduction, to part: Part, width: Int, fresh: Int?
  ) -> String {
    let (combiner, type) = (reduction.combiner, reduction.value.dtype)
    var value = value(reduction.value)
    if let fresh, !combiner.ignoresRepeats {
      let mask = (0..<width).map { $0 < width - fresh ? "0" : "-1" }.joined(separator: ", ")
      let identity = constant(dialect.identity(of: combiner, type), type, width)
      let lanes = "(\(vectorType(.i32, width))){\(mask)}"
      value = call("select", type, lanes: width, lanes, value, identity)
    }
    let name = self.fresh("v")
    line("const \(registerType(type, width)) \(name) = \(value);")
    let result =
      reduction.tracksNaN
      ? call(combiner == .maximum ? "larger" : "smaller", type, lanes: width, part.best, name)
      : combined(combiner, part.best, name, type, width)
    line("\(part.best) = \(result);")
    return name
  }

  private mutating func finish(
    _ reduction: TileReduction, _ accumulator: Accumulator, width: Int
  ) {
    let (combiner, type) = (reduction.combiner, reduction.value.dtype)
    var whole = pairwise(accumulator.parts.map(\.best), combiner, type, width)
    if let notNumbers = accumulator.notNumbers {
      let none = constant(dialect.notANumber(type), type, width)
      whole = call("pick", type, lanes: width, notNumbers, none, whole)
    }
    let result = call("reduce_\(combiner.operation.rawValue)", type, lanes: width, whole)
    let name = fresh("a")
    line("const \(dialect.scalarType(type)) \(name) = \(result);")
    putResult(Part(best: name), reduction)
  }

  private mutating func pairwise(
    _ values: [String], _ combiner: Combiner, _ type: DType, _ width: Int
  ) -> String {
    guard values.count > 1 else { return values[0] }
    let half = values.count / 2
    let first = pairwise(Array(values[..<half]), combiner, type, width)
    let second = pairwise(Array(values[half...]), combiner, type, width)
    return combined(combiner, first, second, type, width)
  }
}

/// How many bytes one prefetch brings.
private let cacheLineBytes = 64

extension TileReduction {
  /// Whether the values may be NaN and the combiner is one whose own way of passing NaN on is slow.
  fileprivate var tracksNaN: Bool {
    value.dtype.isFloatingPoint && (combiner == .maximum || combiner == .minimum)
  }
}

extension TilePass.Member {
  fileprivate var accumulatingHalvesWide: TilePass.Member {
    switch self {
    case .store: self
    case .reduce(let reduction): .reduce(reduction.accumulatingHalvesWide)
    }
  }

  fileprivate var hasVectorForm: Bool {
    switch self {
    case .store: true
    case .reduce(let reduction): !reduction.combiner.isArgument
    }
  }
}

extension Combiner {
  /// Whether a value that is combined twice counts once.
  fileprivate var ignoresRepeats: Bool { self != .sum && self != .product }
}
