import DaemonAPI
import KernelSpec

/// An array in NumPy's file format.
///
/// `bf16` is written as `<u2`, its raw 16-bit words, and read from it: NumPy has no such type.
///
/// Source: NumPy Enhancement Proposal 1, versions 1.0 to 3.0.
struct NumPyFile: Equatable {
  var dtype: DType
  var shape: [Int]
  /// Row-major, little-endian.
  var bytes: [UInt8]

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let names: [(DType, String)] = [
    (.f64, "<f8"), (.f32, "<f4"), (.f16, "<f2"), (.bf16, "<u2"), (.i64, "<i8"), (.i32, "<i4"),
    (.i16, "<i2"), (.i8, "|i1"), (.u8, "|u1"), (.bool, "|b1"),
  ]

  init(dtype: DType, shape: [Int], bytes: [UInt8]) {
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }

  /// - Throws: `bad-request` that says what is wrong with the file `name`.
  init(parsing file: [UInt8], name: String) throws(ServiceError) {
    func refuse(_ why: String) -> ServiceError {
      ServiceError(.badRequest, "\(name) is no NumPy array that can be used: \(why)")
    }
    guard file.count >= 10, file.starts(with: Self.magic) else {
      throw refuse("it does not begin like one")
    }
    let wide = file[6] >= 2
    guard !wide || file.count >= 12 else { throw refuse("it is cut short") }
    let start = wide ? 12 : 10
    let length = file[8..<start].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard file.count - start >= length else { throw refuse("it is cut short") }
    let header = String(decoding: file[start..<start + length], as: UTF8.self)
    guard let descriptor = Self.value(of: "descr", in: header),
      let known = Self.names.first(where: {
        descriptor == $0.1 || descriptor == "=" + $0.1.dropFirst()
      })
    else { throw refuse("its dtype is not little-endian f2, f4, f8, i1 to i8, u1, u2 or b1") }
    guard header.contains("'fortran_order': False") else {
      throw refuse("it is in Fortran order; save numpy.ascontiguousarray(x)")
    }
    guard let open = header.firstIndex(of: "("),
      let close = header[open...].firstIndex(of: ")")
    else { throw refuse("it has no shape") }
    var shape: [Int] = []
    var count = known.0.sizeBytes
    for text in header[header.index(after: open)..<close].split(whereSeparator: {
      ", ".contains($0)
    }) {
      guard let extent = Int(text), extent >= 0 else { throw refuse("its shape is malformed") }
      shape.append(extent)
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      guard !overflow else { throw refuse("its shape is too large") }
      count = product
    }
    guard file.count - start - length == count else {
      throw refuse("it has \(file.count - start - length) bytes of data, not \(count)")
    }
    self.init(dtype: known.0, shape: shape, bytes: Array(file[(start + length)...]))
  }

  /// The file's contents, version 1.0.
  var encoded: [UInt8] {
    let descriptor = Self.names.first { $0.0 == dtype }?.1 ?? "|u1"
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(descriptor)', 'fortran_order': False, 'shape': (\(extents)), }"
    // The data begins at a multiple of 64 bytes, as the format asks.
    let unpadded = 10 + header.utf8.count + 1
    header += String(repeating: " ", count: (64 - unpadded % 64) % 64) + "\n"
    let length = header.utf8.count
    return Self.magic + [1, 0, UInt8(length & 255), UInt8(length >> 8)] + Array(header.utf8) + bytes
  }

  private static func value(of name: String, in header: String) -> String? {
    let quoted = header.split(separator: "'", omittingEmptySubsequences: false).map(String.init)
    guard let position = quoted.firstIndex(of: name), position + 2 < quoted.count else {
      return nil
    }
    return quoted[position + 2]
  }
}
