package import KernelSpec

/// What a kernel is asked for.
package struct KernelSubject: Sendable {
  package enum Content: Sendable {
    case spec(CheckedSpec)
    /// A spec that leaves sizes open.
    case family(SpecFamily)
  }

  package let content: Content
  package let key: KernelKey

  init(_ spec: CheckedSpec, _ key: KernelKey) {
    content = .spec(spec)
    self.key = key
  }

  /// Reads a spec or a family.
  ///
  /// - Throws: ``OptimizationError`` `bad-spec`.
  init(_ text: String, hardware: String) throws(OptimizationError) {
    do {
      let parsed = try Spec.parse(text)
      if parsed.symbols.isEmpty {
        let spec = try parsed.checked()
        self.init(spec, KernelKey(spec: spec, hardware: hardware))
      } else {
        let family = try SpecFamily(checking: parsed)
        content = .family(family)
        key = KernelKey(family: family, hardware: hardware)
      }
    } catch {
      throw OptimizationError(.badSpec, "\(error)")
    }
  }

  package var name: String {
    switch content {
    case .spec(let spec): spec.name
    case .family(let family): family.name
    }
  }

  /// The names of the inputs, in the order in which kernels take them.
  package var inputs: [String] {
    switch content {
    case .spec(let spec): spec.inputs.map(\.name)
    case .family(let family): family.inputs.map(\.name)
    }
  }

  package var canonicalText: String {
    switch content {
    case .spec(let spec): spec.canonicalText
    case .family(let family): family.canonicalText
    }
  }
}
