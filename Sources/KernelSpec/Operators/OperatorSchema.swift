/// The signature of one overload of an operator, as PyTorch's `native_functions.yaml` writes it, with the
/// namespace before it where that is not `aten`.
package struct OperatorSchema: Sendable, Hashable {
  /// Whose operator it is: `aten`, `fbgemm`, or `granary` for Granary's own.
  package var namespace: String
  /// The base name, for example `add`; no two namespaces share one.
  package var name: String
  /// The overload, for example `Tensor`; `default` where PyTorch leaves it empty.
  package var overload: String
  package var parameters: [Parameter]
  /// The text that it was parsed from.
  package var text: String

  /// The name in a spec, for example `aten.add.Tensor`.
  package var fullName: String { "\(namespace).\(name).\(overload)" }

  package struct Parameter: Sendable, Hashable {
    package var name: String
    package var type: ParameterType
    /// `nil` for a parameter that must be given.
    package var defaultValue: Spec.Argument?
  }

  package struct ParameterType: Sendable, Hashable {
    package var kind: Kind
    package var isList: Bool
    /// The length that a single value is repeated to, for `int[2]`.
    package var listCount: Int?
    package var isOptional: Bool

    package enum Kind: String, Sendable, Hashable {
      case tensor, integer, real, scalar, boolean, string, dtype
      /// Where and how a tensor is stored; without influence on values.
      case placement
    }
  }

  /// - Returns: `nil` when `text` is not a schema of types known here.
  package init?(_ text: String) {
    guard let open = text.firstIndex(of: "("), let close = text.range(of: ") -> ") else {
      return nil
    }
    self.text = text
    let full = text[..<open].split(separator: ".", maxSplits: 1)
    guard let base = full.first else { return nil }
    let separator = base.range(of: "::")
    namespace = separator.map { String(base[..<$0]) } ?? "aten"
    name = String(separator.map { base[$0...].dropFirst(2) } ?? base)
    overload = full.count > 1 ? String(full[1]) : "default"
    parameters = []
    for part in Self.parts(text[text.index(after: open)..<close]) where part != "*" {
      guard let parameter = Parameter(part) else { return nil }
      parameters.append(parameter)
    }
  }

  /// Splits at the commas that are outside of brackets.
  private static func parts(_ text: Substring) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var start = text.startIndex
    for index in text.indices {
      switch text[index] {
      case "(", "[": depth += 1
      case ")", "]": depth -= 1
      case "," where depth == 0:
        parts.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    parts.append(text[start...])
    return parts.map { $0.drop { $0 == " " } }.filter { !$0.isEmpty }
  }
}

extension Substring {
  /// The first place of `text`, as the index where it begins.
  fileprivate func range(of text: String) -> Index? {
    indices.first { self[$0...].hasPrefix(text) }
  }
}

extension String {
  fileprivate func range(of text: String) -> Index? { self[...].range(of: text) }
}

extension OperatorSchema.Parameter {
  /// Parses for example `SymInt[2] stride=[]` or `Tensor(a)? self`.
  fileprivate init?(_ text: Substring) {
    guard let space = text.lastIndex(of: " "),
      let type = OperatorSchema.ParameterType(text[..<space])
    else { return nil }
    let rest = text[text.index(after: space)...].split(separator: "=", maxSplits: 1)
    guard let name = rest.first else { return nil }
    self.name = String(name)
    self.type = type
    if rest.count > 1 {
      guard let value = Self.defaultValue(rest[1]) else { return nil }
      defaultValue = value
    }
  }

  private static func defaultValue(_ text: Substring) -> Spec.Argument? {
    switch text {
    case "None": return Spec.Argument.none
    case "True": return .boolean(true)
    case "False": return .boolean(false)
    case "[]": return .list([])
    case "long": return .string("i64")
    default: break
    }
    if text.hasPrefix("'") { return .string(String(text.dropFirst().dropLast())) }
    if let integer = Int64(text) { return .integer(integer) }
    if let real = Double(text) { return .real(real) }
    guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
    let elements = text.dropFirst().dropLast().split(separator: ",").compactMap { Int64($0) }
    return .list(elements.map(Spec.Argument.integer))
  }
}

extension OperatorSchema.ParameterType {
  private static let kinds: [String: Kind] = [
    "Tensor": .tensor, "int": .integer, "SymInt": .integer, "float": .real, "Scalar": .scalar,
    "bool": .boolean, "str": .string, "ScalarType": .dtype, "Layout": .placement,
    "Device": .placement, "MemoryFormat": .placement,
  ]

  /// Parses for example `int[2]?`, `Tensor(a)` or `Tensor?[]`.
  fileprivate init?(_ text: Substring) {
    let base = text.prefix { $0.isLetter }
    guard let kind = Self.kinds[String(base)] else { return nil }
    let suffix = text.dropFirst(base.count)
    self.kind = kind
    isList = suffix.contains("[")
    isOptional = suffix.hasSuffix("?") || suffix.hasPrefix("?[")
    let count = suffix.drop { $0 != "[" }.dropFirst().prefix { $0.isNumber }
    listCount = Int(count)
  }
}
