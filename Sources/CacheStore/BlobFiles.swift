import KernelSpec
import Support

/// The files below `blobs`.
enum BlobFiles {
  struct File {
    var path: String
    /// The digest that the name says; `nil` for what a crash left behind.
    var digest: Digest?
  }

  /// The folders that they are in.
  static func folders(in directory: String, _ fileSystem: any FileSystem) throws -> [String] {
    try fileSystem.list(directory + "/blobs").map { "\(directory)/blobs/\($0)" }
  }

  static func files(in folder: String, _ fileSystem: any FileSystem) throws -> [File] {
    try fileSystem.list(folder).map { File(path: "\(folder)/\($0)", digest: Digest(hex: $0)) }
  }

  static func all(in directory: String, _ fileSystem: any FileSystem) throws -> [File] {
    try folders(in: directory, fileSystem).flatMap { try files(in: $0, fileSystem) }
  }
}
