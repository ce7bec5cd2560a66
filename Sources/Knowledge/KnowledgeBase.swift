package import Hardware

/// Pages of advice, found by what they are about.
package struct KnowledgeBase: Sendable {
  package var documents: [KnowledgeDocument]

  package init(documents: [KnowledgeDocument]) { self.documents = documents }

  /// The pages that Granary comes with.
  ///
  /// - Throws: `KnowledgeDocumentError` when one is malformed, which a test rules out.
  package static func builtIn() throws(KnowledgeDocumentError) -> KnowledgeBase {
    var documents: [KnowledgeDocument] = []
    for text in DocumentTexts.all { documents.append(try KnowledgeDocument(parsing: text)) }
    return KnowledgeBase(documents: documents)
  }

  /// A page and how well it fits a query, above 0.
  package struct Match: Sendable, Hashable {
    package var document: KnowledgeDocument
    package var score: Double
  }

  /// The pages that fit, best first; at most `limit`.
  ///
  /// A page for another platform never fits. A page counts 3 for naming the sketch, 2 for the bottleneck, 1
  /// for the platform; half of each when it applies to all. One that names other sketches only, and not the
  /// bottleneck, does not fit. Equal scores are ordered by name.
  package func matches(
    hardware: CompatibilityIdentity, bottleneck: Bottleneck?, sketches: [String], limit: Int = 3
  ) -> [Match] {
    let platforms = Set(hardware.features + [hardware.architecture])
    let matches = documents.compactMap { document -> Match? in
      guard document.platforms.isEmpty || !platforms.isDisjoint(with: document.platforms) else {
        return nil
      }
      let ofSketch = Self.weight(3, of: document.sketches, among: sketches)
      let known = bottleneck.map { [$0] } ?? []
      let ofBottleneck = Self.weight(2, of: document.bottlenecks, among: known)
      guard ofSketch + ofBottleneck > 0 else { return nil }
      let ofPlatform = document.platforms.isEmpty ? 0.5 : 1
      return Match(document: document, score: ofSketch + ofBottleneck + ofPlatform)
    }
    let ranked = matches.sorted {
      $0.score == $1.score ? $0.document.name < $1.document.name : $0.score > $1.score
    }
    return Array(ranked.prefix(max(0, limit)))
  }

  private static func weight<Tag: Hashable>(
    _ full: Double, of tags: [Tag], among wanted: [Tag]
  ) -> Double {
    if tags.isEmpty { return full / 2 }
    return Set(tags).isDisjoint(with: wanted) ? 0 : full
  }
}
