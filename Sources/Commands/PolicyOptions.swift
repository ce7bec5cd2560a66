import ArgumentParser
import DaemonAPI

/// Which kernels a request takes: its policy, and for `locked` the lock file.
struct PolicyOptions: ParsableArguments {
  @Option(help: "cached, baseline, tuned or locked.") var policy: Policy?
  @Option(help: "Take exactly what this file of 'granary lock' names; implies --policy locked.")
  var lock: String?
  @Flag(help: "Take exactly what ./granary.lock names; the same as --lock granary.lock.")
  var locked = false
  @Option(help: "Whose entries those become that are new.") var namespace: String?

  /// The lock file that is asked for.
  private var lockPath: String? { lock ?? (locked ? LockFile.defaultName : nil) }

  /// The policy that the options ask for; `nil` for the daemon's own.
  func policy(_ waiting: WaitOptions) -> Policy? {
    policy ?? (lockPath != nil ? .locked : waiting.isAsked ? .tuned : nil)
  }

  func lockFile() throws(ServiceError) -> LockFile? {
    guard let lockPath else { return nil }
    return try LockFile(parsing: try Files.read(lockPath), name: lockPath)
  }

  mutating func validate() throws {
    if lockPath != nil, let policy, policy != .locked {
      throw ValidationError("--lock goes with --policy locked, not with \(policy.rawValue)")
    }
  }
}
