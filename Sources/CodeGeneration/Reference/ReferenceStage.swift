import KernelSpec
import TensorProgram

/// The reference's function for one stage: called for each value of the outermost axis of its domain.
struct ReferenceStage {
  let position: Int
  let stage: Stage
  let program: TensorProgram
  /// Whether what is stored has the precision of the output's type.
  let rounds: Bool

  init(position: Int, program: TensorProgram, observed: Set<BufferID>) {
    self.position = position
    self.program = program
    stage = program.stages[position]
    rounds = observed.contains(stage.output) && stage.roundsItsResult(in: program)
  }

  var text: String {
    let outermost =
      stage.isOrdered
      ? nil : stage.domain.first.map { "  const int64_t i\($0.id) = index; (void)i\($0.id);" }
    let lines =
      [
        "static void stage\(position)(void *argument, int64_t index, int32_t thread) {",
        "  reference_call *call = argument;", "  (void)index; (void)thread;",
        outermost ?? "",
      ] + declarations + body + ["}", ""]
    return lines.joined(separator: "\n")
  }

  var printer: ReferencePrinter { ReferencePrinter(program: program) }

  private var declarations: [String] {
    var buffers: Set<BufferID> = []
    for (buffer, _) in stage.loads { buffers.insert(buffer) }
    let loads = buffers.sorted { $0.position < $1.position }.map { buffer in
      "  const \(printer.elementType(of: buffer)) *b\(buffer.position) = call->buffer[\(buffer.position)];"
    }
    let type = printer.elementType(of: stage.output)
    return loads + ["  \(type) *restrict out = call->buffer[\(stage.output.position)];"]
  }

  private var inner: ArraySlice<Axis> { stage.domain.dropFirst() }

  var place: String {
    let strides = TensorType.contiguousStrides(program[stage.output].type.shape)
    let terms = zip(stage.domain, strides).map { "i\($0.id) * \($1)" }
    return terms.isEmpty ? "0" : terms.joined(separator: " + ")
  }

  func store(_ value: String, _ type: DType) -> String {
    let target = program[stage.output].type.dtype
    let converted = printer.cast(value, from: type, to: target)
    return "out[\(place)] = \(rounds ? "to_\(target.rawValue)(\(converted))" : converted);"
  }

  private var body: [String] {
    switch stage.body {
    case .map(let value):
      return nest(inner, [store(printer.text(value), value.dtype)])
    case .reduce(let axes, let combiner, let value):
      if let last = inner.last, !combiner.isArgument, runsAlong(last, insteadOf: axes.last, value) {
        return rows(last, axes, combiner, value)
      }
      let (start, step, result) = steps(combiner, value, position: rowMajor(axes))
      return nest(
        inner, start + nest(axes[...], step) + [store(result, resultType(combiner, value))])
    case .scan(let dimension, let combiner, let value):
      return scan(stage.domain[dimension], combiner, value)
    case .scatter(let scatter): return self.scatter(scatter)
    case .sort(let sort): return order(sort)
    }
  }

  private func scan(_ axis: Axis, _ combiner: Combiner, _ value: Expression) -> [String] {
    let (start, step, result) = steps(combiner, value, position: "i\(axis.id)")
    let write = store(result, resultType(combiner, value))
    guard axis != stage.domain.first else {
      // The outermost axis is the one that runs in parallel: the scan starts anew for each of its values.
      let upTo = "for (int64_t i = 0; i <= index; i++) { const int64_t i\(axis.id) = i;"
      return nest(inner, start + [upTo] + step + ["}", write])
    }
    let others = inner.filter { $0 != axis }
    return nest(others[...], start + nest([axis], step + [write]))
  }

  private func resultType(_ combiner: Combiner, _ value: Expression) -> DType {
    combiner.isArgumentOfReference ? .i64 : value.dtype
  }

  private func rowMajor(_ axes: [Axis]) -> String {
    axes.reduce("0") { "(\($0)) * \($1.extent) + i\($1.id)" }
  }

  /// Whether the innermost loop should run along `axis`, for the order in which memory is read.
  private func runsAlong(_ axis: Axis, insteadOf reduced: Axis?, _ value: Expression) -> Bool {
    guard let reduced else { return true }
    var score = 0
    value.visit { part in
      guard case .load(_, _, let indices) = part, let last = indices.last else { return }
      score += (last.uses(axis) ? 1 : 0) - (last.uses(reduced) ? 1 : 0)
    }
    return score >= 0
  }

  /// A reduction with a row of accumulators along the last axis of the output.
  private func rows(_ last: Axis, _ axes: [Axis], _ combiner: Combiner, _ value: Expression)
    -> [String]
  {
    let type = value.dtype.isFloatingPoint ? "double" : "int64_t"
    let name = "i\(last.id)"
    let loop = "for (int64_t \(name) = from; \(name) < to; \(name)++)"
    let new = "row[\(name) - from]"
    let step = "\(new) = \(printer.combined(combiner, new, printer.text(value), value.dtype));"
    let chunk =
      ["\(loop) \(new) = \(printer.identity(combiner, value.dtype));"]
      + nest(axes[...], ["\(loop) \(step)"])
      + ["\(loop) \(store(new, value.dtype))"]
    let tiles =
      [
        "for (int64_t from = 0; from < \(last.extent); from += 1024) {",
        "const int64_t to = from + 1024 < \(last.extent) ? from + 1024 : \(last.extent);",
        "\(type) row[1024];",
      ] + chunk + ["}"]
    return nest(inner.dropLast(), tiles)
  }

  /// The statements that start a combination, take one value in, and the text of the result.
  private func steps(_ combiner: Combiner, _ value: Expression, position: String)
    -> ([String], [String], String)
  {
    let type = value.dtype.isFloatingPoint ? "double" : "int64_t"
    let text = printer.text(value)
    let identity = printer.identity(combiner, value.dtype)
    guard combiner.isArgumentOfReference else {
      return (
        ["\(type) sum = \(identity);"],
        ["sum = \(printer.combined(combiner, "sum", text, value.dtype));"], "sum"
      )
    }
    let sign = combiner == .argumentOfMaximum ? ">" : "<"
    return (
      ["\(type) best = \(identity);", "int64_t at = 0;"],
      [
        "{ const \(type) v = \(text);",
        "if (v \(sign) best || (v != v && best == best)) { best = v; at = \(position); } }",
      ], "at"
    )
  }

  func nest(_ axes: ArraySlice<Axis>, _ body: [String]) -> [String] {
    let heads = axes.map {
      "for (int64_t i\($0.id) = 0; i\($0.id) < \($0.extent); i\($0.id)++) {"
    }
    return heads + body + axes.map { _ in "}" }
  }
}

extension Combiner {
  fileprivate var isArgumentOfReference: Bool {
    self == .argumentOfMaximum || self == .argumentOfMinimum
  }
}
