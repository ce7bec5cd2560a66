package import DaemonAPI
import FoundationEssentials
import Glibc

/// Who may use a server, and how that is known.
package struct AccessRule: Sendable {
  /// `nil` for a server of the network, which cannot know its clients' users.
  private let roles: Roles?
  /// What every request must show.
  private let token: AccessToken?
  /// Shown to clients of a server that speaks TLS.
  let identity: TLSIdentity?

  private init(roles: Roles?, token: AccessToken?, identity: TLSIdentity?) {
    self.roles = roles
    self.token = token
    self.identity = identity
  }

  /// Users of this machine, over a Unix socket.
  package static func roles(_ roles: Roles) -> AccessRule {
    AccessRule(roles: roles, token: nil, identity: nil)
  }

  /// Clients of the network. Without a token everybody who can connect.
  package static func network(token: AccessToken?, identity: TLSIdentity?) -> AccessRule {
    AccessRule(roles: nil, token: token, identity: identity)
  }

  /// - Returns: `nil` for a peer that nothing is said to.
  func caller(of descriptor: Int32) -> Caller? {
    guard let roles else { return .network }
    return roles.caller(of: descriptor)
  }

  /// Why a request is not served; `nil` when it is.
  func fault(of caller: Caller, authorization: UnsafeRawBufferPointer) -> RequestFault? {
    if caller.role == .none {
      return RequestFault(status: 403, message: caller.refusal(of: "").message)
    }
    if let token, !token.isShown(in: authorization) {
      return RequestFault(
        status: 401, message: "this server takes requests with its token, as bearer or password")
    }
    return nil
  }
}

/// The secret that clients of the network share with a server. Never printed.
package struct AccessToken: Sendable, CustomStringConvertible {
  private let secret: [UInt8]

  package init(_ text: String) { secret = Array(text.utf8) }

  /// Reads the secret from a file: its first line.
  ///
  /// - Throws: `environment` when others may read the file, or when it has too little to be a secret.
  package init(file: String) throws(ServiceError) {
    var status = stat()
    guard stat(file, &status) == 0, let contents = FileManager.default.contents(atPath: file) else {
      throw ServiceError(.environment, "cannot read the token in \(file)")
    }
    guard Int(status.st_mode) & 0o077 == 0 else {
      throw ServiceError(
        .environment, "others may read the token in \(file): run 'chmod go-rwx \(file)'")
    }
    secret = Array(contents.prefix { $0 > 0x20 && $0 < 0x7F })
    guard secret.count >= 16 else {
      throw ServiceError(
        .environment, "the token in \(file) must have at least 16 visible characters in one line")
    }
  }

  package var description: String { "a token" }

  /// Whether a header `Authorization` shows the secret, as `Bearer` or as the password of `Basic`.
  func isShown(in header: UnsafeRawBufferPointer) -> Bool {
    guard let space = header.firstIndex(of: 0x20), header.count <= 4096 else { return false }
    let value = header[(space + 1)...].drop { $0 == 0x20 }
    switch String(decoding: header[..<space], as: UTF8.self).lowercased() {
    case "bearer": return isSecret(Array(value))
    case "basic":
      guard let decoded = Data(base64Encoded: Data(value)),
        let colon = decoded.firstIndex(of: UInt8(ascii: ":"))
      else { return false }
      return isSecret(Array(decoded[(colon + 1)...]))
    default: return false
    }
  }

  /// Takes the same time wherever the first difference is.
  private func isSecret(_ shown: [UInt8]) -> Bool {
    guard shown.count == secret.count else { return false }
    return zip(shown, secret).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
