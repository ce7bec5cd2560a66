/// A checked spec that leaves sizes open: one meaning for every combination of sizes in its ranges.
///
/// Two families with equal meaning give equal canonical texts, whatever their sizes and values are called. What is
/// checked here is a sample of the sizes, so that a key costs little; whoever makes a kernel takes every instance.
package struct SpecFamily: Sendable, Hashable {
  /// The open sizes, in the order in which inputs show them.
  package let symbols: [SizeSymbol]
  /// For each symbol the input and the dimension whose extent it is.
  package let places: [Place]
  package let inputs: [Input]
  package let outputs: [OpenTensorType]
  package let name: String
  package let numerics: NumericPolicy
  /// The canonical JSON of the graph alone, with its open sizes.
  package let canonicalGraph: String
  /// The canonical JSON of the whole spec; a spec whose canonical text is itself.
  package let canonicalText: String
  /// The family in the text form, with the caller's names.
  package let textForm: String
  /// The positions in `spec.symbols` of `symbols`.
  private let order: [Int]
  private let spec: Spec
  /// The tolerances in force for each output, as keys have them.
  let tolerances: String

  package typealias Place = KernelInterface.OpenSizes.Place

  package struct Input: Sendable, Hashable {
    package var name: String
    package var type: OpenTensorType
  }

  /// - Throws: `SpecError` when a size is in no input, or when the spec means something else at some size.
  package init(checking spec: Spec) throws(SpecError) {
    try SpecLimits.check(spec.symbols)
    let points = Self.sample(spec.symbols)
    var instances: [CheckedSpec] = []
    for point in points { instances.append(try Self.instance(of: spec, at: point)) }
    let (order, places) = try Self.places(of: spec.symbols, in: instances, points)
    let symbols = order.map { spec.symbols[$0] }
    let sorted = points.map { point in order.map { point[$0] } }
    let merger = Merger(symbols: symbols, points: sorted, instances: instances)
    let first = instances[0]
    self.spec = spec
    self.order = order
    self.symbols = symbols
    self.places = places
    inputs = try zip(first.inputs.indices, first.inputs).mapThrowing {
      position, input throws(SpecError) in
      Input(
        name: input.name,
        type: try merger.type("input \(input.name)") { $0.inputs[position].type })
    }
    outputs = try first.outputs.indices.mapThrowing { position throws(SpecError) in
      try merger.type("output \(position)") { $0.type(of: $0.outputs[position]) }
    }
    name = first.name
    numerics = first.numerics
    tolerances = KernelKey.numerics(of: first)
    canonicalGraph = try merger.canonical(numerics: false)
    canonicalText = try merger.canonical(numerics: true)
    textForm = try merger.text()
  }

  /// The spec at `sizes`, one for each of ``symbols``.
  package func instance(at sizes: [Int]) throws(SpecError) -> CheckedSpec {
    var given = [Int](repeating: 0, count: order.count)
    for (size, position) in zip(sizes, order) { given[position] = size }
    return try Self.instance(of: spec, at: given)
  }

  private static func instance(of spec: Spec, at sizes: [Int]) throws(SpecError) -> CheckedSpec {
    do {
      return try spec.instance(at: sizes).checked()
    } catch {
      throw error.within("at \(describe(sizes, spec.symbols))")
    }
  }

  /// `n = 3, m = 4`.
  package static func describe(_ sizes: [Int], _ symbols: [SizeSymbol]) -> String {
    zip(symbols, sizes).map { "\($0.name) = \($1)" }.joined(separator: ", ")
  }

  /// Every combination of sizes, the last symbol's the fastest.
  package var combinations: [[Int]] { Self.combinations(symbols.map(Self.values)) }

  static func values(_ symbol: SizeSymbol) -> [Int] {
    Array(stride(from: symbol.lower, through: symbol.upper, by: symbol.step))
  }

  static func combinations(_ values: [[Int]]) -> [[Int]] {
    values.reduce([[]]) { all, next in all.flatMap { start in next.map { start + [$0] } } }
  }

  /// Sizes that tell polynomials of low degree apart.
  private static func sample(_ symbols: [SizeSymbol]) -> [[Int]] {
    let perSymbol = [8, 8, 5, 4, 4][min(symbols.count, 4)]
    return combinations(
      symbols.map { symbol in
        let few = min(symbol.count, perSymbol)
        // The small ones, where meanings change, then evenly up to the largest.
        let positions = (0..<few).map { step in
          step < 3 ? step : 2 + (symbol.count - 3) * (step - 2) / max(few - 3, 1)
        }
        return positions.map { symbol.lower + $0 * symbol.step }
      })
  }

  /// The order in which the inputs show the symbols, and where.
  private static func places(
    of symbols: [SizeSymbol], in instances: [CheckedSpec], _ points: [[Int]]
  ) throws(SpecError) -> ([Int], [Place]) {
    var order: [Int] = []
    var places: [Place] = []
    for (input, first) in instances[0].inputs.enumerated() {
      for dimension in first.type.shape.indices {
        let extents = instances.map { $0.inputs[input].type.shape[dimension] }
        guard
          let symbol = symbols.indices.first(where: { symbol in
            symbols[symbol].count > 1 && extents == points.map { $0[symbol] }
          }), !order.contains(symbol)
        else { continue }
        order.append(symbol)
        places.append(Place(input: input, dimension: dimension))
      }
    }
    if let lost = symbols.indices.first(where: { !order.contains($0) }) {
      let name = symbols[lost].name
      throw SpecError(
        .type,
        symbols[lost].count > 1
          ? "no input has \(name) as an extent of its own" : "\(name) has one value only",
        expected: symbols[lost].count > 1 ? "an input such as f32[\(name),…]" : "a range")
    }
    return (order, places)
  }
}

