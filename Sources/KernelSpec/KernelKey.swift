/// What a kernel is stored under: the SHA-256 of named parts, each of which is kept.
///
/// Equal on every machine and in every process for equal meanings. Every part is hashed with the
/// lengths of its name and its value before them (8 bytes, little-endian), so that no two lists of
/// parts run together.
package struct KernelKey: Sendable, Hashable {
  package let parts: [Part]
  package let digest: Digest

  /// The version of the recipe; a change of it makes every stored key stale.
  package static let schemaVersion = 1

  package struct Part: Sendable, Hashable, Codable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A part that two keys do not share; a key that lacks it has `nil`.
  package struct Difference: Sendable, Hashable {
    package var name: String
    package var own: String?
    package var other: String?

    package init(name: String, own: String?, other: String?) {
      self.name = name
      self.own = own
      self.other = other
    }
  }

  /// The key of the kernel for `spec` on `hardware`, which is the canonical text of a tuning
  /// identity.
  package init(spec: CheckedSpec, hardware: String, abi: Int = KernelInterface.currentABI) {
    self.init(parts: [
      Part(name: "schema", value: "\(Self.schemaVersion)"),
      Part(name: "spec", value: spec.canonicalGraph),
      Part(name: "numerics", value: Self.numerics(of: spec)),
      Part(name: "hardware", value: hardware),
      Part(name: "abi", value: "\(abi)"),
    ])
  }

  /// The key of the kernel for a family of specs on `hardware`.
  package init(family: SpecFamily, hardware: String) {
    self.init(parts: [
      Part(name: "schema", value: "\(Self.schemaVersion)"),
      Part(name: "spec", value: family.canonicalGraph),
      Part(name: "numerics", value: family.tolerances),
      Part(name: "hardware", value: hardware),
      Part(name: "abi", value: "\(KernelInterface.familyABI)"),
    ])
  }

  /// The key of stored parts.
  package init(parts: [Part]) {
    self.parts = parts
    var bytes: [UInt8] = []
    for part in parts {
      for text in [part.name, part.value] {
        let content = Array(text.utf8)
        withUnsafeBytes(of: UInt64(content.count).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: content)
      }
    }
    digest = Digest(of: bytes)
  }

  /// The value of the part `name`.
  package subscript(name: String) -> String? { parts.first { $0.name == name }?.value }

  /// The parts in which this key is not `other`, in order.
  package func differences(from other: KernelKey) -> [Difference] {
    let names = parts.map(\.name) + other.parts.map(\.name).filter { self[$0] == nil }
    return names.compactMap { name in
      self[name] == other[name]
        ? nil : Difference(name: name, own: self[name], other: other[name])
    }
  }

  /// The tolerances in force for each output.
  static func numerics(of spec: CheckedSpec) -> String {
    let tolerances = spec.outputs.map { output in
      let (relative, absolute) = spec.numerics.tolerances(for: spec.type(of: output).dtype)
      return "rtol=\(relative),atol=\(absolute)"
    }
    return tolerances.joined(separator: ";")
  }
}
