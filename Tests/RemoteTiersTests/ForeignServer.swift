import Glibc
import Support
import TestSupport

/// A server of somebody else, started by the test that needs it and ended with the value.
final class ForeignServer {
  let port: Int
  private let temporary = TemporaryFolder()
  var folder: String { temporary.path }
  private var process = pid_t()

  /// Where a program is, in `PATH` or where Debian puts servers; `nil` when it is not installed.
  static func find(_ program: String) -> String? {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/bin"]
    return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
  }

  /// A port of the loopback interface that nobody listens on.
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard bound else { throw GranaryError.system("bind", "127.0.0.1") }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Starts a program and waits until something listens on its port.
  ///
  /// - Parameter arguments: made from the port and a new folder.
  init(_ program: String, _ arguments: (Int, String) throws -> [String]) throws {
    port = try Self.freePort()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, folder + "/output", O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    var pointers = ([program] + (try arguments(port, folder))).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    guard posix_spawn(&process, program, &actions, nil, &pointers, environ) == 0 else {
      throw GranaryError.system("posix_spawn", program)
    }
    let end = ContinuousClock.now + .seconds(hangLimit)
    while !isListening() {
      guard ContinuousClock.now < end else { throw GranaryError.system("start", program) }
      poll(nil, 0, 20)
    }
  }

  deinit {
    kill(process, SIGKILL)
    _ = Self.status(of: process)
  }

  /// Runs a program to its end.
  ///
  /// - Returns: its status; 0 when all went well.
  static func run(_ program: String, _ arguments: [String]) -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for descriptor in Int32(0)..<3 {
      posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
    }
    var pointers = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    let result = posix_spawn(&process, program, &actions, nil, &pointers, environ)
    return result == 0 ? status(of: process) : result
  }

  private static func status(of process: pid_t) -> Int32 {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status
  }

  private func isListening() -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port).bigEndian)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