extension Sequence {
  /// `map` whose error is typed.
  fileprivate func mapThrowing<Result>(_ transform: (Element) throws(SpecError) -> Result)
    throws(SpecError) -> [Result]
  {
    var results: [Result] = []
    for element in self { results.append(try transform(element)) }
    return results
  }
}

/// Makes one text or type of those of several instances.
private struct Merger {
  let symbols: [SizeSymbol]
  let points: [[Int]]
  let instances: [CheckedSpec]

  func canonical(numerics: Bool) throws(SpecError) -> String {
    let head = "{\"granary_spec\":1,"
    let merged = try merge(
      instances.map { CanonicalText.spec($0, numerics: numerics, results: false) }, .json,
      SizeExpression.canonicalName)
    let declared = symbols.enumerated().map { position, symbol in
      let step = symbol.step == 1 ? "" : ",\"step\":\(symbol.step)"
      return """
        {"name":"\(SizeExpression.canonicalName(position))",\
        "range":[\(symbol.lower),\(symbol.upper)]\(step)}
        """
    }
    return "\(head)\"symbols\":[\(declared.joined(separator: ","))],\(merged.dropFirst(head.count))"
  }

  func text() throws(SpecError) -> String {
    let declared = symbols.map { "\($0.name) in \($0.rangeText);\n" }.joined()
    return declared + (try merge(instances.map(\.textForm), .text) { symbols[$0].name })
  }

  private func merge(_ texts: [String], _ form: OpenText.Form, _ name: @escaping (Int) -> String)
    throws(SpecError) -> String
  {
    do {
      return try OpenText(points: points, form: form, name: name).merged(texts)
    } catch {
      switch error {
      case .structure(let position): throw difference(at: position)
      case .number(let before):
        throw SpecError(
          .type, "a number after \(before) is no polynomial of the open sizes",
          expected: "sums of products of sizes")
      }
    }
  }

  /// The spec means something else at a point than at the smallest sizes.
  private func difference(at position: Int) -> SpecError {
    let isSpecial = zip(symbols, points[0]).contains { $1 <= 1 && $0.lower <= 1 }
    return SpecError(
      .type,
      "at \(SpecFamily.describe(points[0], symbols)) the spec does other things than at "
        + SpecFamily.describe(points[position], symbols),
      expected: isSpecial
        ? "a range that begins at 2, or one spec for each: an extent of 1 broadcasts"
        : "ranges within which the same operators are left")
  }

  func type(_ what: String, _ type: (CheckedSpec) -> TensorType) throws(SpecError)
    -> OpenTensorType
  {
    let types = instances.map(type)
    func fit(_ part: (TensorType) -> [Int]) throws(SpecError) -> [SizeExpression] {
      let rank = part(types[0]).count
      if let other = types.firstIndex(where: { part($0).count != rank }) {
        throw difference(at: other)
      }
      return try (0..<rank).mapThrowing { dimension throws(SpecError) in
        guard let found = SizeFit.polynomial(types.map { part($0)[dimension] }, at: points) else {
          throw SpecError(
            .type, "extent \(dimension) of \(what) is no polynomial of the open sizes",
            expected: "sums of products of sizes")
        }
        return found
      }
    }
    let isContiguous = types.allSatisfy { $0.strides == nil }
    return OpenTensorType(
      types[0].dtype, try fit(\.shape), strides: isContiguous ? nil : try fit(\.resolvedStrides))
  }
}
