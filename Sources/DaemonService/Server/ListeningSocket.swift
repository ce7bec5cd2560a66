package import DaemonAPI
import Glibc

/// A socket that listens, and for a Unix socket the lock that makes this daemon the only one behind it.
package struct ListeningSocket: Sendable {
  /// The path of a Unix socket, or the address of another.
  package let name: String
  let descriptor: Int32
  /// Held as long as the process lives; `nil` for a socket that systemd passed, or of the network.
  private let lock: Int32?

  init(name: String, descriptor: Int32, lock: Int32?) {
    self.name = name
    self.descriptor = descriptor
    self.lock = lock
  }

  /// Takes the socket that systemd passed, or makes one at `path`, which only its owner can open unless `isShared`.
  ///
  /// A socket left by a daemon that died is replaced; one that somebody listens on never is.
  ///
  /// - Throws: `conflict` when another daemon runs, `environment` when the socket cannot be made.
  package static func open(
    _ path: String, environment: [String: String], isShared: Bool = false
  ) throws(ServiceError) -> ListeningSocket {
    if let inherited = try inherited(environment) {
      return ListeningSocket(name: path, descriptor: inherited, lock: nil)
    }
    try makeFolder(of: path, mode: isShared ? 0o711 : 0o700)
    let lock = try takeLock(path + ".lock", for: path)
    do throws(ServiceError) {
      try removeStale(path)
      return ListeningSocket(
        name: path, descriptor: try bindAndListen(path, mode: isShared ? 0o666 : 0o600),
        lock: lock)
    } catch {
      Glibc.close(lock)
      throw error
    }
  }

  /// Removes the socket from the file system and gives the lock back. The descriptor belongs to the server.
  func remove() {
    guard let lock else { return }
    unlink(name)
    Glibc.close(lock)
  }

  /// Source: sd_listen_fds(3): descriptors begin at 3 and are for the process that `LISTEN_PID` names.
  private static func inherited(_ environment: [String: String]) throws(ServiceError) -> Int32? {
    guard environment["LISTEN_PID"].flatMap({ Int32($0) }) == getpid(),
      let count = environment["LISTEN_FDS"].flatMap({ Int($0) }), count >= 1
    else { return nil }
    guard option(SO_DOMAIN, of: 3) == AF_UNIX, option(SO_ACCEPTCONN, of: 3) == 1,
      option(SO_TYPE, of: 3) == Int32(SOCK_STREAM.rawValue)
    else {
      throw ServiceError(
        .environment, "LISTEN_FDS passes no listening Unix stream socket as descriptor 3")
    }
    _ = fcntl(3, F_SETFD, FD_CLOEXEC)
    setNonBlocking(3)
    return 3
  }

  private static func option(_ name: Int32, of descriptor: Int32) -> Int32? {
    var value: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : nil
  }

  /// A client may leave between the poller's word and the call that accepts it.
  private static func setNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  }

  private static func makeFolder(of path: String, mode: mode_t) throws(ServiceError) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    var folder = ""
    for part in parts where !part.isEmpty {
      folder += (folder.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
      if mkdir(folder, mode) != 0, errno != EEXIST {
        throw failure("cannot make the folder \(folder)")
      }
    }
  }

  private static func takeLock(_ path: String, for socket: String) throws(ServiceError) -> Int32 {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("cannot open the lock \(path)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      Glibc.close(descriptor)
      throw alreadyRuns(socket)
    }
    return descriptor
  }

  private static func removeStale(_ path: String) throws(ServiceError) {
    let probe = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    guard probe >= 0 else { throw failure("cannot make a socket") }
    defer { Glibc.close(probe) }
    let connected = try UnixAddress.with(path) { connect(probe, $0, $1) }
    if connected == 0 { throw alreadyRuns(path) }
    guard errno == ECONNREFUSED else {
      if errno == ENOENT { return }
      throw failure("\(path) is in the way of the socket")
    }
    guard unlink(path) == 0 else { throw failure("cannot remove the stale socket \(path)") }
  }

  private static func bindAndListen(_ path: String, mode: mode_t) throws(ServiceError)
    -> Int32
  {
    let descriptor = socket(
      AF_UNIX,
      Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { throw failure("cannot make a socket") }
    // The file gets the mode of the socket, less the process's mask: it is never open to more than it should be. A
    // mask of our own would for a moment be that of all threads.
    fchmod(descriptor, mode)
    let bound = try UnixAddress.with(path) { bind(descriptor, $0, $1) }
    guard bound == 0, chmod(path, mode) == 0, listen(descriptor, 512) == 0 else {
      let error = failure("cannot listen on \(path)")
      Glibc.close(descriptor)
      throw error
    }
    return descriptor
  }

  private static func alreadyRuns(_ path: String) -> ServiceError {
    ServiceError(
      .conflict, "another daemon already serves \(path); stop it, or set another GRANARY_HOME",
      who: .environment)
  }

  static func failure(_ what: String) -> ServiceError {
    ServiceError(.environment, "\(what): \(String(cString: strerror(errno)))")
  }
}
