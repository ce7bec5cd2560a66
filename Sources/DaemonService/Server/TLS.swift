import CLinux
package import DaemonAPI
import Glibc

/// The certificate and key that a server shows, read once.
///
/// Unchecked: OpenSSL counts references to a context with atomics and locks it, and nothing else is in here.
package final class TLSIdentity: @unchecked Sendable {
  fileprivate let context: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - certificate: a PEM file with the certificate and its chain.
  ///   - key: a PEM file with its key.
  /// - Throws: `environment` that says what OpenSSL does not like.
  package init(certificate: String, key: String) throws(ServiceError) {
    var failure = [CChar](repeating: 0, count: 256)
    guard let context = granary_tls_identity(certificate, key, &failure, failure.count) else {
      let text = String(
        decoding: failure.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw ServiceError(.environment, "no TLS with \(certificate) and \(key): \(text)")
    }
    self.context = context
    // OpenSSL writes to sockets without MSG_NOSIGNAL.
    signal(SIGPIPE, SIG_IGN)
  }

  deinit { granary_tls_identity_free(context) }
}

/// TLS on one connection. Belongs to the loop's thread.
///
/// Its calls answer as those of the socket do: -1 with `errno`, which is `EAGAIN` while nothing can be done.
final class TLSSession {
  private let session: UnsafeMutableRawPointer

  init?(_ identity: TLSIdentity, descriptor: Int32) {
    guard let session = granary_tls_session(identity.context, descriptor) else { return nil }
    self.session = session
  }

  deinit { granary_tls_session_free(session) }

  /// Whether there is input that the socket no longer tells of.
  var hasInput: Bool { granary_tls_pending(session) > 0 }

  func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
    Self.answer(granary_tls_receive(session, buffer.baseAddress, buffer.count))
  }

  func send(_ bytes: UnsafeRawBufferPointer) -> Int {
    let sent = Self.answer(granary_tls_send(session, bytes.baseAddress, bytes.count))
    guard sent == 0 else { return sent }
    errno = EPIPE
    return -1
  }

  private static func answer(_ result: Int) -> Int {
    guard result < 0 else { return result }
    errno = result == Int(GRANARY_TLS_BLOCKED) ? EAGAIN : EPIPE
    return -1
  }
}
