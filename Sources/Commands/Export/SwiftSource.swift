package import DaemonAPI
package import KernelSpec

/// A Swift file with the typed function of a spec, for programs that use the module `Granary` of
/// `integrations/swiftpm`.
///
/// The function is there twice: over buffers in memory, and over arrays, which it copies.
package struct SwiftSource {
  /// The name of the function.
  package var name: String
  /// The spec on one line, as it is asked for.
  package var spec: String
  /// What the spec's file is called, for the reader.
  package var origin: String
  package var inputs: [Spec.Input]
  package var outputs: [TensorType]

  /// - Throws: `bad-spec` when an input has a name that no parameter can have.
  package init(name: String, origin: String, checked: CheckedSpec) throws(ServiceError) {
    self.name = name
    spec = checked.textForm.split(whereSeparator: \.isNewline).joined(separator: " ")
    self.origin = origin
    inputs = checked.inputs
    outputs = checked.outputs.map(checked.type)
    let taken = Set(outputs.indices.map { "out\($0)" } + ["fallback", "ran", "\(name)Kernel"])
    for input in inputs
    where !PortableSource.isIdentifier(input.name) || taken.contains(input.name) {
      throw ServiceError(
        .badSpec, "the input '\(input.name)' has no name that a Swift parameter can have")
    }
  }

  package var text: String {
    """
    // Written by `granary export-swift` from \(origin); not to be edited.
    import Granary

    \(buffersFunction)

    \(arraysFunction)

    private let \(kernel) = Kernel(
      spec: \(literal),
      inputBytes: \(inputs.map(\.type.storageBytes)), outputBytes: \(outputs.map(\.storageBytes)))

    """
  }

  private var buffersFunction: String {
    let parameters =
      inputs.map {
        "\(Self.quoted($0.name)): UnsafeBufferPointer<\(Self.swiftType($0.type.dtype))>"
      }
      + written.map { "\($0.name): UnsafeMutableBufferPointer<\(Self.swiftType($0.type.dtype))>" }
    let notes =
      inputs.map { Self.note($0.name, $0.type, "laid out as the spec says") }
      + written.map { Self.note($0.name, $0.type, "contiguous; overlaps no other buffer") }
    let taken = written.map { "UnsafeMutableRawBufferPointer(\($0.name))" }
    return """
      /// Runs the kernel that Granary has for this machine; where it has none in time, `fallback`.
      ///
      /// Buffers that are not aligned to 64 bytes are copied.
      ///
      /// - Parameters:
      \(notes.joined(separator: "\n"))
      ///   - fallback: Computes the same in the caller's own way.
      /// - Throws: A failure when neither ran, or the kernel met an index out of range.
      func \(Self.quoted(name))(
        \((parameters + ["fallback: (() -> Void)? = nil"]).joined(separator: ",\n  "))
      ) throws(KernelFailure) {
        let ran = try \(kernel).run(
          [\(inputs.map { "UnsafeRawBufferPointer(\(Self.quoted($0.name)))" }.joined(separator: ", "))],
          into: [\(taken.joined(separator: ", "))],
          hasFallback: fallback != nil)
        if !ran { fallback?() }
      }
      """
  }

  private var arraysFunction: String {
    let types = inputs.map { "[\(Self.swiftType($0.type.dtype))]" }
    let result =
      outputs.count == 1
      ? "[\(Self.swiftType(outputs[0].dtype))]"
      : "("
        + written.map { "\($0.name): [\(Self.swiftType($0.type.dtype))]" }
        .joined(separator: ", ") + ")"
    let parameters =
      inputs.map { "\(Self.quoted($0.name)): [\(Self.swiftType($0.type.dtype))]" }
      + ["fallback: ((\(types.joined(separator: ", "))) -> \(result))? = nil"]
    let given = inputs.map { "\(Self.quoted($0.name))" }.joined(separator: ", ")
    let memory = written.map {
      "  let \($0.name) = AlignedMemory(byteCount: \($0.type.storageBytes))"
    }
    let results =
      written
      .map { "\($0.name).array(of: \(Self.swiftType($0.type.dtype)).self)" }
      .joined(separator: ", ")
    return """
      /// The same over arrays, which are copied.
      func \(Self.quoted(name))(
        \(parameters.joined(separator: ",\n  "))
      ) throws(KernelFailure) -> \(result) {
      \(memory.joined(separator: "\n"))
        let ran = try \(kernel).run(
          [\(inputs.map { "AlignedMemory(\(Self.quoted($0.name)))" }.joined(separator: ", "))],
          into: [\(written.map(\.name).joined(separator: ", "))],
          hasFallback: fallback != nil)
        if !ran, let fallback { return fallback(\(given)) }
        return \(outputs.count == 1 ? results : "(\(results))")
      }
      """
  }

  /// In backticks, where the language has the word for itself.
  private static func quoted(_ name: String) -> String {
    reservedWords.contains(name) ? "`\(name)`" : name
  }

  private static let reservedWords: Set<String> = [
    "Any", "as", "associatedtype", "break", "case", "catch", "class", "continue", "default",
    "defer", "deinit", "do", "else", "enum", "extension", "fallthrough", "false", "fileprivate",
    "for", "func", "guard", "if", "import", "in", "init", "inout", "internal", "is", "let", "nil",
    "operator", "precedencegroup", "private", "protocol", "public", "repeat", "rethrows",
    "return", "self", "Self", "static", "struct", "subscript", "super", "switch", "throw",
    "throws", "true", "try", "typealias", "var", "where", "while",
  ]

  private static func note(_ name: String, _ type: TensorType, _ layout: String) -> String {
    "///   - \(name): `\(type)`, \(type.storageElementCount) elements, \(layout)."
  }

  private var written: [(name: String, type: TensorType)] {
    outputs.enumerated().map { ("out\($0.offset)", $0.element) }
  }

  private var kernel: String { "\(name)Kernel" }

  /// The spec as a literal that nothing in it can end.
  private var literal: String {
    var hashes = "#"
    while spec.contains("\"\(hashes)") || spec.contains("\\\(hashes)") { hashes += "#" }
    return "\(hashes)\"\(spec)\"\(hashes)"
  }

  /// `bf16` is its raw words.
  private static func swiftType(_ dtype: DType) -> String {
    switch dtype {
    case .f64: "Double"
    case .f32: "Float"
    case .f16: "Float16"
    case .bf16: "UInt16"
    case .i64: "Int64"
    case .i32: "Int32"
    case .i16: "Int16"
    case .i8: "Int8"
    case .u8: "UInt8"
    case .bool: "Bool"
    }
  }
}
