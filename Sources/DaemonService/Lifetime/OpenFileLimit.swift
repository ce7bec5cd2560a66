import DaemonAPI
import Glibc

/// How many files and sockets the daemon may have open at once.
enum OpenFileLimit {
  /// For the database, compilers and runners with their pipes, and some dozens of clients.
  static let least: UInt64 = 256

  /// Raises the limit to what the system allows.
  ///
  /// - Throws: `environment` when that is too few: later the first thing to fail would be blamed, whatever it is.
  static func raise() throws(ServiceError) {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    if limit.rlim_cur < limit.rlim_max {
      limit.rlim_cur = limit.rlim_max
      setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
      getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
    guard limit.rlim_cur >= least else {
      throw ServiceError(
        .environment,
        "only \(limit.rlim_cur) files may be open at once, and granaryd needs \(least): raise the limit "
          + "('ulimit -Hn', or LimitNOFILE= of a systemd unit)")
    }
  }
}
