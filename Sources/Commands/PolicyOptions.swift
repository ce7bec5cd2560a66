import ArgumentParser
import DaemonAPI

/// Which kernels a request takes: its policy, and for `locked` the lock file.
struct PolicyOptions: ParsableArguments {
  @Option(help: "cached, baseline, tuned or locked.") var policy: Policy?
  @Option(help: "Take exactly what this file of 'granary lock' names; implies --policy locked.")
  var lock: String?

  /// The policy that the options ask for; `nil` for the daemon's own.
  func policy(_ waiting: WaitOptions) -> Policy? {
    policy ?? (lock != nil ? .locked : waiting.isAsked ? .tuned : nil)
  }

  func lockFile() throws(ServiceError) -> LockFile? {
    guard let lock else { return nil }
    return try LockFile(parsing: try Files.read(lock), name: lock)
  }

  mutating func validate() throws {
    if lock != nil, let policy, policy != .locked {
      throw ValidationError("--lock goes with --policy locked, not with \(policy.rawValue)")
    }
  }
}
