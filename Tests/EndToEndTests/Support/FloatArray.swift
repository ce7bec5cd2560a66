import FoundationEssentials

/// A row-major f32 array in NumPy's file format, version 1.0, independent of the product.
struct FloatArray {
  var shape: [Int]
  var values: [Float]

  init(shape: [Int], values: [Float]) {
    self.shape = shape
    self.values = values
  }

  init(reading path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    guard bytes.count > 10 else { throw ProgramError(description: "\(path) is cut short") }
    let start = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
    let header = String(decoding: bytes[10..<start], as: UTF8.self)
    guard header.contains("'descr': '<f4'"), header.contains("'fortran_order': False"),
      let extents = header.split(separator: "(").last?.split(separator: ")").first
    else { throw ProgramError(description: "\(path) has the header \(header)") }
    shape = extents.split { ", ".contains($0) }.compactMap { Int($0) }
    values = stride(from: start, to: bytes.count, by: 4).map { position in
      let bits = bytes[position..<position + 4].reversed().reduce(UInt32(0)) {
        $0 << 8 | UInt32($1)
      }
      return Float(bitPattern: bits)
    }
  }

  func write(to path: String) throws {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(extents)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    bytes += [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)] + Array(header.utf8)
    for value in values {
      let bits = value.bitPattern
      bytes += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
    }
    try Data(bytes).write(to: URL(filePath: path))
  }
}
