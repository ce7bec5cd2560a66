import KernelSpec
import TensorProgram

/// Loops whose own axis runs as lanes: stores and reductions of one pass over a row.
///
/// What is left when the axis is no multiple of a vector is one more vector that ends with the axis: it repeats
/// elements of the one before it, which changes no store, no maximum and no minimum; sums and products leave
/// those elements out.
extension CWriter {
  mutating func write(_ pass: TilePass) {
    writeTogether((rows?.inStep ?? 0..<1).map { (row: $0, pass: pass) })
  }

  /// The passes of pipelined points in one loop, and then what else their steps do.
  mutating func together(_ steps: [ArraySlice<TileStatement>]) {
    writeTogether(
      steps.enumerated().compactMap { row, step in
        if case .pass(let pass)? = step.first { (row: row, pass: pass) } else { nil }
      })
    for (row, step) in steps.enumerated() {
      rows?.current = row
      statements(Array(step.dropFirst()))
    }
  }

  /// Passes of the same extent, each for one of the points that are under way.
  private mutating func writeTogether(_ passes: [(row: Int, pass: TilePass)]) {
    guard let first = passes.first?.pass else { return }
    let width = vectorWidth(first.axis, wanted: first.lanes)
    let parts = passes.map { row, pass in
      VectorPass.Part(
        row: row, lane: pass.axis, members: pass.members.map(\.accumulatingHalvesWide),
        prefetches: pass.prefetches)
    }
    guard width > 1, parts.flatMap(\.members).allSatisfy(\.hasVectorForm) else {
      for (row, pass) in passes {
        rows?.current = row
        writeApart(pass)
      }
      return
    }
    writeVectors(
      VectorPass(
        outer: [], extent: first.axis.extent, parts: parts, width: width,
        unroll: passes.map(\.pass.unroll).max() ?? 1))
  }

