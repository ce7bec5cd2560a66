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
