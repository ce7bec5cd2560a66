import DaemonAPI
import KernelSpec

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
  func artifacts(_ body: [UInt8]) async throws(ServiceError) -> Response {
    let digests = try digests(in: body)
    let hot = hotSet.artifacts(digests.map(ArtifactAddress.init))
    var pieces: [ArraySlice<UInt8>] = []
    pieces.reserveCapacity(digests.count * 2)
    for (digest, artifact) in zip(digests, hot) {
      let blob: ArraySlice<UInt8>?
      if let artifact { blob = artifact.body } else { blob = try await bytes(of: digest) }
      pieces.append(BlobFrames.length(of: blob?.count)[...])
      if let blob { pieces.append(blob) }
    }
    return .complete(status: 200, type: Self.type, body: pieces)
  }

  private func bytes(of digest: Digest) async throws(ServiceError) -> ArraySlice<UInt8>? {
    if let artifact = hotSet.artifact(ArtifactAddress(digest)) { return artifact.body }
    guard let bytes = try await service.artifact(digest) else { return nil }
    let head = ResponseHead.make(
      status: 200, type: Self.type, length: bytes.count, keepsAlive: true)
    let artifact = HotSet.HotArtifact(response: head + bytes, bodyStart: head.count)
    hotSet.keep(artifact, for: ArtifactAddress(digest))
    return artifact.body
  }

  /// Digests separated by white space, or a JSON array of them.
  private func digests(in body: [UInt8]) throws(ServiceError) -> [Digest] {
    let texts: [String]
    if SpecList.firstSignificant(body) == UInt8(ascii: "[") {
      do {
        texts = try WireJSON.decode([String].self, from: body)
      } catch {
        throw ServiceError(.badRequest, "the body is not a JSON array of digests")
      }
    } else {
      texts = body.split { $0 == 10 || $0 == 13 || $0 == 32 }
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
