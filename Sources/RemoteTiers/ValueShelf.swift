import Glibc
import KernelSpec
package import Support
import Synchronization

/// Values that clients of this machine's server put there, in a directory that does not grow beyond its limit.
///
/// What was used longest ago goes first. The directory is one that a tier can be made of.
package final class ValueShelf: Sendable {
  /// The most bytes of one value.
  package static let valueLimitBytes = 256 << 20

  private struct Held {
    var bytes: Int
    var lastUse: UInt64
  }

  private struct State {
    var held: [RemoteAddress: Held] = [:]
    var bytes = 0
    var uses: UInt64 = 0

    mutating func use(_ address: RemoteAddress) {
      uses += 1
      held[address]?.lastUse = uses
    }

    mutating func forget(_ address: RemoteAddress) {
      bytes -= held.removeValue(forKey: address)?.bytes ?? 0
    }
  }

  private let root: String
  private let limitBytes: Int
  private let fileSystem: any FileSystem
  private let state: Mutex<State>

  /// Looks at what is there already.
  package init(root: String, limitBytes: Int, fileSystem: any FileSystem = LocalFileSystem())
    throws
  {
    self.root = root
    self.limitBytes = limitBytes
    self.fileSystem = fileSystem
    state = Mutex(try Self.contents(of: root, fileSystem))
    try makeRoom(for: 0)
  }

  /// The values and their bytes, as far as they are counted.
  package var statistics: (values: Int, bytes: Int) {
    state.withLock { ($0.held.count, $0.bytes) }
  }

  /// - Returns: `nil` for what is missing or damaged; that is removed.
  package func get(_ address: RemoteAddress) throws -> [UInt8]? {
    guard contains(address) else { return nil }
    let limit = Self.valueLimitBytes + ValueFile.sealBytes
    guard let file = try fileSystem.read(path(address), limitBytes: limit),
      let value = ValueFile.decode(file, at: address)
    else {
      try remove([address])
      return nil
    }
    // The order of use is to survive a restart, as far as the file system keeps it.
    utimensat(AT_FDCWD, path(address), nil, 0)
    state.withLock { $0.use(address) }
    return value
  }

  package func contains(_ address: RemoteAddress) -> Bool {
    state.withLock { $0.held[address] != nil }
  }

  /// Replaces what is there; returns once it is durable.
  ///
  /// - Throws: `tier-wrong-bytes` for a blob that has another digest, `too-large` for what never fits.
  package func put(_ bytes: [UInt8], at address: RemoteAddress) throws {
    guard bytes.count <= min(Self.valueLimitBytes, limitBytes - ValueFile.sealBytes) else {
      throw GranaryError(
        .tooLarge, "\(bytes.count) bytes are more than this server keeps", responsible: .input)
    }
    guard address.admits(bytes) else {
      throw GranaryError(
        .tierWrongBytes, "the bytes for \(address.path) have another digest", responsible: .input)
    }
    if address.space == .blobs, contains(address) { return state.withLock { $0.use(address) } }
    let file = ValueFile.encode(bytes, at: address)
    try makeRoom(for: file.count)
    try fileSystem.createDirectory(path(address).parentDirectory)
    try fileSystem.write(file, atomicallyTo: path(address))
    state.withLock { state in
      state.forget(address)
      state.held[address] = Held(bytes: file.count, lastUse: 0)
      state.bytes += file.count
      state.use(address)
    }
  }

  private func path(_ address: RemoteAddress) -> String { "\(root)/\(address.path)" }

  /// Removes what was used longest ago, a tenth more than must go, so that not every value costs a search.
  private func makeRoom(for bytes: Int) throws {
    let leaving = state.withLock { state -> [RemoteAddress] in
      guard state.bytes + bytes > limitBytes else { return [] }
      var left = state.bytes
      let goal = max(0, min(limitBytes - bytes, limitBytes / 10 * 9))
      return state.held.sorted { $0.value.lastUse < $1.value.lastUse }.prefix { held in
        defer { left -= held.value.bytes }
        return left > goal
      }.map(\.key)
    }
    try remove(leaving)
  }

  private func remove(_ addresses: [RemoteAddress]) throws {
    for address in addresses {
      try fileSystem.remove(path(address))
      state.withLock { $0.forget(address) }
    }
  }

  /// What a process before this one left, in the order in which it was used.
  private static func contents(of root: String, _ fileSystem: any FileSystem) throws -> State {
    var found: [(address: RemoteAddress, bytes: Int, time: (Int, Int))] = []
    for space in RemoteAddress.Space.allCases {
      for folder in try fileSystem.list("\(root)/\(space.rawValue)") {
        let folder = "\(root)/\(space.rawValue)/\(folder)"
        for name in (try? fileSystem.list(folder)) ?? [] {
          guard let digest = Digest(hex: name),
            let bytes = try fileSystem.sizeBytes(of: "\(folder)/\(name)")
          else {
            // Half of a value, from a process that was killed.
            if name.hasSuffix(temporaryFileSuffix) { try fileSystem.remove("\(folder)/\(name)") }
            continue
          }
          var status = stat()
          lstat("\(folder)/\(name)", &status)
          found.append(
            (
              .init(space: space, digest: digest), bytes,
              (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
            ))
        }
      }
    }
    var state = State()
    for value in found.sorted(by: { $0.time < $1.time }) {
      state.held[value.address] = Held(bytes: value.bytes, lastUse: 0)
      state.bytes += value.bytes
      state.use(value.address)
    }
    return state
  }
}
