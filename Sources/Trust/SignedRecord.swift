package import FoundationEssentials
package import KernelSpec
import Support

/// What one machine tells another about a kernel, signed: which bytes are the kernel of a key, and why they may be
/// believed to be.
///
/// The signature covers all but the name and the signatures themselves, so neither the bytes nor the evidence nor the
/// spec can be exchanged for others.
package struct SignedRecord: Sendable, Hashable, Codable {
  /// The version of the format.
  package private(set) var granaryRecord = 1
  package var key: Digest
  /// The canonical text of the spec.
  package var spec: String
  /// For people.
  package var name: String
  package var hardware: String
  package var verdict: String
  package var artifact: Digest
  package var source: Digest
  /// JSON texts, as the store keeps them.
  package var manifest: String
  package var evidence: String
  package var searchSeconds: Double
  package var signatures: [Signature] = []

  package struct Signature: Sendable, Hashable, Codable {
    /// Names the key that made it.
    package var signer: String
    /// Of 64 bytes, in base64.
    package var bytes: Data

    package init(signer: String, bytes: [UInt8]) {
      self.signer = signer
      self.bytes = Data(bytes)
    }
  }

  package init(
    key: Digest, spec: String, name: String, hardware: String, verdict: String, artifact: Digest,
    source: Digest, manifest: String, evidence: String, searchSeconds: Double
  ) {
    self.key = key
    self.spec = spec
    self.name = name
    self.hardware = hardware
    self.verdict = verdict
    self.artifact = artifact
    self.source = source
    self.manifest = manifest
    self.evidence = evidence
    self.searchSeconds = searchSeconds
  }

  /// The bytes that are signed: each part with its length before it, so that no two records run together.
  package var message: [UInt8] {
    let parts: [[UInt8]] = [
      Array("granary-record-1".utf8), key.bytes, Array(spec.utf8), Array(hardware.utf8),
      Array(verdict.utf8), artifact.bytes, source.bytes, Array(manifest.utf8),
      Array(evidence.utf8), Array("\(searchSeconds)".utf8),
    ]
    var message: [UInt8] = []
    for part in parts {
      message.append(littleEndian: UInt64(part.count))
      message += part
    }
    return message
  }

  package mutating func sign(with key: SigningKey) throws {
    let identifier = key.publicKey.identifier
    signatures.removeAll { $0.signer == identifier }
    signatures.append(Signature(signer: identifier, bytes: try key.sign(message)))
  }

  /// The first of the keys whose signature it carries; `nil` when none signed it as it is.
  package func signer(among keys: [PublicKey]) -> PublicKey? {
    let message = message
    return keys.first { key in
      signatures.contains {
        $0.signer == key.identifier && key.accepts(Array($0.bytes), of: message)
      }
    }
  }

  package func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// - Returns: `nil` for what is no record of this version.
  package static func decode(_ bytes: [UInt8]) -> SignedRecord? {
    guard let record = try? JSONDecoder().decode(SignedRecord.self, from: Data(bytes)),
      record.granaryRecord == 1
    else { return nil }
    return record
  }
}
