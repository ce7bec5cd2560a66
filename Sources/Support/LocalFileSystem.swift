import Glibc
import Synchronization

/// The files of this machine.
package struct LocalFileSystem: FileSystem {
  private static let temporaries = Atomic<Int>(0)

  package init() {}

  package func read(_ path: String, limitBytes: Int) throws -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw GranaryError.system("open", path)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw GranaryError.system("fstat", path) }
    guard status.st_size <= limitBytes else {
      throw GranaryError(
        .tooLarge, "\(path) has \(status.st_size) bytes; at most \(limitBytes) are read",
        responsible: .environment)
    }
    return try Self.readAll(descriptor, sizeBytes: Int(status.st_size), path)
  }

  package func write(_ bytes: [UInt8], atomicallyTo path: String) throws {
    let number = Self.temporaries.wrappingAdd(1, ordering: .relaxed).newValue
    let temporary = "\(path).\(getpid()).\(number)\(temporaryFileSuffix)"
    do {
      try Self.writeSynced(bytes, to: temporary)
      try rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
    try Self.syncDirectory(path.parentDirectory)
  }

  package func list(_ directory: String) throws -> [String] {
    if let names = directoryEntries(directory) { return names }
    if errno == ENOENT { return [] }
    throw GranaryError.system("opendir", directory)
  }

  package func remove(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw GranaryError.system("unlink", path) }
  }

  package func rename(_ source: String, to destination: String) throws {
    guard Glibc.rename(source, destination) == 0 else {
      throw GranaryError.system("rename", destination)
    }
  }

  package func createDirectory(_ path: String) throws {
    if try Self.makeDirectory(path) { return }
    guard errno == ENOENT, path.parentDirectory != path else {
      throw GranaryError.system("mkdir", path)
    }
    try createDirectory(path.parentDirectory)
    guard try Self.makeDirectory(path) else { throw GranaryError.system("mkdir", path) }
  }

  package func sizeBytes(of path: String) throws -> Int? {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return nil }
      throw GranaryError.system("lstat", path)
    }
    return Int(status.st_size)
  }

  package func freeBytes(at path: String) throws -> Int {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { throw GranaryError.system("statvfs", path) }
    return Int(clamping: UInt64(status.f_bavail) * UInt64(status.f_frsize))
  }
}

extension LocalFileSystem {
  /// What is synced in a new directory is durable only when the directory's own name is.
  ///
  /// - Returns: whether it is there; otherwise `errno` says why not.
  private static func makeDirectory(_ path: String) throws -> Bool {
    if mkdir(path, 0o700) != 0 { return errno == EEXIST }
    // Above the folders that are Granary's own there may be one that it cannot read.
    let parent = path.parentDirectory
    if access(parent, R_OK) == 0 { try syncDirectory(parent) }
    return true
  }

  private static func readAll(_ descriptor: Int32, sizeBytes: Int, _ path: String) throws
    -> [UInt8]
  {
    var bytes = [UInt8](repeating: 0, count: sizeBytes)
    var offset = 0
    while offset < sizeBytes {
      let count = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress?.advanced(by: offset), sizeBytes - offset)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw GranaryError.system("read", path) }
      if count == 0 { break }
      offset += count
    }
    bytes.removeLast(sizeBytes - offset)
    return bytes
  }

  private static func writeSynced(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw GranaryError.system("open", path) }
    defer { close(descriptor) }
    var offset = 0
    while offset < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: offset), bytes.count - offset)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw GranaryError.system("write", path) }
      offset += count
    }
    guard fsync(descriptor) == 0 else { throw GranaryError.system("fsync", path) }
  }

  private static func syncDirectory(_ path: String) throws {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw GranaryError.system("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw GranaryError.system("fsync", path) }
  }
}

extension GranaryError {
  /// The error for the current `errno`.
  package static func system(_ call: String, _ path: String) -> GranaryError {
    let number = errno
    let code: Code =
      switch number {
      case ENOSPC, EDQUOT: .diskFull
      case EACCES, EROFS, EPERM: .notWritable
      default: .system
      }
    return GranaryError(
      code, "\(call) \(path): \(String(cString: strerror(number)))", responsible: .environment,
      metadata: ["errno": String(number), "path": path])
  }
}
