import KernelSpec
import Support

/// Compressed bytes that name themselves: `cache-schema/blob-format.md`.
enum Blob {
  static let headerBytes = 64
  static let limitBytes = 256 << 20
  private static let magic = Array("GRNB".utf8)
  private static let version: UInt8 = 1

  /// - Throws: `too-large` beyond ``limitBytes``, `internal` when zstd fails.
  static func encode(_ bytes: [UInt8], digest: Digest) throws -> [UInt8] {
    guard bytes.count <= limitBytes else {
      throw GranaryError(
        .tooLarge, "a blob of \(bytes.count) bytes; at most \(limitBytes) are stored",
        responsible: .input)
    }
    let frame = try Zstd.compress(bytes)
    var blob = magic + [version, 0, 0, 0]
    blob.reserveCapacity(headerBytes + frame.count)
    blob.append(littleEndian: UInt64(bytes.count))
    blob += digest.bytes
    blob.append(littleEndian: UInt64(frame.count))
    blob += Digest(of: blob).bytes.prefix(8)
    return blob + frame
  }

  /// - Returns: `nil` unless every field agrees and the bytes have this digest.
  static func decode(_ blob: [UInt8], digest: Digest) -> [UInt8]? {
    guard headerFault(of: blob) == nil, blob[16..<48].elementsEqual(digest.bytes) else {
      return nil
    }
    let bytes = Zstd.decompress(blob[headerBytes...], sizeBytes: Int(blob[8...].littleEndianValue))
    guard let bytes, Digest(of: bytes) == digest else { return nil }
    return bytes
  }

  /// What a blob that names itself holds; `nil` when any of it is damaged.
  static func decode(_ blob: [UInt8]) -> [UInt8]? {
    guard blob.count > headerBytes, let digest = Digest(bytes: Array(blob[16..<48])) else {
      return nil
    }
    return decode(blob, digest: digest)
  }

  /// What is wrong with a blob that does not decode, for people.
  static func fault(of blob: [UInt8], digest: Digest) -> String {
    if let fault = headerFault(of: blob) { return fault }
    if !blob[16..<48].elementsEqual(digest.bytes) { return "it names another digest" }
    let bytes = Zstd.decompress(blob[headerBytes...], sizeBytes: Int(blob[8...].littleEndianValue))
    return bytes == nil
      ? "its frame does not decompress to its length" : "its bytes have another digest"
  }

  private static func headerFault(of blob: [UInt8]) -> String? {
    if blob.count <= headerBytes { return "it is cut short" }
    if !blob.starts(with: magic + [version, 0, 0, 0]) { return "it has no header of version 1" }
    if !blob[56..<64].elementsEqual(Digest(of: blob[..<56]).bytes.prefix(8)) {
      return "its header is damaged"
    }
    if blob[48...].littleEndianValue != UInt64(blob.count - headerBytes) {
      return "its length is wrong"
    }
    return blob[8...].littleEndianValue > UInt64(limitBytes) ? "it is too large" : nil
  }
}
