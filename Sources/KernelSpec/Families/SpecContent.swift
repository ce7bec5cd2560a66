/// A checked text: one spec, or a family of them that leaves sizes open.
package enum SpecContent: Sendable, Hashable {
  case spec(CheckedSpec)
  case family(SpecFamily)

  /// - Throws: `SpecError` when the text is wrong.
  package init(_ text: String) throws(SpecError) {
    let parsed = try Spec.parse(text)
    self =
      parsed.symbols.isEmpty
      ? .spec(try parsed.checked()) : .family(try SpecFamily(checking: parsed))
  }

  package var name: String {
    switch self {
    case .spec(let spec): spec.name
    case .family(let family): family.name
    }
  }

  /// The names of the inputs, in the order in which kernels take them.
  package var inputNames: [String] {
    switch self {
    case .spec(let spec): spec.inputs.map(\.name)
    case .family(let family): family.inputs.map(\.name)
    }
  }

  package var canonicalText: String {
    switch self {
    case .spec(let spec): spec.canonicalText
    case .family(let family): family.canonicalText
    }
  }

  package var textForm: String {
    switch self {
    case .spec(let spec): spec.textForm
    case .family(let family): family.textForm
    }
  }

  /// The key of the kernel on `hardware`, which is the canonical text of a tuning identity.
  package func key(hardware: String) -> KernelKey {
    switch self {
    case .spec(let spec): KernelKey(spec: spec, hardware: hardware)
    case .family(let family): KernelKey(family: family, hardware: hardware)
    }
  }
}
