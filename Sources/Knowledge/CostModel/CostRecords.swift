import FoundationEssentials
package import Support

/// What searches taught about the cost of schedules, kept in files beside the store: one for each kind of program on
/// each kind of hardware.
///
/// A file that is missing, cannot be decoded or is of another version holds nothing. Writing replaces a file as a
/// whole. Not for two processes at once: of two that write, the last wins, and samples of the other are lost.
package struct CostRecords: Sendable {
  private let directory: String
  private let version: String
  private let files: any FileSystem

  /// - Parameter version: of whatever gives features their meaning; what was kept under another is ignored.
  package init(
    directory: String, version: String, files: any FileSystem = LocalFileSystem()
  ) {
    self.directory = directory
    self.version = "\(Self.format) \(version)"
    self.files = files
  }

  /// The samples of a kind, oldest first.
  package func samples(of kind: CostKind) -> [CostSample] {
    guard let bytes = try? files.read(path(of: kind), limitBytes: Self.mostBytes),
      let kept = try? JSONDecoder().decode(Contents.self, from: Data(bytes)),
      kept.version == version, kept.kind == kind.text
    else { return [] }
    return kept.samples
  }

  /// Adds samples to those of a kind; beyond ``most``, the oldest go.
  ///
  /// - Throws: `GranaryError` when the file cannot be written.
  package func add(_ samples: [CostSample], to kind: CostKind) throws {
    if samples.isEmpty { return }
    let all = (self.samples(of: kind) + samples).suffix(Self.most)
    let contents = Contents(version: version, kind: kind.text, samples: Array(all))
    try files.createDirectory(directory)
    try files.write(
      [UInt8](try JSONEncoder().encode(contents)), atomicallyTo: path(of: kind))
  }

  private func path(of kind: CostKind) -> String { "\(directory)/\(kind.fileName).json" }

  /// Of a kind: more make learning slower than it may be, and what is older was of another time.
  package static let most = 600
  /// The format of the files and the shape of what is learned from them.
  private static let format = 1
  private static let mostBytes = 16 << 20

  private struct Contents: Codable {
    var version: String
    var kind: String
    /// The names of all features, then a row for each sample: what it gave, then its features in that order.
    var names: [String]
    var rows: [[Float?]]

    init(version: String, kind: String, samples: [CostSample]) {
      self.version = version
      self.kind = kind
      let names = samples.reduce(into: Set<String>()) { $0.formUnion($1.features.keys) }.sorted()
      self.names = names
      rows = samples.map { sample in [sample.gain] + names.map { sample.features[$0] } }
    }

    var samples: [CostSample] {
      rows.compactMap { row in
        guard row.count == names.count + 1, let gain = row[0], gain.isFinite else { return nil }
        let pairs = zip(names, row.dropFirst()).compactMap { name, value in value.map { (name, $0) }
        }
        return CostSample(features: Dictionary(pairs) { $1 }, gain: gain)
      }
    }
  }
}
