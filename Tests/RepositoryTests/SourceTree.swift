import FoundationEssentials

/// The repository's Swift files, as text.
struct SourceTree {
  struct File {
    /// Relative to the root, for example `Sources/Search/SearchEngine.swift`.
    let path: String
    let lines: [Substring]
  }

  let root: String

  /// The tree that this test file belongs to.
  static let own = SourceTree(
    root: #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/"))

  /// Every Swift file under the given folders of the root.
  func files(in folders: [String]) throws -> [File] {
    try folders.flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)")
        .filter { $0.hasSuffix(".swift") }
        .sorted()
        .map { try file("\(folder)/\($0)") }
    }
  }

  func file(_ path: String) throws -> File {
    let text = try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    return File(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
  }
}
