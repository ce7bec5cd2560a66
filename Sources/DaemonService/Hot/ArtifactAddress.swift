import KernelSpec

/// The digest of an artifact as four words: hashed and compared without touching the heap.
struct ArtifactAddress: Hashable {
  private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

  init(_ digest: Digest) {
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: digest.bytes) }
  }

  /// - Returns: `nil` unless `hex` is 64 lower-case hexadecimal digits.
  init?(hex: UnsafeRawBufferPointer) {
    guard hex.count == 64 else { return nil }
    let isValid = withUnsafeMutableBytes(of: &words) { bytes in
      var position = 0
      for character in hex {
        let nibble: UInt8
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = character - UInt8(ascii: "a") + 10
        default: return false
        }
        bytes[position / 2] = bytes[position / 2] << 4 | nibble
        position += 1
      }
      return true
    }
    guard isValid else { return nil }
  }

  var digest: Digest? { Digest(bytes: withUnsafeBytes(of: words) { Array($0) }) }

  static func == (left: Self, right: Self) -> Bool {
    left.words.0 == right.words.0 && left.words.1 == right.words.1
      && left.words.2 == right.words.2 && left.words.3 == right.words.3
  }

  func hash(into hasher: inout Hasher) {
    // A digest is already evenly distributed: one word is enough.
    hasher.combine(words.0)
  }
}
