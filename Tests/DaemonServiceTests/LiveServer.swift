import CacheStore
import DaemonAPI
import DaemonClient
import DaemonService
import Glibc
import Logging
import ServiceLifecycle
import Support
import TestSupport
import Testing

/// Runs a body against a server on a socket in a folder of its own, and ends the server gracefully after it.
func withServer(
  options: HTTPServer.Options = HTTPServer.Options(), service: MemoryService = MemoryService(),
  defaults: RequestDefaults = RequestDefaults(),
  _ body: @escaping @Sendable (LiveServer) async throws -> Void
) async throws {
  let folder = TemporaryFolder()
  let path = folder.file("granary.sock")
  let hotSet = HotSet(capacityBytes: 16 << 20)
  service.onChange { hotSet.invalidate($0) }
  let logger = Logger(label: "test") { JSONLogHandler(label: $0, level: .critical) }
  let counters = ServerCounters()
  let server = HTTPServer(
    listener: try ListeningSocket.open(path, environment: [:]),
    responder: Router(
      service: service, hotSet: hotSet, counters: counters,
      configuration: ConfigurationReport(settings: []),
      greeting: Greeting(version: "test", processIdentifier: 1, startedAt: 0),
      defaults: defaults,
      foreign: ForeignArtifacts(folder: folder.path + "/foreign", limitBytes: 1 << 20)),
    options: options, logger: logger)
  let group = ServiceGroup(
    configuration: ServiceGroupConfiguration(services: [server], logger: logger))
  let live = LiveServer(
    path: path, service: service, hotSet: hotSet, counters: counters, group: group)
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
  withExtendedLifetime(folder) {}
}

struct LiveServer: Sendable {
  let path: String
  let service: MemoryService
  let hotSet: HotSet
  let counters: ServerCounters
  let group: ServiceGroup

  /// Calls `body` with a client, on a thread of its own: it blocks, and the server needs the cooperative threads.
  func ask<Value: Sendable>(_ body: @escaping @Sendable (DaemonClient) throws -> Value) async throws
    -> Value
  {
    try await OwnThread.run { [path] in
      try body(DaemonClient(socketPath: path, timeoutSeconds: hangLimit))
    }
  }

  /// Sends `text` over a connection of its own and returns everything until the server closes.
  func exchange(_ text: String) async throws -> String {
    let connection = try RawConnection(path)
    connection.send(text)
    return try await connection.readToEnd()
  }

  /// Waits until exactly `count` connections are open.
  func untilConnected(_ count: Int) async {
    while counters.connections != count { await Task.yield() }
  }
}

/// A connection that sends whatever bytes it is told to.
final class RawConnection: Sendable {
  private let descriptor: Int32

  init(_ path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let result = try UnixAddress.with(path) { [descriptor] in connect(descriptor, $0, $1) }
    try #require(result == 0)
    // Against a hang, not a measure: other tests may hold both cores for long.
    var limit = timeval(tv_sec: Int(hangLimit), tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Sends few bytes: more than the socket's buffer would block.
  func send(_ bytes: [UInt8]) {
    _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  /// Says that no more bytes will come.
  func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

  /// Everything until the server closes, read on a thread of its own.
  func readToEnd() async throws -> String {
    try await OwnThread.run { [self] in
      var all: [UInt8] = []
      while case let piece = read(atMost: 65536), !piece.isEmpty { all += piece }
      return String(decoding: all, as: UTF8.self)
    }
  }

  /// As many bytes, unless the server closes before.
  func read(_ count: Int) async throws -> [UInt8] {
    try await OwnThread.run { [self] in
      var all: [UInt8] = []
      while all.count < count, case let piece = read(atMost: count - all.count), !piece.isEmpty {
        all += piece
      }
      return all
    }
  }

  private func read(atMost limit: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      count = max(0, recv(descriptor, buffer.baseAddress, limit, 0))
    }
  }
}
