import KernelSpec
import Support

/// The files below `blobs`.
enum BlobFiles {
  struct File {
    var path: String
    /// The digest that the name says; `nil` for what a crash left behind.
    var digest: Digest?
  }

  static func all(in directory: String, _ fileSystem: any FileSystem) throws -> [File] {
    try fileSystem.list(directory + "/blobs").flatMap { shard in
      let path = "\(directory)/blobs/\(shard)"
      return try fileSystem.list(path).map {
        File(path: "\(path)/\($0)", digest: Digest(hex: $0))
      }
    }
  }
}
