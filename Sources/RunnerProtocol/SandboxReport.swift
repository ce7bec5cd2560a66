/// Which protections are in force around a kernel that runs in a runner.
package struct SandboxReport: Sendable, Hashable {
  package var layers: Layers
  /// The version of Landlock's interface, or 0.
  package var landlockVersion: Int

  package init(layers: Layers = [], landlockVersion: Int = 0) {
    self.layers = layers
    self.landlockVersion = landlockVersion
  }

  package struct Layers: OptionSet, Sendable, Hashable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }

    /// Limits on memory, processor time, files and processes.
    package static let resourceLimits = Layers(rawValue: 1)
    /// No new privileges, no core dumps, not traceable.
    package static let noPrivileges = Layers(rawValue: 2)
    /// User, network and System V namespaces of its own.
    package static let namespaces = Layers(rawValue: 4)
    /// Landlock: no file can be opened.
    package static let files = Layers(rawValue: 8)
    /// seccomp: only messages, futexes, clocks and exit.
    package static let systemCalls = Layers(rawValue: 16)
    /// seccomp, with the calls that a device driver needs.
    package static let driverSystemCalls = Layers(rawValue: 32)
    /// Landlock: files can be read; they can be changed only in a directory that is removed
    /// afterwards.
    package static let fileChanges = Layers(rawValue: 64)
    /// A process namespace of its own: no other process can be seen or signalled, and none outlives it.
    package static let processes = Layers(rawValue: 128)
    /// Bubblewrap: all file systems are read-only.
    package static let readOnlyFiles = Layers(rawValue: 256)
  }

  /// One line for each protection: its name and whether it is in force.
  package var lines: [(name: String, inForce: Bool)] {
    [
      ("resource limits", layers.contains(.resourceLimits)),
      ("no new privileges", layers.contains(.noPrivileges)),
      ("namespaces", layers.contains(.namespaces)),
      ("processes of its own", layers.contains(.processes)),
      ("file access denied (Landlock)", !layers.isDisjoint(with: [.files, .fileChanges])),
      (
        "system calls denied (seccomp)",
        !layers.isDisjoint(with: [.systemCalls, .driverSystemCalls])
      ),
    ]
  }
}
