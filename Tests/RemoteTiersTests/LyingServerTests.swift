import Glibc
import KernelSpec
import RemoteTiers
import Support
import Testing

/// A server of one answer, whatever it is asked.
private final class LyingServer: Sendable {
  let port: UInt16
  private let descriptor: Int32
  private let answer: String
  private let isSilent: Bool

  /// - Parameter isSilent: whether it keeps the connection open after the answer.
  init(answer: String, isSilent: Bool) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var place = sockaddr_in()
    place.sin_family = sa_family_t(AF_INET)
    place.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &place) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && listen(descriptor, 8) == 0
          && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isBound else { throw GranaryError.system("bind", "the loopback interface") }
    self.descriptor = descriptor
    port = UInt16(bigEndian: place.sin_port)
    self.answer = answer
    self.isSilent = isSilent
  }

  /// Answers until the end.
  func serve() {
    var open: [Int32] = []
    while true {
      let client = accept(descriptor, nil, nil)
      guard client >= 0 else { break }
      var request = [UInt8](repeating: 0, count: 4096)
      _ = recv(client, &request, request.count, 0)
      _ = send(client, answer, answer.utf8.count, Int32(MSG_NOSIGNAL))
      if isSilent { open.append(client) } else { close(client) }
    }
    for client in open { close(client) }
  }

  func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

  deinit { close(descriptor) }
}

@Suite struct LyingServerTests {
  @Test(
    "an answer that is cut short, or never ends, is no value and costs no more than its time",
    arguments: [
      ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234567890", false),
      ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n1234567890", true),
      ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n123", false),
      ("HTTP/1.1 200 OK\r\nContent-", true), ("", true), ("", false),
      ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", false),
    ])
  func lies(answer: String, isSilent: Bool) async throws {
    let server = try LyingServer(answer: answer, isSilent: isSilent)
    let tier = HTTPTier(base: "http://127.0.0.1:\(server.port)", timeoutSeconds: 1)
    let digest = Digest(of: [7])
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await OwnThread.run { server.serve() } }
      for address in [RemoteAddress.blob(digest), RemoteAddress.record(key: digest)] {
        await #expect(throws: GranaryError.self) { try await tier.get(address) }
      }
      server.end()
      try await group.waitForAll()
    }
  }
}
