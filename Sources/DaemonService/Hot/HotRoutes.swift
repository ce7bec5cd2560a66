import DaemonAPI
import NIOCore

/// Serves what the hot set has, on the event loop: no task, no JSON, no string.
struct HotRoutes: Sendable {
  let hotSet: HotSet

  private static let artifact = Array("/v1/artifacts/".utf8)
  private static let kernels = Array("/v1/kernels".utf8)

  /// The complete response, or `nil` when the request needs a task.
  func response(
    method: ByteBufferView, target: ByteBufferView, body: ByteBufferView,
    receivedAt: NIODeadline
  ) -> ByteBuffer? {
    if method.count == 3, target.count == Self.artifact.count + 64,
      target.starts(with: Self.artifact)
    {
      return ArtifactAddress(hex: target.dropFirst(Self.artifact.count))
        .flatMap(hotSet.artifact)
    }
    guard method.count == 4, target.starts(with: Self.kernels) else { return nil }
    let fingerprint = RequestFingerprint(target: target, body: body)
    guard let memo = hotSet.memo(fingerprint, target: target, body: body) else { return nil }
    var response = memo.response
    let latency = PreparedAnswer.slotText(
      microseconds: Double((NIODeadline.now() - receivedAt).nanoseconds) / 1000)
    for slot in memo.slots { response.setBytes(latency, at: slot) }
    return response
  }
}
