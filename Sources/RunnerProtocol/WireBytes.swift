/// Writes the fields of a message, little endian.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: Int) {
    let word = UInt64(bitPattern: Int64(value))
    for shift in stride(from: 0, to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> shift))
    }
  }

  mutating func write(_ values: [Int]) {
    write(values.count)
    for value in values { write(value) }
  }

  mutating func write(_ text: String) {
    write(text.utf8.count)
    bytes.append(contentsOf: text.utf8)
  }
}

/// Reads the fields of a message. A message that is too short or absurd gives `MalformedMessage`.
struct WireReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func integer() throws(MalformedMessage) -> Int {
    guard bytes.count - position >= 8 else { throw MalformedMessage() }
    var word: UInt64 = 0
    for index in 0..<8 { word |= UInt64(bytes[position + index]) << (8 * index) }
    position += 8
    return Int(Int64(bitPattern: word))
  }

  /// A count of parts that each take at least one byte.
  mutating func count() throws(MalformedMessage) -> Int {
    let count = try integer()
    guard count >= 0, count <= bytes.count - position else { throw MalformedMessage() }
    return count
  }

  mutating func integers() throws(MalformedMessage) -> [Int] {
    var values: [Int] = []
    for _ in 0..<(try count()) { values.append(try integer()) }
    return values
  }

  mutating func text() throws(MalformedMessage) -> String {
    let length = try count()
    defer { position += length }
    return String(decoding: bytes[position..<position + length], as: UTF8.self)
  }
}

/// A message that its sender did not make by the rules.
package struct MalformedMessage: Error {}
