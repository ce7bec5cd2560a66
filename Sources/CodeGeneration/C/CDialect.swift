import KernelSpec
import TensorProgram

/// What differs between the languages of the C family.
enum CDialect: Sendable, Hashable {
  case c, openCL

  /// The type of a value in a register. `bool` is an `int` that is 0 or 1; 16-bit floating-point values are
  /// their bits.
  func scalarType(_ dtype: DType) -> String {
    dtype == .bool ? "int" : memoryType(dtype)
  }

  /// The type of an element in memory.
  func memoryType(_ dtype: DType) -> String {
    switch (self, dtype) {
    case (_, .f64): "double"
    case (_, .f32): "float"
    case (.c, .f16), (.c, .bf16): "uint16_t"
    case (.c, .i64): "int64_t"
    case (.c, .i32): "int32_t"
    case (.c, .i16): "int16_t"
    case (.c, .i8): "int8_t"
    case (.c, .u8), (.c, .bool): "uint8_t"
    case (.openCL, .f16), (.openCL, .bf16): "ushort"
    case (.openCL, .i64): "long"
    case (.openCL, .i32): "int"
    case (.openCL, .i16): "short"
    case (.openCL, .i8): "char"
    case (.openCL, .u8), (.openCL, .bool): "uchar"
    }
  }

  /// The unsigned type of equal size, where signed arithmetic of the type has to be done in it to wrap. C is
  /// compiled so that it wraps by itself.
  private func wrappingType(_ dtype: DType) -> String? {
    guard self == .openCL else { return nil }
    return dtype == .i64 ? "ulong" : dtype == .i32 ? "uint" : nil
  }

  /// The negation of an integer, in a language whose own does not wrap.
  func negation(_ operand: String, _ dtype: DType) -> String? {
    wrappingType(dtype).map { "((\(scalarType(dtype)))(0 - (\($0))\(operand)))" }
  }

  /// A sum, difference or product of integers, in a language whose own do not wrap.
  func wrapping(
    _ operation: BinaryOperator, _ first: String, _ second: String, _ dtype: DType
  ) -> String? {
    guard [.add, .subtract, .multiply].contains(operation), let symbol = operation.arithmetic,
      let type = wrappingType(dtype)
    else { return nil }
    return "((\(scalarType(dtype)))((\(type))\(first) \(symbol) (\(type))\(second)))"
  }

  var indexType: String { self == .c ? "int64_t" : "long" }

  func infinity(_ dtype: DType) -> String {
    switch self {
    case .c: dtype == .f64 ? "__builtin_inf()" : "__builtin_inff()"
    case .openCL: dtype == .f64 ? "((double)INFINITY)" : "INFINITY"
    }
  }

  func notANumber(_ dtype: DType) -> String {
    switch self {
    case .c: dtype == .f64 ? "__builtin_nan(\"\")" : "__builtin_nanf(\"\")"
    case .openCL: dtype == .f64 ? "((double)NAN)" : "NAN"
    }
  }

  /// A floating-point constant of `f32` or `f64`, exactly as rounded to the type.
  func real(_ value: Double, _ dtype: DType) -> String {
    let rounded = dtype == .f64 ? value : Double(Float(value))
    if rounded.isNaN { return notANumber(dtype) }
    if rounded.isInfinite { return rounded < 0 ? "(-\(infinity(dtype)))" : infinity(dtype) }
    let digits = dtype == .f64 ? "\(rounded)" : "\(Float(value))f"
    return rounded.sign == .minus ? "(\(digits))" : digits
  }

  func integer(_ value: Int64, _ dtype: DType) -> String {
    if dtype == .bool { return value != 0 ? "1" : "0" }
    if dtype == .i64 {
      let type = memoryType(.i64)
      return value == .min
        ? "((\(type))(-9223372036854775807L - 1))" : "((\(type))\(value)L)"
    }
    return value == Int64(Int32.min) ? "(-2147483647 - 1)" : value < 0 ? "(\(value))" : "\(value)"
  }
}
