import Glibc

/// How programs that nobody vouches for are shut in before they start.
///
/// A runner shuts itself in further; a compiler is given the system to read and one directory to write in.
package enum Confinement: Sendable, Hashable {
  /// The program at this path builds namespaces and a read-only view of the files.
  case bubblewrap(path: String)
  /// What the kernel grants an unprivileged process: namespaces, and Landlock for files. Says why not bubblewrap.
  case kernel(reason: String)

  /// Bubblewrap if it is on the search path and works here; in a container it often may not mount.
  package static func find(environment: [String: String]) async -> Confinement {
    let folders = (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
    let paths = folders.filter { $0.hasPrefix("/") }.map { "\($0)/bwrap" }
    guard let path = paths.first(where: { access($0, X_OK) == 0 }) else {
      return .kernel(reason: "bubblewrap is not installed")
    }
    let candidate = Confinement.bubblewrap(path: path)
    let probe = await ToolRun.run(
      ["/bin/true"], confinement: candidate, timeLimit: .seconds(10))
    if probe.status == 0 { return candidate }
    return .kernel(reason: "bubblewrap does not work here: \(probe.failure.prefix(200))")
  }

  /// In words, for people.
  package var description: String {
    switch self {
    case .bubblewrap(let path): "bubblewrap (\(path))"
    case .kernel(let reason): "the kernel's own means, since \(reason)"
    }
  }

  /// The command that runs `command` shut in.
  ///
  /// Not with `--die-with-parent`: that means the thread that starts it, and threads come and go. Whoever dies with
  /// this process notices by itself, or reaches a limit.
  ///
  /// - Parameter writable: the only directory in which files may be changed; `nil` for none.
  func arguments(_ command: [String], directory: String, writable: String?) -> [String] {
    guard case .bubblewrap(let path) = self else { return command }
    let output = writable.map { ["--bind", $0, $0] } ?? []
    return [
      path, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts",
      "--unshare-cgroup-try", "--cap-drop", "ALL", "--ro-bind", "/", "/",
      "--dev", "/dev", "--proc", "/proc",
    ] + output + ["--chdir", directory, "--"] + command
  }

  /// What an exit status of the started program means: bubblewrap turns a signal's number into a status.
  func status(_ status: Int32) -> Int32 {
    if case .bubblewrap = self, (129...192).contains(status) { return 128 - status }
    return status
  }

  var isKernel: Bool {
    if case .kernel = self { true } else { false }
  }
}