  /// Whether the reduction, which stands in no lane loop, was written with its last axis as lanes.
  mutating func writeVectors(_ reduction: TileReduction) -> Bool {
    let reduction = reduction.accumulatingHalvesWide
    guard lanes == nil, !reduction.combiner.isArgument, let last = reduction.axes.last else {
      return false
    }
    let width = vectorWidth(last, wanted: reduction.lanes)
    guard width > 1 else { return false }
    let part = VectorPass.Part(
      row: rows?.current ?? 0, lane: last, members: [.reduce(reduction)], prefetches: [])
    writeVectors(
      VectorPass(
        outer: Array(reduction.axes.dropLast()), extent: last.extent, parts: [part], width: width,
        unroll: reduction.accumulators))
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

  /// One loop over rows, brought to a form in which all it does has vectors of `width` lanes.
  private struct VectorPass {
    /// The loops around that of the lanes.
    var outer: [Axis]
    /// The iterations that run as lanes.
    var extent: Int
    var parts: [Part]
    var width: Int
    var unroll: Int

    var rest: Int { extent % width }

    /// Whether rounding errors grow with the number of values that an accumulator takes.
    var hasSum: Bool {
      parts.contains { part in
        part.members.contains { member in
          guard case .reduce(let reduction) = member else { return false }
          return reduction.combiner == .sum && reduction.value.dtype.isFloatingPoint
        }
      }
    }

    /// How many values an accumulator takes in the loop of the lanes, at most.
    private var innerCount: Int { extent / (width * unroll) + 2 }

    /// Whether what some of the innermost loops add up is added up apart.
    var addsInRuns: Bool {
      hasSum && !outer.isEmpty && outer.reduce(innerCount) { $0 * $1.extent } > longestRun
    }

    /// The loops around that of the lanes which make up a run with it.
    var axesOfRun: ArraySlice<Axis> {
      var count = innerCount
      var run = outer[outer.endIndex...]
      guard addsInRuns else { return run }
      for axis in outer.reversed() {
        count *= max(axis.extent, 1)
        guard count <= longestRun else { break }
        run = outer[(run.startIndex - 1)...]
      }
      return run
    }

    /// What an iteration does for one point.
    struct Part {
      var row: Int
      /// The axis of the lanes, as the part knows it.
      var lane: Axis
      var members: [TilePass.Member]
      var prefetches: [TilePrefetch]
    }
  }

  /// The partial results of one reduction.
  private struct Accumulator {
    var parts: [Part]
    /// A vector that notes the lanes which have met NaN, beside maxima and minima that ignore it.
    var notNumbers: String?
  }

  private mutating func writeVectors(_ pass: VectorPass) {
    let counter = pass.parts.first.map { name(of: $0.lane) } ?? ""
    let names = axisNames
    for part in pass.parts { axisNames[part.lane] = counter }
    block("") { writer in
      let accumulators = pass.parts.map { part in
        part.members.map { writer.accumulator(of: $0, pass) }
      }
      let run = pass.axesOfRun
      writer.nest(pass.outer.dropLast(run.count)) { writer in
        guard pass.addsInRuns else { return writer.writeLoops(pass, counter, accumulators) }
        writer.writeRun(pass, accumulators) { writer, ofRun in
          writer.nest(run) { $0.writeLoops(pass, counter, ofRun) }
        }
      }
      for (part, ofPart) in zip(pass.parts, accumulators) {
        writer.rows?.current = part.row
        for case (.reduce(let reduction), let accumulator?) in zip(part.members, ofPart) {
          writer.finish(reduction, accumulator, width: pass.width)
        }
      }
    }
    axisNames = names
  }

  /// - Parameter totals: what the accumulator of a run goes into; its note of NaN serves both.
  private mutating func accumulator(
    of member: TilePass.Member, _ pass: VectorPass, within totals: Accumulator? = nil
  ) -> Accumulator? {
    guard case .reduce(let reduction) = member else { return nil }
    let type = reduction.value.dtype
    let parts = (0..<max(pass.unroll, 1)).map { _ in
      declarePart(reduction.combiner, type, width: pass.width)
    }
    guard reduction.tracksNaN else { return Accumulator(parts: parts) }
    if let totals { return Accumulator(parts: parts, notNumbers: totals.notNumbers) }
    let name = fresh("n")
    line("\(vectorType(Self.maskType(type), pass.width)) \(name) = {0};")
    return Accumulator(parts: parts, notNumbers: name)
  }

  /// What comparisons of vectors give for each lane.
  private static func maskType(_ type: DType) -> DType { type == .f64 ? .i64 : .i32 }

  private mutating func writeLoops(
    _ pass: VectorPass, _ counter: String, _ accumulators: [[Accumulator?]]
  ) {
    let step = pass.width * pass.unroll
    let (whole, full) = (pass.extent - pass.extent % step, pass.extent - pass.rest)
    line("int64_t \(counter) = 0;")
    if whole > 0 && pass.unroll > 1 {
      writeLoop(pass, counter, to: whole, unroll: pass.unroll, accumulators)
    }
    if full > (pass.unroll > 1 ? whole : 0) {
      writeLoop(pass, counter, to: full, unroll: 1, accumulators)
    }
    guard pass.rest > 0 else { return }
    line("\(counter) = \(pass.extent - pass.width);")
    writeCopies(pass, unroll: 1, accumulators, fresh: pass.rest)
  }

  /// The vectors from where the counter is to an end, in runs where there are too many for one.
  private mutating func writeLoop(
    _ pass: VectorPass, _ counter: String, to end: Int, unroll: Int,
    _ accumulators: [[Accumulator?]]
  ) {
    let step = pass.width * unroll
    let isLong = pass.hasSum && end > step * longestRun
    guard isLong else {
      return block("for (; \(counter) < \(end); \(counter) += \(step))") {
        $0.writeCopies(pass, unroll: unroll, accumulators)
      }
    }
    block("while (\(counter) < \(end))") { writer in
      let next = "\(counter) + \(step * longestRun)"
      writer.line("const int64_t \(counter)_end = \(next) < \(end) ? \(next) : \(end);")
      writer.writeRun(pass, accumulators) { writer, ofRun in
        writer.block("for (; \(counter) < \(counter)_end; \(counter) += \(step))") {
          $0.writeCopies(pass, unroll: unroll, ofRun)
        }
      }
    }
  }

  /// What `body` combines into accumulators of its own goes into `totals` at its end.
  private mutating func writeRun(
    _ pass: VectorPass, _ totals: [[Accumulator?]],
    _ body: (inout CWriter, [[Accumulator?]]) -> Void
  ) {
    block("") { writer in
      let ofRun = zip(pass.parts, totals).map { part, totals in
        zip(part.members, totals).map { writer.accumulator(of: $0, pass, within: $1) }
      }
      body(&writer, ofRun)
      for (part, (totals, ofRun)) in zip(pass.parts, zip(totals, ofRun)) {
        for (member, (total, run)) in zip(part.members, zip(totals, ofRun)) {
          guard case .reduce(let reduction) = member, let total, let run else { continue }
          for (total, run) in zip(total.parts, run.parts) {
            let sum = writer.combined(total.best, run.best, reduction, pass.width)
            writer.line("\(total.best) = \(sum);")
          }
        }
      }
    }
  }

  /// - Parameter fresh: how many lanes, the last ones, no other vector has had; `nil` for all.
  private mutating func writeCopies(
    _ pass: VectorPass, unroll: Int, _ accumulators: [[Accumulator?]], fresh: Int? = nil
  ) {
    var seen = pass.parts.map { $0.members.map { _ in [String]() } }
    for copy in 0..<unroll {
      for (slot, part) in pass.parts.enumerated() {
        rows?.current = part.row
        lanes = LaneContext(axis: part.lane, width: pass.width, unroll: unroll, copy: copy)
        for prefetch in part.prefetches { write(prefetch, copy, width: pass.width) }
        for (position, member) in part.members.enumerated() {
          switch member {
          case .store(let store): writeCopy(of: store)
          case .reduce(let reduction):
            guard let accumulator = accumulators[slot][position] else { continue }
            seen[slot][position].append(
              add(reduction, to: accumulator.parts[copy], width: pass.width, fresh: fresh))
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

  /// Fetches what a vector, one of several interleaved ones, will read or write.
  mutating func write(_ prefetch: TilePrefetch, _ copy: Int, width: Int) {
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
    line("\(part.best) = \(combined(part.best, name, reduction, width));")
    return name
  }

  private mutating func finish(
    _ reduction: TileReduction, _ accumulator: Accumulator, width: Int
  ) {
    let type = reduction.value.dtype
    let whole = pairwise(accumulator.parts.map(\.best), reduction, width)
    var result = call("reduce_\(reduction.laneFunction)", type, lanes: width, whole)
    if let notNumbers = accumulator.notNumbers {
      let any = call("reduce_logicalOr", Self.maskType(type), lanes: width, notNumbers)
      result = "\(any) ? \(dialect.notANumber(type)) : \(result)"
    }
    let name = fresh("a")
    line("const \(dialect.scalarType(type)) \(name) = \(result);")
    putResult(Part(best: name), reduction)
  }

  private mutating func pairwise(_ values: [String], _ reduction: TileReduction, _ width: Int)
    -> String
  {
    guard values.count > 1 else { return values[0] }
    let half = values.count / 2
    let first = pairwise(Array(values[..<half]), reduction, width)
    let second = pairwise(Array(values[half...]), reduction, width)
    return combined(first, second, reduction, width)
  }

  private mutating func combined(
    _ first: String, _ second: String, _ reduction: TileReduction, _ width: Int
  ) -> String {
    let type = reduction.value.dtype
    return reduction.tracksNaN
      ? call(reduction.laneFunction, type, lanes: width, first, second)
      : combined(reduction.combiner, first, second, type, width)
  }
}

/// How many bytes one prefetch brings.
private let cacheLineBytes = 64

extension TileReduction {
  /// Whether the values may be NaN and the combiner is one whose own way of passing NaN on is slow.
  fileprivate var tracksNaN: Bool {
    value.dtype.isFloatingPoint && (combiner == .maximum || combiner == .minimum)
  }

  /// The library's function that combines two values of the reduction where neither is NaN.
  fileprivate var laneFunction: String {
    guard tracksNaN else { return combiner.operation.rawValue }
    return combiner == .maximum ? "larger" : "smaller"
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
