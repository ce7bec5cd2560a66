import KernelSpec
import TensorProgram

/// Stages that store in an order of their own, as one serial run each.
extension ReferenceStage {
  func scatter(_ scatter: Scatter) -> [String] {
    let start = nest(
      stage.domain[...], [store(printer.text(scatter.initial), scatter.initial.dtype)])
    let strides = TensorType.contiguousStrides(stage.domain.map(\.extent))
    var inside = ["1"]
    var terms = ["0"]
    var targets: [String] = []
    for (dimension, index) in scatter.target.enumerated() {
      targets.append("const int64_t t\(dimension) = \(printer.text(index));")
      inside.append("t\(dimension) >= 0 && t\(dimension) < \(stage.domain[dimension].extent)")
      terms.append("t\(dimension) * \(strides[dimension])")
    }
    let output = program[stage.output].type.dtype
    let element = "out[\(terms.joined(separator: " + "))]"
    let value = printer.cast(printer.text(scatter.value), from: scatter.value.dtype, to: output)
    let stored = scatter.combiner.map { printer.combined($0, element, value, output) } ?? value
    let shared = scatter.shared(of: stage.domain)
    return start
      + nest(
        (shared + scatter.axes)[...],
        targets + ["if (\(inside.joined(separator: " && "))) \(element) = \(stored);"])
      + (rounds ? nest(stage.domain[...], [store("out[\(place)]", output)]) : [])
  }

  /// Inserts each position into those before it, after those of equal elements. Each search halves the sorted
  /// part.
  func order(_ sort: Sort) -> [String] {
    let strides = TensorType.contiguousStrides(stage.domain.map(\.extent))
    let (rank, stride) = (stage.domain[sort.dimension], strides[sort.dimension])
    let others = zip(stage.domain, strides).filter { $0.0 != rank }
    let place = others.reduce("0") { "\($0) + i\($1.0.id) * \($1.1)" }
    let type = sort.value.dtype.isFloatingPoint ? "double" : "int64_t"
    let axis = "i\(sort.axis.id)"
    let key = printer.text(sort.value)
    return nest(
      others.map(\.0)[...],
      [
        "int64_t *restrict row = out + \(place);", "int64_t size = 0;",
        "for (int64_t new = 0; new < \(sort.axis.extent); new++) {",
        "\(type) x, y; int64_t from = 0, to = size;",
        "{ const int64_t \(axis) = new; x = \(key); }",
        "while (from < to) {", "const int64_t middle = (from + to) / 2;",
        "{ const int64_t \(axis) = row[middle * \(stride)]; y = \(key); }",
        "if (\(comesFirst(sort))) to = middle; else from = middle + 1;", "}",
        "if (from >= \(rank.extent)) continue;", "if (size < \(rank.extent)) size++;",
        "for (int64_t j = size - 1; j > from; j--)",
        "row[j * \(stride)] = row[(j - 1) * \(stride)];",
        "row[from * \(stride)] = new;", "}",
      ])
  }

  /// That `x` comes before `y`.
  private func comesFirst(_ sort: Sort) -> String {
    let isLess = sort.isDescending ? "x > y" : "x < y"
    guard sort.value.dtype.isFloatingPoint else { return isLess }
    return isLess + (sort.isDescending ? " || (x != x && y == y)" : " || (y != y && x == x)")
  }
}
