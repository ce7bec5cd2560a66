import Glibc
import Support

/// A file that does nothing but hold room on the disk, so that a collection has some to work in
/// when the disk is full.
///
/// Source of the idea: Nix, `gc-reserved-space`.
struct Reserve: Sendable {
  static let sizeBytes = 8 << 20
  let path: String
  private let files = LocalFileSystem()

  init(directory: String) { path = directory + "/reserve" }

  /// Whether the disk is so full that the room may be needed.
  func isNeeded() throws -> Bool {
    try files.freeBytes(at: path.parentDirectory) < Self.sizeBytes
  }

  func release() throws { try files.remove(path) }

  /// Makes the file where there is plenty of room for it; a disk that refuses goes without.
  func restore() throws {
    if try files.sizeBytes(of: path) == Self.sizeBytes { return }
    guard try files.freeBytes(at: path.parentDirectory) > 4 * Self.sizeBytes else { return }
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    if posix_fallocate(descriptor, 0, off_t(Self.sizeBytes)) != 0 { unlink(path) }
  }
}
