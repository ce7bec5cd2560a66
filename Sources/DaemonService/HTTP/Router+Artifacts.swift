import DaemonAPI
import KernelSpec
import NIOCore

/// Artifacts as bytes: one, or many in one response. What was read stays in the hot set.
extension Router {
  private static let type = "application/octet-stream"

  func artifact(_ digest: Digest) async throws(ServiceError) -> Response {
    guard let bytes = try await bytes(of: digest) else {
      throw ServiceError(.notFound, "no artifact has the digest \(digest)")
    }
    return .complete(status: 200, type: Self.type, body: [bytes])
  }

  /// Many artifacts, in the frames of `BlobFrames`. The blobs themselves are not copied.
  func artifacts(_ body: ByteBuffer) async throws(ServiceError) -> Response {
    let digests = try digests(in: body)
    let hot = hotSet.artifacts(digests.map(ArtifactAddress.init))
    var lengths = ByteBuffer()
    lengths.reserveCapacity(digests.count * 8)
    var blobs: [ByteBuffer?] = []
    for (digest, response) in zip(digests, hot) {
      let blob: ByteBuffer?
      if let response { blob = Self.body(of: response) } else { blob = try await bytes(of: digest) }
      lengths.writeInteger(blob.map { UInt64($0.readableBytes) } ?? BlobFrames.missing)
      blobs.append(blob)
    }
    var pieces: [ByteBuffer] = []
    pieces.reserveCapacity(digests.count * 2)
    for (index, blob) in blobs.enumerated() {
      if let length = lengths.getSlice(at: index * 8, length: 8) { pieces.append(length) }
      if let blob { pieces.append(blob) }
    }
    return .complete(status: 200, type: Self.type, body: pieces)
  }

  private func bytes(of digest: Digest) async throws(ServiceError) -> ByteBuffer? {
    guard let bytes = try await service.artifact(digest) else { return nil }
    var response = ResponseHead.make(
      status: 200, type: Self.type, length: bytes.count, keepsAlive: true)
    response.writeBytes(bytes)
    hotSet.keep(artifact: response, for: ArtifactAddress(digest))
    return Self.body(of: response)
  }

  /// The blob inside a complete response, sharing its memory: all behind the empty line.
  private static func body(of response: ByteBuffer) -> ByteBuffer {
    let view = response.readableBytesView
    var index = view.startIndex
    while index + 4 <= view.endIndex {
      if view[index] == 13, view[index + 1] == 10, view[index + 2] == 13, view[index + 3] == 10 {
        let start = index + 4
        return response.getSlice(at: start, length: view.endIndex - start) ?? response
      }
      index += 1
    }
    return response
  }

  /// Digests separated by white space, or a JSON array of them.
  private func digests(in body: ByteBuffer) throws(ServiceError) -> [Digest] {
    let bytes = Array(body.readableBytesView)
    let texts: [String]
    if SpecList.firstSignificant(bytes) == UInt8(ascii: "[") {
      do {
        texts = try WireJSON.decode([String].self, from: bytes)
      } catch {
        throw ServiceError(.badRequest, "the body is not a JSON array of digests")
      }
    } else {
      texts = bytes.split { $0 == 10 || $0 == 13 || $0 == 32 }
        .map { String(decoding: $0, as: UTF8.self) }
    }
    guard texts.count <= BlobFrames.digestLimit else {
      throw ServiceError(
        .tooLarge, "at most \(BlobFrames.digestLimit) artifacts in one request")
    }
    var digests: [Digest] = []
    for text in texts { digests.append(try digest(text)) }
    return digests
  }
}
