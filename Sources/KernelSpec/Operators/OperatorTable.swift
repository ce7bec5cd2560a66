/// Every operator that a spec may use: PyTorch's, some of FBGEMM's, and a few of Granary's own.
///
/// To add one, write an entry with its schema in the file of its family; `docs/spec.md` shows how.
package enum OperatorTable {
  /// The overloads of each base name, in the order in which they are tried.
  package static let operators: [String: [Operator]] = {
    let entries: [Operator?] =
      pointwiseUnary + pointwiseActivation + pointwiseBinary + comparisons + reductions
      + normalizations + contractions + convolutions + pooling + scans + indexing + shapes
      + views + creation + gradients + resamplings + paddings + partialWrites + scatters + orderings
      + distances + fourierTransforms + randoms + losses + likelihoods
      + recommendations + jaggedTensors + features + recurrences + spellings
    return Dictionary(grouping: entries.compactMap { $0 }, by: \.schema.name)
  }()

  /// The names of all overloads, sorted: `aten.abs.default`, …
  package static var names: [String] {
    operators.values.joined().map(\.schema.fullName).sorted()
  }

  /// The operator with exactly this overload, for example `aten.add.Tensor`.
  package static func find(_ fullName: String) -> Operator? {
    let name = OperatorName(fullName)
    guard let overload = name.overload else { return nil }
    return operators[name.base]?.first { $0.schema.overload == overload }
  }

  /// The overloads that `written` may mean, for example `aten.add`, `add.Tensor` or `softmax`.
  ///
  /// - Throws: `SpecError` with code `unknownOperator`, with near names.
  static func candidates(_ written: String) throws(SpecError) -> [Operator] {
    let name = OperatorName(written)
    guard let overloads = operators[name.base], !overloads.isEmpty else {
      throw SpecError(
        .unknownOperator, "there is no operator \(name.base)", expected: suggestion(name.base))
    }
    guard let overload = name.overload else { return overloads }
    let matching = overloads.filter { $0.schema.overload == overload }
    guard !matching.isEmpty else {
      throw SpecError(
        .unknownOperator, "\(name.base) has no overload \(overload)",
        expected: overloads.map(\.schema.overload).joined(separator: ", "))
    }
    return matching
  }

  private static func suggestion(_ name: String) -> String? {
    let bare = name.filter { $0 != "_" }.lowercased()
    guard bare.count > 1 else { return nil }
    let near = operators.keys.filter { key in
      let other = key.filter { $0 != "_" }
      return other == bare || other.hasPrefix(bare) || bare.hasPrefix(other) && other.count > 2
        || bare.count > 3 && isOneEditAway(Array(bare), Array(other))
    }
    return near.isEmpty ? nil : near.sorted().prefix(5).joined(separator: ", ")
  }

  /// Whether a letter was forgotten, added, replaced, or exchanged with the next.
  private static func isOneEditAway(_ first: [Character], _ second: [Character]) -> Bool {
    let common = zip(first, second).prefix { $0 == $1 }.count
    let (one, other) = (first.dropFirst(common), second.dropFirst(common))
    return one.dropFirst() == other || one == other.dropFirst()
      || one.dropFirst() == other.dropFirst()
      || one.prefix(2).reversed() == Array(other.prefix(2))
        && one.dropFirst(2) == other.dropFirst(2)
  }
}

/// The parts of an operator's name as written.
struct OperatorName {
  var base: String
  var overload: String?

  private static let prefixes = ["aten", "fbgemm", "granary"].flatMap {
    ["torch.ops.\($0).", "\($0)::", "\($0)."]
  }

  init(_ written: String) {
    var text = written[...]
    for prefix in Self.prefixes where text.hasPrefix(prefix) {
      text = text.dropFirst(prefix.count)
      break
    }
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    base = parts.first.map(String.init) ?? ""
    overload = parts.count > 1 ? String(parts[1]) : nil
  }
}

extension OperatorTable {
  /// The overload that `written` and its arguments mean, with the arguments bound.
  ///
  /// - Throws: `SpecError`; when several overloads were tried and none fits, the message lists
  /// them.
  static func resolve(
    _ written: String, _ arguments: [String: Spec.Argument],
    _ value: (Spec.Reference) throws(SpecError) -> CheckedSpec.Value
  ) throws(SpecError) -> (Operator, [String: CheckedSpec.Argument]) {
    let overloads = try candidates(written)
    var references: [Spec.Reference: CheckedSpec.Value] = [:]
    for argument in arguments.values {
      for reference in argument.references { references[reference] = try value(reference) }
    }
    let resolve = { (reference: Spec.Reference) throws(SpecError) -> CheckedSpec.Value in
      guard let value = references[reference] else {
        throw SpecError(.name, "no value is named \(reference.name)")
      }
      return value
    }
    var failures: [SpecError] = []
    for operation in overloads {
      do {
        let binding = ArgumentBinding(operation: operation, resolve: resolve)
        return (operation, try binding.bind(arguments))
      } catch {
        failures.append(error)
      }
    }
    guard failures.count > 1 else {
      throw failures.first ?? SpecError(.unknownOperator, "there is no operator \(written)")
    }
    let tried = zip(overloads, failures).map { "\($0.schema.fullName): \($1.description)" }
    throw SpecError(
      .unknownOperator, "no overload fits the arguments",
      expected: tried.joined(separator: " | "))
  }
}
