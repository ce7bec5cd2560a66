import KernelSpec
import Support

/// The checksum of a row of `revisions`, because SQLite does not notice a changed bit.
enum Seal {
  static func digest(
    key: Digest, number: Int, verdict: String, artifact: Digest, manifest: String, evidence: String
  ) -> Digest {
    var bytes: [UInt8] = []
    let parts: [[UInt8]] = [
      key.bytes, Array(String(number).utf8), Array(verdict.utf8), artifact.bytes,
      Array(manifest.utf8), Array(evidence.utf8),
    ]
    for part in parts {
      bytes.append(littleEndian: UInt64(part.count))
      bytes += part
    }
    return Digest(of: bytes)
  }
}
