import FoundationEssentials
import Support

/// What a disk may hold below one folder when the power goes in the middle of recorded calls.
///
/// The bytes of a file are certain once the file was synced, and names once their folder was. What is not certain may
/// be there or not, each write for itself.
struct RecordedDisk {
  private struct File {
    enum Change {
      case write([UInt8], offset: Int)
      case truncate(Int)
    }

    var synced: [UInt8] = []
    var changes: [Change] = []

    func contents(_ isKept: () -> Bool) -> [UInt8] {
      var bytes = synced
      for change in changes where isKept() {
        switch change {
        case .write(let written, let offset):
          let missing = offset + written.count - bytes.count
          if missing > 0 { bytes += [UInt8](repeating: 0, count: missing) }
          bytes.replaceSubrange(offset..<offset + written.count, with: written)
        case .truncate(let size):
          let missing = size - bytes.count
          bytes =
            missing > 0 ? bytes + [UInt8](repeating: 0, count: missing) : Array(bytes[..<size])
        }
      }
      return bytes
    }
  }

  private let folder: String
  private var files: [File] = []
  /// By the path below the folder; `nil` is a folder.
  private var names: [String: Int?] = [:]
  private var syncedNames: [String: Int?] = [:]
  /// Counts what became certain.
  private(set) var syncs = 0

  /// Begins with what the folder holds, all of it certain.
  init(folder: String) throws {
    self.folder = folder
    for path in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      guard let bytes = FileManager.default.contents(atPath: folder + "/" + path) else {
        names[path] = .some(nil)
        continue
      }
      names[path] = .some(files.count)
      files.append(File(synced: Array(bytes)))
    }
    syncedNames = names
  }

  mutating func apply(_ call: RecordedCall) {
    let paths = call.paths.map(below)
    guard let path = paths.first(where: { $0 != nil }) ?? nil else { return }
    switch call.name {
    case "openat":
      if call.says("O_CREAT"), names[path] == nil { create(path) }
      if call.says("O_TRUNC") { change(path, .truncate(0)) }
    case "mkdir": names[path] = .some(nil)
    case "write":
      if let file = number(path) {
        change(path, .write(call.bytes, offset: files[file].contents { true }.count))
      }
    case "pwrite64": change(path, .write(call.bytes, offset: call.lastNumber ?? 0))
    case "ftruncate": change(path, .truncate(call.lastNumber ?? 0))
    case "rename":
      if let target = paths.last ?? nil, let file = names.removeValue(forKey: path) {
        names[target] = file
      }
    case "unlink": names[path] = nil
    case "fsync", "fdatasync": sync(path)
    default: break
    }
  }

  private func below(_ path: String) -> String? {
    if path == folder { return "" }
    return path.hasPrefix(folder + "/") ? String(path.dropFirst(folder.count + 1)) : nil
  }

  private func number(_ path: String) -> Int? { names[path] ?? nil }

  private mutating func create(_ path: String) {
    names[path] = .some(files.count)
    files.append(File())
  }

  private mutating func change(_ path: String, _ change: File.Change) {
    if let file = number(path) { files[file].changes.append(change) }
  }

  private mutating func sync(_ path: String) {
    syncs += 1
    if let file = number(path) {
      files[file] = File(synced: files[file].contents { true })
      return
    }
    func isWithin(_ name: String) -> Bool {
      (name.contains("/") ? name.parentDirectory : "") == path
    }
    for name in syncedNames.keys where isWithin(name) { syncedNames[name] = nil }
    for (name, file) in names where isWithin(name) { syncedNames[name] = file }
  }

  /// Makes a folder of what is certain.
  func restoreCertain(to target: String) throws {
    try restore(syncedNames, to: target) { false }
  }

  /// Makes a folder of what may be there too: each write that is not certain is kept or lost, and the names are those
  /// that are certain or those that the process saw.
  func restore<Generator: RandomNumberGenerator>(
    to target: String, using random: inout Generator
  ) throws {
    let names = Bool.random(using: &random) ? names : syncedNames
    try restore(names, to: target) { Bool.random(using: &random) }
  }

  private func restore(_ names: [String: Int?], to target: String, _ isKept: () -> Bool) throws {
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
    let folders = Set(names.filter { $0.value == nil }.keys)
    // A name is there when all folders above it are.
    func isReached(_ name: String) -> Bool {
      guard name.contains("/") else { return true }
      return folders.contains(name.parentDirectory) && isReached(name.parentDirectory)
    }
    for (name, file) in names.sorted(by: { $0.key < $1.key }) where isReached(name) {
      let path = target + "/" + name
      guard let file else {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        continue
      }
      // The memory that processes share is made anew by the next one.
      if name.hasSuffix("-shm") { continue }
      let contents = Data(files[file].contents(isKept))
      _ = FileManager.default.createFile(atPath: path, contents: contents)
    }
  }
}
