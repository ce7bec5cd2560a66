import KernelSpec
import TensorProgram

/// The reference's function for a stage: called for each value of the outermost axis of its domain.
struct ReferenceStage {
  let stage: Stage
  let program: TensorProgram
  let printer: ReferencePrinter
  /// Whether what is stored has the precision of the output's type.
  let rounds: Bool
  /// Whether the output has no errors.
  let isExact: Bool

  /// From how many terms on loops are arranged for speed.
  let largeSum: Int

  init(
    position: Int, program: TensorProgram, layout: ReferenceLayout, largeSum: Int = .max
  ) {
    self.program = program
    self.largeSum = largeSum
    stage = program.stages[position]
    printer = ReferencePrinter(program: program, exact: layout.exact)
    rounds = layout.observed.contains(stage.output) && stage.roundsItsResult(in: program)
    isExact = layout.exact.contains(stage.output)
  }

  /// The function, without what names it: stages that compute alike have the same text.
  var text: String {
    let outermost =
      stage.isOrdered
      ? nil : stage.domain.first.map { "  const int64_t i\($0.id) = index; (void)i\($0.id);" }
    let lines =
      [
        "(void *argument, int64_t index, int32_t thread) {",
        "  const reference_call *call = argument;", "  (void)index; (void)thread;",
        outermost ?? "",
      ] + declarations + body + ["}", ""]
    return LocalNames.renumbered(lines.joined(separator: "\n"))
  }

  /// What the function is called with, in order: the buffers that the stage reads, and its output.
  var buffers: [BufferID] {
    Set(stage.loads.map(\.buffer)).sorted { $0.position < $1.position } + [stage.output]
  }

  private var declarations: [String] {
    let loads = buffers.dropLast().enumerated().flatMap { place, buffer -> [String] in
      let n = buffer.position
      let value = "  const \(printer.elementType(of: buffer)) *b\(n) = call->buffer[\(place)];"
      if printer.exact.contains(buffer) { return [value] }
      return [value, "  const float *e\(n) = call->error[\(place)];"]
    }
    let last = buffers.count - 1
    let type = printer.elementType(of: stage.output)
    let own = "  \(type) *restrict out = call->buffer[\(last)];"
    return loads + [own] + (isExact ? [] : ["  float *restrict err = call->error[\(last)];"])
  }

  var inner: ArraySlice<Axis> { stage.domain.dropFirst() }

  var place: String {
    let strides = TensorType.contiguousStrides(program[stage.output].type.shape)
    let terms = zip(stage.domain, strides).map { "i\($0.id) * \($1)" }
    return terms.isEmpty ? "0" : terms.joined(separator: " + ")
  }

  /// How often the function is called: a stage with an order of its own runs as a whole.
  var callCount: Int {
    guard !stage.isOrdered, let outermost = stage.domain.first else { return 1 }
    guard case .reduce(let axes, let combiner, let value) = stage.body else {
      return outermost.extent
    }
    return ReferenceReduction(self, axes, combiner, value).tiling.blocks(of: outermost)
  }

  /// The statement that stores a value at `place`, by default the element of the loops' axes.
  func store(_ value: ReferenceTerm, rounding: Bool? = nil, at place: String? = nil) -> String {
    let place = place ?? self.place
    let type = program[stage.output].type.dtype
    let stored = printer.converted(value, to: type, rounds: rounding ?? rounds)
    if isExact { return "out[\(place)] = \(stored.value);" }
    // What goes on from here goes on in f32. Of a result alone the nearest to an infinity may be told.
    let goesOn = type == .f32 && !program.outputs.contains(stage.output)
    return "{ const \(stored.boundedType) r_ = \(stored.bounded); const int64_t at_ = \(place); "
      + "out[at_] = \(goesOn ? "in_range(r_.v)" : "r_.v"); err[at_] = error(r_.q); }"
  }

  private var body: [String] {
    switch stage.body {
    case .map(let value):
      return nest(inner, [store(printer.term(value))])
    case .reduce(let axes, let combiner, let value):
      return ReferenceReduction(self, axes, combiner, value).text
    case .scan(let dimension, let combiner, let value):
      return scan(stage.domain[dimension], combiner, value)
    case .scatter(let scatter): return self.scatter(scatter)
    case .sort(let sort): return order(sort)
    case .recurrence: return []
    }
  }

  private func scan(_ axis: Axis, _ combiner: Combiner, _ value: Expression) -> [String] {
    let name = "i\(axis.id)"
    let sum = ReferenceAccumulation(
      combiner, printer.summand(value, in: combiner), printer, count: "\(name) + 1", position: name)
    let begin = sum.declarations + sum.start
    guard axis != stage.domain.first else {
      // The outermost axis is the one that runs in parallel: the scan starts anew for each of its values.
      let upTo = "for (int64_t i = 0; i <= index; i++) { const int64_t \(name) = i;"
      return nest(inner, begin + [upTo] + sum.step + ["}", store(sum.result)])
    }
    let others = inner.filter { $0 != axis }
    return nest(others[...], begin + nest([axis], sum.step + [store(sum.result)]))
  }

  func nest(_ axes: ArraySlice<Axis>, _ body: [String]) -> [String] {
    let heads = axes.map {
      "for (int64_t i\($0.id) = 0; i\($0.id) < \($0.extent); i\($0.id)++) {"
    }
    return heads + body + axes.map { _ in "}" }
  }
}
