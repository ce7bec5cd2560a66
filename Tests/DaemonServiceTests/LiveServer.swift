import DaemonAPI
import DaemonService
import Glibc
import Logging
import ServiceLifecycle
import Testing

/// Runs a body against a server on a socket in a folder of its own, and ends the server gracefully after it.
func withServer(
  requestSeconds: Double = 30, limits: RequestLimits = RequestLimits(),
  service: MemoryService = MemoryService(), defaults: RequestDefaults = RequestDefaults(),
  _ body: @escaping @Sendable (LiveServer) async throws -> Void
) async throws {
  let folder = try temporaryFolder()
  let path = folder + "/granary.sock"
  let hotSet = HotSet(capacityBytes: 16 << 20)
  service.onChange { hotSet.invalidate($0) }
  var options = HTTPServer.Options()
  options.requestSeconds = requestSeconds
  options.limits = limits
  let logger = Logger(label: "test") { JSONLogHandler(label: $0, level: .critical) }
  let server = HTTPServer(
    listener: try ListeningSocket.open(path, environment: [:]),
    router: Router(
      service: service, hotSet: hotSet, counters: ServerCounters(),
      configuration: ConfigurationReport(settings: []),
      greeting: Greeting(version: "test", processIdentifier: 1, startedAt: 0),
      defaults: defaults),
    options: options, logger: logger)
  let group = ServiceGroup(
    configuration: ServiceGroupConfiguration(services: [server], logger: logger))
  let live = LiveServer(path: path, service: service, hotSet: hotSet, group: group)
  try await withThrowingTaskGroup(of: Void.self) { tasks in
    tasks.addTask { try await group.run() }
    do {
      try await body(live)
    } catch {
      await group.triggerGracefulShutdown()
      throw error
    }
    await group.triggerGracefulShutdown()
    try await tasks.waitForAll()
  }
}

struct LiveServer: Sendable {
  let path: String
  let service: MemoryService
  let hotSet: HotSet
  let group: ServiceGroup
}

func temporaryFolder() throws -> String {
  var template = Array("/tmp/granary-test-XXXXXX".utf8CString)
  let path = try #require(mkdtemp(&template))
  return String(cString: path)
}

/// A connection that sends whatever bytes it is told to.
final class RawConnection {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let result = try UnixAddress.with(path) { [descriptor] in connect(descriptor, $0, $1) }
    try #require(result == 0)
    // Against a hang, not a measure: other tests may hold both cores for long.
    var limit = timeval(tv_sec: 300, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ text: String) {
    _ = Glibc.send(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL))
  }

  /// Everything until the server closes.
  func readToEnd() -> String {
    var all: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(descriptor, &piece, piece.count, 0)
      if count <= 0 { return String(decoding: all, as: UTF8.self) }
      all += piece[..<count]
    }
  }
}
