import Glibc
import Support

/// A directory that only this user can enter; removed, with all that is in it, at the end of its
/// life.
final class PrivateDirectory: Sendable {
  let path: String
  /// Locked as long as this process lives, which tells others that the directory is in use.
  private let lock: Int32
  private static let prefix = "granary-build-"
  private static let fileLimit = 64 << 20

  /// Makes a directory below `TMPDIR`, else `/tmp`.
  init?() {
    var template = Array("\(Self.parent)/\(Self.prefix)XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { return nil }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if lock >= 0 { flock(lock, LOCK_SH | LOCK_NB) }
  }

  deinit {
    Self.remove(path)
    if lock >= 0 { close(lock) }
  }

  private static var parent: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// Removes this user's directories whose process died, if they are older than a minute: younger
  /// ones may not have their lock yet.
  static func removeAbandoned() {
    for name in directoryEntries(parent) ?? [] where name.hasPrefix(prefix) {
      removeIfAbandoned("\(parent)/\(name)")
    }
  }

  private static func removeIfAbandoned(_ path: String) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_uid == getuid(),
      time(nil) - status.st_mtim.tv_sec > 60, flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return }
    remove(path)
  }

  /// Removes a directory with all that is in it; follows no link.
  private static func remove(_ path: String) {
    for name in directoryEntries(path) ?? [] where unlink("\(path)/\(name)") != 0 {
      remove("\(path)/\(name)")
    }
    rmdir(path)
  }

  func write(_ bytes: [UInt8], to name: String) -> Bool {
    guard let file = fopen("\(path)/\(name)", "wxe") else { return false }
    let written = fwrite(bytes, 1, bytes.count, file)
    return fclose(file) == 0 && written == bytes.count
  }

  /// - Returns: `nil` when the file is absent, not a plain file, or too large.
  func read(_ name: String) -> [UInt8]? {
    let descriptor = open("\(path)/\(name)", O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      status.st_size <= Self.fileLimit
    else { return nil }
    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var position = 0
    while position < bytes.count {
      let count = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress?.advanced(by: position), $0.count - position)
      }
      guard count > 0 else { return nil }
      position += count
    }
    return bytes
  }
}
