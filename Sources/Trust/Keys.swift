import Crypto
import FoundationEssentials
import KernelSpec
package import Support

/// Half of a pair of Ed25519 keys: says whether its other half signed something.
package struct PublicKey: Sendable, Hashable {
  private static let label = "granary-public-1"

  /// For people; not part of what is trusted.
  package let name: String
  /// 32 bytes.
  package let bytes: [UInt8]

  /// Names the key in signatures: the first 16 hexadecimal digits of its digest.
  package var identifier: String { String(Digest(of: bytes).hex.prefix(16)) }

  /// One line: the label, the name and the key in base64.
  package var text: String { "\(Self.label) \(name) \(Data(bytes).base64EncodedString())" }

  /// - Throws: `bad-key` unless it is such a line.
  package init(parsing text: String) throws {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 3, parts[0] == Self.label,
      let data = Data(base64Encoded: String(parts[2])),
      (try? Curve25519.Signing.PublicKey(rawRepresentation: data)) != nil
    else {
      throw GranaryError(
        .badKey, "a public key is written '\(Self.label) NAME BASE64'", responsible: .input)
    }
    name = String(parts[1])
    bytes = Array(data)
  }

  fileprivate init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }

  /// Whether the other half signed exactly this message.
  package func accepts(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: Data(bytes)) else {
      return false
    }
    return key.isValidSignature(Data(signature), for: Data(message))
  }
}

/// The half that signs. It is written to its file and nowhere else.
package struct SigningKey: Sendable {
  private static let label = "granary-secret-1"

  package let publicKey: PublicKey
  private let secret: [UInt8]

  /// A new pair.
  package init(name: String) throws {
    let key = Curve25519.Signing.PrivateKey()
    try self.init(name: name, key)
  }

  private init(name: String, _ key: Curve25519.Signing.PrivateKey) throws {
    guard !name.isEmpty,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_.@".contains($0)) })
    else {
      throw GranaryError(
        .badKey, "the name of a key has letters, digits and -_.@ only", responsible: .input)
    }
    secret = Array(key.rawRepresentation)
    publicKey = PublicKey(name: name, bytes: Array(key.publicKey.rawRepresentation))
  }

  /// - Throws: `bad-key`, without a word of what was read.
  init(parsing text: String) throws {
    let parts = text.split(whereSeparator: \.isWhitespace)
    guard parts.count == 3, parts[0] == Self.label,
      let data = Data(base64Encoded: String(parts[2])),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: data)
    else {
      throw GranaryError(
        .badKey, "the signing key is damaged; 'granary keys generate' makes one",
        responsible: .environment)
    }
    try self.init(name: String(parts[1]), key)
  }

  /// What its file holds.
  var text: String {
    "\(Self.label) \(publicKey.name) \(Data(secret).base64EncodedString())\n"
  }

  /// 64 bytes.
  package func sign(_ message: [UInt8]) throws -> [UInt8] {
    let key = try Curve25519.Signing.PrivateKey(rawRepresentation: Data(secret))
    return Array(try key.signature(for: Data(message)))
  }
}

extension GranaryError.Code {
  /// A key or its file is not what it should be.
  package static let badKey = Self(rawValue: "bad-key")
}
