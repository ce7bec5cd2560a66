import KernelSpec
import TensorProgram

/// The statements of the reference that reduce: a loop nest for all elements that the outermost axis does not tell
/// apart.
struct ReferenceReduction {
  let stage: ReferenceStage
  let tiling: ReferenceTiling
  private let axes: [Axis]
  private let combiner: Combiner
  private let guards: [Expression]
  private let value: Expression
  /// The axis of the output along which the innermost loop runs, with an accumulator for each of its elements.
  private let row: Axis?

  init(_ stage: ReferenceStage, _ axes: [Axis], _ combiner: Combiner, _ value: Expression) {
    self.stage = stage
    self.axes = axes
    self.combiner = combiner
    let (guards, value) = value.guarded(in: combiner)
    self.guards = guards
    self.value = value
    let order = LoopOrder(value, in: stage.program)
    row = stage.inner.last.flatMap {
      !combiner.isArgument && order.prefers($0, to: axes.last) ? $0 : nil
    }
    let term = stage.printer.summand(value, in: combiner)
    let isWorthIt =
      combiner == .sum && value.dtype.isFloatingPoint
      && stage.stage.iterationCount >= stage.largeSum
      && term.text.utf8.count <= 1500
    tiling =
      isWorthIt
      ? ReferenceTiling(
        of: value, over: axes, guards: guards, row: row, in: stage.stage, isExact: term.isExact)
      : .none
  }

  var text: [String] {
    let divided = Set(tiling.elements.map(\.axis))
    let inner = row == nil ? stage.inner : stage.inner.dropLast()
    let outside = inner.filter { !divided.contains($0) }
    let parts = tiling.elements.filter { inner.contains($0.axis) }
    let heads = parts.map { part in
      let first = ReferenceTiling.first(of: part.axis)
      return
        "for (int64_t \(first) = 0; \(first) < \(part.axis.extent); \(first) += \(part.count)) {"
    }
    let body = row.map(rows) ?? sums
    return stage.nest(outside[...], heads + body + heads.map { _ in "}" })
  }

  /// The values of the divided axes for each element that is computed at once.
  private var places: [String] { tiling.declarations(outermost: stage.stage.domain.first) }

  private func accumulation(_ element: String, _ length: String) -> ReferenceAccumulation {
    let position = axes.reduce("0") { "(\($0)) * \($1.extent) + i\($1.id)" }
    return ReferenceAccumulation(
      combiner, stage.printer.summand(value, in: combiner), stage.printer,
      count: "\(axes.reduce(1) { $0 * $1.extent })", position: position, element: element,
      length: length)
  }

  /// One accumulator for each element; the innermost loop runs along the last reduced axis.
  private var sums: [String] {
    let places = places
    let isPlain = tiling.elements.isEmpty
    let sums = places.indices.map {
      isPlain ? accumulation("", "") : accumulation("[\($0)]", "[\(places.count)]")
    }
    var loops = GuardedLoops(guards, known: Set(stage.stage.domain), printer: stage.printer)
    for axis in axes { loops.open(axis) }
    let steps = zip(places, sums).flatMap { braced($0, $1.step) }
    let stores = zip(places, sums).flatMap { braced($0, [stage.store($1.result)]) }
    return (sums.first?.declarations ?? []) + sums.flatMap(\.start) + loops.around(steps) + stores
  }

  /// A row of accumulators for each element.
  private func rows(_ row: Axis) -> [String] {
    let name = "i\(row.id)"
    let loop = "for (int64_t \(name) = from; \(name) < to; \(name)++) {"
    let length = tiling.elements.isEmpty ? 1024 : 256
    let places = places
    let isPlain = tiling.elements.isEmpty
    let sums = places.indices.map {
      accumulation(
        (isPlain ? "" : "[\($0)]") + "[\(name) - from]",
        (isPlain ? "" : "[\(places.count)]") + "[\(length)]")
    }
    let steps = zip(places, sums).map { (place: $0, step: $1.step) }
    let start = sums.flatMap { [loop] + $0.start + ["}"] }
    let stores = zip(places, sums).flatMap {
      braced($0, [loop, stage.store($1.result), "}"])
    }
    let tiles =
      [
        "for (int64_t from = 0; from < \(row.extent); from += \(length)) {",
        "const int64_t to = earliest(from + \(length), \(row.extent));",
      ] + (sums.first?.declarations ?? [])
    return tiles + start + terms(along: row, steps) + stores + ["}"]
  }

  /// The loops over the reduced axes and the row that take each term in.
  private func terms(along row: Axis, _ steps: [(place: String, step: [String])]) -> [String] {
    var loops = GuardedLoops(
      guards, known: Set(stage.stage.domain).subtracting([row]), printer: stage.printer)
    for axis in axes where axis != tiling.terms?.axis { loops.open(axis) }
    func inside(_ loops: GuardedLoops, _ values: [String]) -> [String] {
      var loops = loops
      loops.open(row, from: "from", to: "to")
      return loops.around(
        steps.flatMap { place, step in values.flatMap { braced(place + $0, step) } })
    }
    guard let part = tiling.terms else { return inside(loops, [""]) }
    let axis = part.axis
    let whole = axis.extent / part.count * part.count
    func block(_ count: Int, from: Int, to: Int) -> [String] {
      if from == to { return [] }
      var loops = loops
      loops.open(axis, inPartsOf: count, from: from, to: to)
      return inside(
        loops,
        (0..<count).map {
          "const int64_t i\(axis.id) = \(ReferenceTiling.first(of: axis)) + \($0); "
        })
    }
    return block(part.count, from: 0, to: whole) + block(1, from: whole, to: axis.extent)
  }

  /// Statements in a scope with declarations; without one when there are none.
  private func braced(_ declarations: String, _ statements: [String]) -> [String] {
    declarations.isEmpty ? statements : ["{ \(declarations)"] + statements + ["}"]
  }
}

extension ReferencePrinter {
  /// A value as what `combiner` takes in.
  func summand(_ value: Expression, in combiner: Combiner) -> ReferenceTerm {
    combiner == .sum ? summand(value) : term(value)
  }
}
