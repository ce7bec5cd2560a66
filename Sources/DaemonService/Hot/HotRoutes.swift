import CLinux
import DaemonAPI

/// Serves what the hot set has, on the server's loop: no task, no JSON, no string.
package struct HotRoutes: Sendable {
  let hotSet: HotSet

  private static let artifact = Array("/v1/artifacts/".utf8)
  private static let kernels = Array("/v1/kernels".utf8)

  /// The complete response, or `nil` when the request needs a task.
  ///
  /// - Parameter receivedAt: nanoseconds of the monotonic clock.
  func response(
    method: UnsafeRawBufferPointer, target: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer,
    receivedAt: UInt64
  ) -> [UInt8]? {
    if method.count == 3, target.count == Self.artifact.count + 64,
      target.starts(with: Self.artifact)
    {
      let digits = UnsafeRawBufferPointer(rebasing: target[Self.artifact.count...])
      return ArtifactAddress(hex: digits).flatMap(hotSet.artifact)?.response
    }
    guard method.count == 4, body.count <= HotSet.memoBodyLimitBytes,
      target.starts(with: Self.kernels)
    else { return nil }
    let fingerprint = RequestFingerprint(target: target, body: body)
    guard let memo = hotSet.memo(fingerprint, target: target, body: body) else { return nil }
    var response = memo.response
    let latency = PreparedAnswer.slotText(
      microseconds: Double(granary_now() - receivedAt) / 1000)
    response.withUnsafeMutableBytes { bytes in
      for slot in memo.slots {
        UnsafeMutableRawBufferPointer(rebasing: bytes[slot..<(slot + latency.count)])
          .copyBytes(from: latency)
      }
    }
    return response
  }
}
