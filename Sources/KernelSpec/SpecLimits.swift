/// What a spec may contain at most. Everything beyond is refused with `SpecError.Code.limit`.
///
/// The limits bound the memory and time that a foreign spec can cost, and keep every computation on
/// shapes within 64 bits.
public enum SpecLimits {
  /// Bytes of a spec as text.
  public static let textBytes = 8 << 20
  public static let nodes = 16_384
  public static let inputs = 8_192
  public static let outputs = 1_024
  /// Dimensions of a tensor.
  public static let rank = 8
  /// The extent of one dimension, and the magnitude of every integer argument and stride.
  public static let integer = 0x7FFF_FFFF
  /// Elements of one tensor, counting empty dimensions as 1.
  public static let elements = 1 << 36
  /// Bytes of one tensor, including the gaps of a strided one.
  public static let tensorBytes = 1 << 38
  /// Bytes of the name of a value or of a spec.
  public static let nameBytes = 256
  /// Elements of a list argument.
  public static let listElements = 4_096
  /// Brackets within brackets.
  public static let nesting = 64
  /// Characters of a number.
  public static let numberBytes = 64

  /// Checks extents before a tensor type is made from them.
  ///
  /// - Throws: `SpecError` with code `limit`, or `type` for a negative extent.
  package static func check(_ dtype: DType, _ shape: [Int], strides: [Int]? = nil)
    throws(SpecError)
  {
    guard shape.count <= rank else {
      throw SpecError(.limit, "a tensor of rank \(shape.count)", expected: "at most \(rank)")
    }
    var elementCount = 1
    for extent in shape {
      guard extent >= 0 else { throw SpecError(.type, "the extent \(extent) is negative") }
      guard extent <= integer else {
        throw SpecError(.limit, "the extent \(extent)", expected: "at most \(integer)")
      }
      let (product, overflow) = elementCount.multipliedReportingOverflow(by: max(extent, 1))
      guard !overflow, product <= elements else {
        throw SpecError(
          .limit, "the shape \(shape) has too many elements", expected: "at most \(elements)")
      }
      elementCount = product
    }
    try checkBytes(dtype, shape, strides: strides, elementCount: elementCount)
  }

  private static func checkBytes(
    _ dtype: DType, _ shape: [Int], strides: [Int]?, elementCount: Int
  ) throws(SpecError) {
    var last = elementCount - 1
    if let strides {
      guard strides.count == shape.count else {
        throw SpecError(.type, "\(strides.count) strides for \(shape.count) dimensions")
      }
      last = 0
      for (extent, stride) in zip(shape, strides) {
        guard stride >= 0, stride <= integer else {
          throw SpecError(.limit, "the stride \(stride)", expected: "0 to \(integer)")
        }
        // At most 2^31 · 2^31 for each of `rank` dimensions: 2^62 + 2^38 does not overflow.
        last += max(extent - 1, 0) * stride
        guard last < tensorBytes else { break }
      }
    }
    guard last < tensorBytes / dtype.sizeBytes else {
      throw SpecError(
        .limit, "a tensor \(dtype.rawValue)\(shape) is too large",
        expected: "at most \(tensorBytes) bytes")
    }
  }
}

extension TensorType {
  /// A contiguous type within the limits.
  ///
  /// - Throws: `SpecError` with code `limit` or `type`.
  package static func checked(_ dtype: DType, _ shape: [Int]) throws(SpecError) -> TensorType {
    try SpecLimits.check(dtype, shape)
    return TensorType(dtype, shape)
  }
}

extension SpecLimits {
  /// - Throws: `SpecError` with code `limit` or `name`.
  static func check(name: String) throws(SpecError) {
    guard name.utf8.count <= nameBytes else {
      throw SpecError(
        .limit, "a name of \(name.utf8.count) bytes", expected: "at most \(nameBytes)")
    }
    let isPlain = name.unicodeScalars.allSatisfy {
      $0.value > 0x20 && $0.value != 0x7F && $0 != "#" && $0 != "%" && $0 != "\""
    }
    guard isPlain, !name.isEmpty else {
      throw SpecError(
        .name, "the name \"\(name.prefix(32))\"",
        expected: "characters without spaces, quotes, # and %")
    }
  }
}
