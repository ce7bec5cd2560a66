import Glibc

extension [[UInt8]] {
  /// Whether these buffers and `other` are the same to the last bit. `==` looks at one byte at a time.
  func hold(_ other: [[UInt8]]) -> Bool {
    count == other.count
      && zip(self, other).allSatisfy { left, right in
        left.count == right.count
          && left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
              guard let first = left.baseAddress, let second = right.baseAddress else {
                return true
              }
              return memcmp(first, second, left.count) == 0
            }
          }
      }
  }
}

extension [UInt8] {
  /// Bytes that `write` writes, all of them. Many lie in large pages where the system has some: the first touch of small
  /// ones takes longer than filling them.
  init(byteCount: Int, _ write: (UnsafeMutableRawBufferPointer) -> Void) {
    self.init(unsafeUninitializedCapacity: byteCount) { target, written in
      let bytes = UnsafeMutableRawBufferPointer(
        start: target.baseAddress, count: byteCount)
      bytes.adviseLargePages()
      write(bytes)
      written = byteCount
    }
  }
}

extension UnsafeMutableRawBufferPointer {
  fileprivate func adviseLargePages() {
    let page = UInt(4096)
    let first = (UInt(bitPattern: baseAddress) + page - 1) / page * page
    let end = (UInt(bitPattern: baseAddress) + UInt(count)) / page * page
    guard end > first, end - first >= 4 << 20,
      let start = UnsafeMutableRawPointer(bitPattern: first)
    else { return }
    // Whether the system follows changes no value.
    _ = madvise(start, Int(end - first), MADV_HUGEPAGE)
  }
}
