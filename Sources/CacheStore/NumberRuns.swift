/// Texts with their lists of many whole numbers in binary: the times of a measurement lie within some percent, and zstd
/// sees no more than their digits.
///
/// `[20,22,21,20,23,20,21,20]` becomes the byte 2, the count, the smallest and the width in bits, each but the last a
/// variable-length number of seven bits a byte, and then the differences to the smallest, the first in the lowest bits.
enum NumberRuns {
  private static let mark: UInt8 = 2
  /// Shorter lists stay as they are.
  private static let fewest = 8
  private static let most = 1 << 16
  /// So that a sum of a smallest number and a difference never overflows.
  private static let mostDigits = 15
  private static let mostBits = 50

  /// - Returns: `nil` when nothing in the text becomes shorter.
  static func packed(_ text: [UInt8]) -> [UInt8]? {
    if text.contains(mark) { return nil }
    var packed: [UInt8] = []
    var copied = 0
    var position = 0
    while let start = text[position...].firstIndex(of: UInt8(ascii: "[")) {
      position = start + 1
      guard let (numbers, end) = list(in: text, at: start), numbers.count >= fewest else {
        continue
      }
      packed += text[copied..<start]
      append(numbers, to: &packed)
      position = end
      copied = end
    }
    if copied == 0 { return nil }
    return packed + text[copied...]
  }

  /// - Parameter limitBytes: the longest text that is made.
  /// - Returns: `nil` when these bytes are of no text.
  static func unpacked(_ bytes: [UInt8], limitBytes: Int) -> [UInt8]? {
    var text: [UInt8] = []
    var rest = bytes[...]
    while let start = rest.firstIndex(of: mark) {
      text += rest[..<start]
      rest = rest[(start + 1)...]
      guard let numbers = numbers(in: &rest) else { return nil }
      text.append(UInt8(ascii: "["))
      text += numbers.map(String.init).joined(separator: ",").utf8
      text.append(UInt8(ascii: "]"))
      if text.count > limitBytes { return nil }
    }
    text += rest
    return text.count > limitBytes ? nil : text
  }

  /// The list of whole numbers, written as JSON does without spaces, that begins at a bracket, and its end.
  private static func list(in text: [UInt8], at start: Int) -> (numbers: [UInt64], end: Int)? {
    var numbers: [UInt64] = []
    var position = start + 1
    while numbers.count < most {
      let first = position
      var number: UInt64 = 0
      while position < text.count, text[position] &- UInt8(ascii: "0") < 10 {
        if position - first == mostDigits { return nil }
        number = number * 10 + UInt64(text[position] - UInt8(ascii: "0"))
        position += 1
      }
      let hasLeadingZero = text[first...].first == UInt8(ascii: "0") && position > first + 1
      guard position > first, position < text.count, !hasLeadingZero else { return nil }
      numbers.append(number)
      position += 1
      if text[position - 1] == UInt8(ascii: "]") { return (numbers, position) }
      guard text[position - 1] == UInt8(ascii: ",") else { return nil }
    }
    return nil
  }

  private static func append(_ numbers: [UInt64], to packed: inout [UInt8]) {
    let smallest = numbers.min() ?? 0
    let width = UInt64.bitWidth - ((numbers.max() ?? 0) - smallest).leadingZeroBitCount
    packed.append(mark)
    append(UInt64(numbers.count), to: &packed)
    append(smallest, to: &packed)
    packed.append(UInt8(width))
    var (bits, count) = (UInt64(0), 0)
    for number in numbers {
      bits |= (number - smallest) << count
      count += width
      while count >= 8 {
        packed.append(UInt8(truncatingIfNeeded: bits))
        bits >>= 8
        count -= 8
      }
    }
    if count > 0 { packed.append(UInt8(truncatingIfNeeded: bits)) }
  }

  private static func append(_ number: UInt64, to packed: inout [UInt8]) {
    var rest = number
    while rest > 127 {
      packed.append(UInt8(truncatingIfNeeded: rest) | 128)
      rest >>= 7
    }
    packed.append(UInt8(rest))
  }

  private static func numbers(in bytes: inout ArraySlice<UInt8>) -> [UInt64]? {
    guard let count = number(in: &bytes), let smallest = number(in: &bytes),
      let width = bytes.popFirst().map(Int.init), count <= most, width <= mostBits,
      (Int(count) * width + 7) / 8 <= bytes.count
    else { return nil }
    var (bits, held) = (UInt64(0), 0)
    return (0..<count).map { _ in
      while held < width {
        bits |= UInt64(bytes.popFirst() ?? 0) << held
        held += 8
      }
      defer {
        bits >>= width
        held -= width
      }
      return smallest + bits & (1 << width - 1)
    }
  }

  private static func number(in bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var number: UInt64 = 0
    for shift in stride(from: 0, to: mostBits, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      number |= UInt64(byte & 127) << shift
      if byte < 128 { return number }
    }
    return nil
  }
}
