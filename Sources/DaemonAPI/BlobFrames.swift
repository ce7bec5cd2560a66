/// The body that answers `POST /v1/artifacts`: for each digest asked for, in order, the length of its blob as
/// eight bytes, most significant first, then the blob. The largest length says that there is no such blob.
public enum BlobFrames {
  /// The length that stands for a blob that the daemon does not have.
  public static let missing = UInt64.max

  /// The most digests in one request.
  public static let digestLimit = 4096

  /// The length before a blob of `count` bytes, or before nothing.
  package static func length(of count: Int?) -> [UInt8] {
    let length = count.map { UInt64($0) } ?? missing
    return (0..<8).map { UInt8(truncatingIfNeeded: length >> (56 - 8 * $0)) }
  }

  /// The blobs of a complete body, `nil` for each that is missing.
  ///
  /// - Throws: `internal-error` when the body ends in the middle of a frame.
  public static func decode(_ body: [UInt8]) throws(ServiceError) -> [[UInt8]?] {
    var blobs: [[UInt8]?] = []
    var position = 0
    while position < body.count {
      guard body.count - position >= 8 else { throw truncated }
      let length = body[position..<position + 8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      position += 8
      if length == missing {
        blobs.append(nil)
        continue
      }
      guard length <= UInt64(body.count - position) else { throw truncated }
      blobs.append(Array(body[position..<position + Int(length)]))
      position += Int(length)
    }
    return blobs
  }

  private static var truncated: ServiceError {
    ServiceError(.internalError, "the daemon's answer ends in the middle of a blob")
  }
}
