import KernelSpec
import TensorProgram

/// Stages that store in an order of their own, as one serial run each.
extension ReferenceStage {
  func scatter(_ scatter: Scatter) -> [String] {
    let start = nest(
      stage.domain[...], [store(printer.term(scatter.initial), rounding: false)])
    let strides = TensorType.contiguousStrides(stage.domain.map(\.extent))
    var inside = ["1"]
    var terms = ["0"]
    var targets: [String] = []
    for (dimension, index) in scatter.target.enumerated() {
      targets.append("const int64_t t\(dimension) = \(printer.text(index));")
      inside.append("t\(dimension) >= 0 && t\(dimension) < \(stage.domain[dimension].extent)")
      terms.append("t\(dimension) * \(strides[dimension])")
    }
    let type = program[stage.output].type.dtype
    let make = type.isFloatingPoint ? "stored" : "stored_whole"
    let old = ReferenceTerm(
      text: isExact ? "out[at]" : "\(make)(out, err, at)", isExact: isExact, dtype: type)
    let value = printer.converted(printer.term(scatter.value), to: type, rounds: false)
    let new = scatter.combiner.map { printer.combined($0, old, value) } ?? value
    let update = "{ const int64_t at = \(terms.joined(separator: " + ")); "
    let guarded =
      "if (\(inside.joined(separator: " && "))) " + update
      + "\(store(new, rounding: false, at: "at")) }"
    let shared = scatter.shared(of: stage.domain)
    let rounded = ReferenceTerm(
      text: isExact ? "out[\(place)]" : "\(make)(out, err, \(place))", isExact: isExact,
      dtype: type)
    return start + nest((shared + scatter.axes)[...], targets + [guarded])
      + (rounds ? nest(stage.domain[...], [store(rounded)]) : [])
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
    let key = printer.term(sort.value).value
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
