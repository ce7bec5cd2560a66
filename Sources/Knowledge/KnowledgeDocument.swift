/// A page of advice, with what it is about.
package struct KnowledgeDocument: Sendable, Hashable {
  package var name: String
  package var title: String
  /// Architectures it applies to (`x86_64`, `aarch64`, `opencl`), or features of one (`avx512f`); empty for all.
  package var platforms: [String]
  package var bottlenecks: [Bottleneck]
  /// Sketches it applies to; empty for all.
  package var sketches: [String]
  package var body: String

  /// Reads a page: lines of `name: value, value` between two lines `---`, then the text.
  ///
  /// - Throws: `KnowledgeDocumentError` when the front matter is missing, incomplete or names something
  ///   unknown.
  package init(parsing text: String) throws(KnowledgeDocumentError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first == "---", let end = lines.dropFirst().firstIndex(of: "---") else {
      throw KnowledgeDocumentError(message: "expected front matter between two lines ---")
    }
    var fields: [String: String] = [:]
    for line in lines[1..<end] {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard let name = parts.first else { continue }
      fields[String(name)] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
    }
    guard let name = fields["name"], let title = fields["title"], !name.isEmpty else {
      throw KnowledgeDocumentError(message: "expected a name and a title in the front matter")
    }
    self.name = name
    self.title = title
    platforms = Self.list(fields["platforms"])
    sketches = Self.list(fields["sketches"])
    bottlenecks = try Self.bottlenecks(Self.list(fields["bottlenecks"]), of: name)
    body = lines[(end + 1)...].joined(separator: "\n")
  }

  private static func bottlenecks(
    _ names: [String], of document: String
  ) throws(KnowledgeDocumentError) -> [Bottleneck] {
    var bottlenecks: [Bottleneck] = []
    for name in names {
      guard let bottleneck = Bottleneck(rawValue: name) else {
        throw KnowledgeDocumentError(
          message: "document \(document): unknown bottleneck \(name); "
            + "expected compute, memory or overhead")
      }
      bottlenecks.append(bottleneck)
    }
    return bottlenecks
  }

  private static func list(_ text: String?) -> [String] {
    (text ?? "").split { $0 == "," || $0 == " " }.map(String.init)
  }
}

/// A page of the knowledge base is malformed.
package struct KnowledgeDocumentError: Error, Hashable, CustomStringConvertible {
  package var message: String
  package var description: String { message }
}
