/// The counter-based generator Philox4x32-10.
///
/// Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
package enum Philox {
  /// The first two words for a 64-bit key and the 64-bit counter, whose upper half is zero.
  package static func bits(key: Int64, counter: Int64) -> Int64 {
    let (key, counter) = (UInt64(bitPattern: key), UInt64(bitPattern: counter))
    var keys = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    var words: (UInt32, UInt32, UInt32, UInt32) = (
      UInt32(truncatingIfNeeded: counter), UInt32(truncatingIfNeeded: counter >> 32), 0, 0
    )
    for _ in 0..<10 {
      let first = words.0.multipliedFullWidth(by: 0xD251_1F53)
      let second = words.2.multipliedFullWidth(by: 0xCD9E_8D57)
      words = (
        second.high ^ words.1 ^ keys.0, second.low, first.high ^ words.3 ^ keys.1, first.low
      )
      keys.0 &+= 0x9E37_79B9
      keys.1 &+= 0xBB67_AE85
    }
    return Int64(bitPattern: UInt64(words.0) | UInt64(words.1) << 32)
  }
}
