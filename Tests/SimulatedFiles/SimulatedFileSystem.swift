import Glibc
import Support
import Synchronization

/// Files in memory whose operations fail where told, for tests of what a crash leaves behind.
///
/// ``write(_:atomicallyTo:)`` takes three steps: temporary file, rename, directory sync. Every other
/// changing operation takes one. From the chosen step on every step fails, as after a crash or on a dead
/// disk, until ``recover()``; a rename that was not synced is then undone.
package final class SimulatedFileSystem: FileSystem {
  private struct State {
    var files: [String: [UInt8]] = [:]
    var unsynced: [String: [UInt8]?] = [:]
    var stepsUntilFailure: Int?
  }

  private let state = Mutex(State())

  package init() {}

  /// Fails from the step with this number on, counted from 0.
  package func fail(atStep step: Int) { state.withLock { $0.stepsUntilFailure = step } }

  /// Ends the failure, and loses what was not synced.
  package func recover() {
    state.withLock { state in
      for (path, bytes) in state.unsynced { state.files[path] = bytes }
      state.unsynced = [:]
      state.stepsUntilFailure = nil
    }
  }

  /// Changes the bytes of a file, as a bad disk does.
  package func corrupt(_ path: String, _ change: (inout [UInt8]) -> Void) {
    state.withLock { state in
      if var bytes = state.files[path] {
        change(&bytes)
        state.files[path] = bytes
      }
    }
  }

  /// The paths of all files, sorted.
  package var paths: [String] { state.withLock { $0.files.keys.sorted() } }

  package func read(_ path: String, limitBytes: Int) throws -> [UInt8]? {
    guard let bytes = state.withLock({ $0.files[path] }) else { return nil }
    guard bytes.count <= limitBytes else {
      throw GranaryError(
        .tooLarge, "\(path) has \(bytes.count) bytes; at most \(limitBytes) are read",
        responsible: .environment)
    }
    return bytes
  }

  package func write(_ bytes: [UInt8], atomicallyTo path: String) throws {
    try state.withLock { state in
      let temporary = path + temporaryFileSuffix
      state.files[temporary] = Array(bytes.prefix(bytes.count / 2))
      try Self.step(&state)
      state.files[temporary] = bytes
      try Self.step(&state)
      state.unsynced[path] = .some(state.files[path])
      state.files[temporary] = nil
      state.files[path] = bytes
      try Self.step(&state)
      state.unsynced[path] = nil
    }
  }

  package func list(_ directory: String) throws -> [String] {
    let prefix = directory + "/"
    return state.withLock { state in
      let below = state.files.keys.filter { $0.hasPrefix(prefix) }
      return Array(Set(below.map { String($0.dropFirst(prefix.count).prefix { $0 != "/" }) }))
    }
  }

  package func remove(_ path: String) throws {
    try state.withLock { state in
      try Self.step(&state)
      state.files[path] = nil
    }
  }

  package func rename(_ source: String, to destination: String) throws {
    try state.withLock { state in
      try Self.step(&state)
      state.files[destination] = state.files.removeValue(forKey: source)
    }
  }

  package func createDirectory(_ path: String) throws {}
  package func sizeBytes(of path: String) throws -> Int? {
    state.withLock { $0.files[path]?.count }
  }
  package func freeBytes(at path: String) throws -> Int { 1 << 40 }

  private static func step(_ state: inout State) throws {
    guard let left = state.stepsUntilFailure else { return }
    guard left > 0 else {
      errno = ENOSPC
      throw GranaryError.system("write", "simulated disk")
    }
    state.stepsUntilFailure = left - 1
  }
}
