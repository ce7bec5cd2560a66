package import KernelSpec

/// What a kernel is asked for, with its key on this machine.
package struct KernelSubject: Sendable {
  package let content: SpecContent
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
      content = try SpecContent(text)
      key = content.key(hardware: hardware)
    } catch {
      throw OptimizationError(.badSpec, "\(error)")
    }
  }

  package var name: String { content.name }
  var inputs: [String] { content.inputNames }
}
