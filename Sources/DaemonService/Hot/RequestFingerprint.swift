import Glibc

/// A fast hash of a request's target and body. Equal fingerprints do not prove equal requests: the bytes are
/// compared before an answer is used.
struct RequestFingerprint: Hashable {
  var hash: UInt64
  var count: Int

  /// Differs from process to process, so that nobody can prepare requests that collide.
  private static let seed = UInt64.random(in: .min ... .max)

  init(target: UnsafeRawBufferPointer, body: UnsafeRawBufferPointer) {
    count = target.count + body.count
    hash = Self.hash(body, Self.hash(target, Self.seed))
  }

  /// Multiplies and folds eight bytes at a time.
  ///
  /// Source: the mixing step of wyhash, Wang Yi, final version 4.
  private static func hash(_ bytes: UnsafeRawBufferPointer, _ seed: UInt64) -> UInt64 {
    var state = seed ^ UInt64(bytes.count)
    var position = 0
    while bytes.count - position >= 8 {
      state = fold(state ^ bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position += 8
    }
    var rest: UInt64 = 0
    while position < bytes.count {
      rest = rest << 8 | UInt64(bytes[position])
      position += 1
    }
    return fold(state ^ rest)
  }

  private static func fold(_ value: UInt64) -> UInt64 {
    let product = (value ^ 0xA076_1D64_78BD_642F).multipliedFullWidth(by: 0xE703_7ED1_A0B4_28DB)
    return product.high ^ product.low
  }
}

extension UnsafeRawBufferPointer {
  /// Compares bytes at the speed of memory.
  func hasSameBytes(_ other: UnsafeRawBufferPointer) -> Bool {
    guard count == other.count else { return false }
    guard let left = baseAddress, let right = other.baseAddress else { return true }
    return memcmp(left, right, count) == 0
  }
}
