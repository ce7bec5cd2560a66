import Glibc

/// Where Granary keeps its files for one user.
///
/// `GRANARY_HOME` holds everything when it is set. Otherwise the XDG directories are used, and without a
/// home directory a directory in `/tmp` named for the user's number.
package struct GranaryDirectories: Sendable, Hashable {
  package var store: String
  package var configurationFile: String
  package var logs: String
  package var runtime: String
  package var socket: String { runtime + "/granary.sock" }

  package init(environment: [String: String], userID: UInt32 = getuid()) {
    func value(_ name: String) -> String? {
      environment[name].flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    if let home = value("GRANARY_HOME") {
      store = home + "/store"
      configurationFile = home + "/config.json"
      logs = home + "/log"
      runtime = home + "/run"
      return
    }
    let home = value("HOME") ?? "/tmp/granary-\(userID)"
    let state = (value("XDG_STATE_HOME") ?? home + "/.local/state") + "/granary"
    store = (value("XDG_CACHE_HOME") ?? home + "/.cache") + "/granary/store"
    configurationFile = (value("XDG_CONFIG_HOME") ?? home + "/.config") + "/granary/config.json"
    logs = state + "/log"
    runtime = value("XDG_RUNTIME_DIR").map { $0 + "/granary" } ?? state + "/run"
  }

  /// Creates the store, log and runtime directories with mode 0700.
  package func create(in fileSystem: some FileSystem) throws {
    for directory in [store, logs, runtime] { try fileSystem.createDirectory(directory) }
  }
}
