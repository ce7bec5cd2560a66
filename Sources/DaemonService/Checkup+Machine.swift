import CacheStore
import DaemonAPI
import Glibc
import Hardware
import Optimization
import RemoteTiers
import Support
import Trust

/// What an operator of the machine must have set right.
extension Checkup {
  /// Others must neither read nor change what is stored and who is trusted. Who may connect to the socket, the daemon
  /// asks the kernel.
  var permissions: DoctorReport.Finding {
    var faults: [String] = []
    for path in [locations.store, locations.keys, locations.configuration] {
      var status = stat()
      guard lstat(path, &status) == 0 else { continue }
      if status.st_uid != geteuid() { faults.append("\(path) belongs to another user") }
      let open = path == locations.configuration ? 0o022 : 0o077
      if Int(status.st_mode) & open != 0, Int(status.st_mode) & 0o170000 != 0o120000 {
        faults.append("others may open \(path): run 'chmod go-rwx \(path)'")
      }
    }
    return faults.isEmpty
      ? .init(
        subject: "permissions", state: .good,
        message: "store and keys are this user's alone; the socket asks who connects")
      : .init(subject: "permissions", state: .bad, message: faults.joined(separator: "; "))
  }

  /// The index must not lie where its locks do not hold.
  var fileSystem: DoctorReport.Finding {
    let networks = [
      "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "fuse.sshfs", "glusterfs",
    ]
    let mounts = SystemFiles().text(at: "/proc/self/mountinfo") ?? ""
    if let kind = Self.fileSystem(of: locations.store, in: mounts), networks.contains(kind) {
      return .init(
        subject: "file system", state: .bad,
        message:
          "the store is on \(kind), where the index is not safe: set GRANARY_HOME to a local disk "
          + "and share kernels through 'tiers'")
    }
    var status = statvfs()
    guard statvfs(locations.store, &status) == 0 else {
      return .init(
        subject: "file system", state: .bad, message: "\(locations.store) cannot be looked at")
    }
    let free = status.f_files > 0 ? Double(status.f_favail) / Double(status.f_files) : 1
    return free < 0.02
      ? .init(
        subject: "file system", state: .warning,
        message: "fewer than 2 % of its files are free; run 'granary gc --max-entries N'")
      : .init(subject: "file system", state: .good, message: "local, with files to spare")
  }

  /// The kind of file system that a path is on, after the table of mounts; `nil` when that does not tell.
  ///
  /// Source: proc(5), `/proc/pid/mountinfo`.
  static func fileSystem(of path: String, in mounts: String) -> String? {
    var best: (length: Int, kind: String)?
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count > 4, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else {
        continue
      }
      let point = fields[4] == "/" ? "" : String(fields[4])
      guard path == point || path.hasPrefix(point + "/") else { continue }
      if point.count >= best?.length ?? 0 { best = (point.count, String(fields[dash + 1])) }
    }
    return best?.kind
  }

  /// Ages and leases need a clock that does not go back.
  var clock: DoctorReport.Finding {
    let now = library.time.wallSeconds
    let newest = (try? library.store.entries(limit: 1).first?.lastUsed) ?? 0
    // 2026-01-01: no Granary is older.
    guard now > 1_767_225_600, now > newest - 60 else {
      return .init(
        subject: "clock", state: .bad,
        message:
          "it is behind what the store has seen; set it, and run a time service: ages and leases need it"
      )
    }
    return .init(subject: "clock", state: .good, message: "not behind what the store has seen")
  }

  var keys: DoctorReport.Finding {
    guard let ring = library.trust?.ring else {
      return .init(subject: "keys", state: .good, message: "none are used")
    }
    do {
      let own =
        try ring.signingKey().map { "signs as \($0.publicKey.identifier)" } ?? "signs nothing"
      return .init(
        subject: "keys", state: .good,
        message: "\(own); trusts \(try ring.trusted().count) keys of others, in \(ring.directory)")
    } catch {
      return .init(subject: "keys", state: .bad, message: "\(error)")
    }
  }

  /// One finding for each tier, of how it has done since the start.
  var tiers: [DoctorReport.Finding] {
    guard let shared = library.sharedKernels else {
      return [
        .init(subject: "tiers", state: .good, message: "none are set; this machine is by itself")
      ]
    }
    guard !shared.tiers.isOffline else {
      return [
        .init(
          subject: "tiers", state: .good,
          message: "offline: \(shared.tiers.statistics.count) tiers are set, and none is asked")
      ]
    }
    let waiting = (try? library.store.uploadsWaiting()) ?? 0
    return shared.tiers.statistics.map { tier in
      let counts =
        "\(tier.asked) asked, \(tier.found) found, \(tier.bytesRead >> 10) KiB read, "
        + "\(tier.bytesWritten >> 10) KiB written"
      let access = shared.tiers.isWritable ? "\(waiting) uploads wait" : "read only"
      guard tier.failures > 0 else {
        return .init(
          subject: "tier \(tier.name)", state: .good, message: "\(counts); \(access)")
      }
      return .init(
        subject: "tier \(tier.name)", state: .warning,
        message:
          "\(counts); \(tier.failures) failures, the last: \(tier.lastFailure ?? ""); it is asked again "
          + "by itself, and nothing waits for it; \(access)")
    }
  }
}
