extension [UInt8] {
  /// Appends the bytes of an integer, least significant first.
  package mutating func append(littleEndian value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }
}

extension Collection<UInt8> {
  /// The integer that the first eight bytes spell, least significant first; missing bytes count as
  /// zero.
  package var littleEndianValue: UInt64 {
    prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}
