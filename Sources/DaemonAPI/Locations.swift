import Glibc
import Support

/// Where Granary keeps its things.
///
/// `GRANARY_HOME` puts everything under one folder; without it the XDG base directories are used.
public struct Locations: Sendable, Hashable {
  public var socket: String
  /// The folder of the store.
  public var store: String
  public var configuration: String
  public var logs: String
  /// The folder of the keys that sign and that are trusted.
  public var keys: String {
    (configuration.lastIndex(of: "/").map { String(configuration[..<$0]) } ?? ".") + "/keys"
  }

  /// The folder beside the store in which clients find kernels without the daemon.
  public var published: String { store.parentDirectory + "/published" }

  /// The folder beside the store of what clients of the server of `/ac` and `/cas` put there.
  package var shelf: String { store.parentDirectory + "/served" }

  public init(socket: String, store: String, configuration: String, logs: String) {
    self.socket = socket
    self.store = store
    self.configuration = configuration
    self.logs = logs
  }

  /// Everything under `home`.
  public init(home: String) {
    self.init(
      socket: home + "/granary.sock", store: home + "/store",
      configuration: home + "/granary.conf", logs: home + "/logs")
  }

  /// The places that the environment gives.
  ///
  /// Source: XDG Base Directory Specification 0.8. Without `XDG_RUNTIME_DIR`, the socket is in the cache folder.
  public init(environment: [String: String]) {
    func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    if let home = value("GRANARY_HOME") {
      self.init(home: home)
    } else {
      let user = value("HOME") ?? "/"
      let cache = (value("XDG_CACHE_HOME") ?? user + "/.cache") + "/granary"
      let state = (value("XDG_STATE_HOME") ?? user + "/.local/state") + "/granary"
      let settings = (value("XDG_CONFIG_HOME") ?? user + "/.config") + "/granary"
      let runtime = value("XDG_RUNTIME_DIR").map { $0 + "/granary" } ?? cache
      self.init(
        socket: runtime + "/granary.sock", store: cache + "/store",
        configuration: settings + "/granary.conf", logs: state)
    }
    if let socket = value("GRANARY_SOCKET") { self.socket = socket }
  }
}

/// The environment of this process.
package func processEnvironment() -> [String: String] {
  var variables: [String: String] = [:]
  var pointer = environ
  while let entry = pointer.pointee {
    let pair = String(cString: entry).split(separator: "=", maxSplits: 1)
    if let name = pair.first {
      variables[String(name)] = pair.count > 1 ? String(pair[1]) : ""
    }
    pointer += 1
  }
  return variables
}
