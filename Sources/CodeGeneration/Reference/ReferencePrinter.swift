import KernelSpec
import TensorProgram

/// Prints expressions as C: values as `double` and `int64_t`, and beside a value that rounding may change, the
/// square of how far (``ReferenceTerm``). This file has the plain values.
struct ReferencePrinter {
  let program: TensorProgram
  /// The buffers whose elements are the same however they are computed.
  let exact: Set<BufferID>

  /// The type of an element in memory: an input's own, else `double` or `int64_t`.
  func elementType(of buffer: BufferID) -> String {
    let dtype = program[buffer].type.dtype
    guard program.inputs.contains(buffer) else {
      return dtype.isFloatingPoint ? "double" : "int64_t"
    }
    return switch dtype {
    case .f64: "double"
    case .f32: "float"
    case .f16, .bf16: "uint16_t"
    case .i64: "int64_t"
    case .i32: "int32_t"
    case .i16: "int16_t"
    case .i8: "int8_t"
    case .u8, .bool: "uint8_t"
    }
  }

  func text(_ index: Index) -> String {
    switch index {
    case .constant(let value): integer(Int64(value))
    case .axis(let axis): "i\(axis.id)"
    case .sum(let first, let second): "(\(text(first)) + \(text(second)))"
    case .product(let inner, let factor): "(\(text(inner)) * \(integer(Int64(factor))))"
    case .quotient(let inner, let divisor): "floor_quotient(\(text(inner)), \(divisor))"
    case .remainder(let inner, let divisor): "divisor_sign(\(text(inner)), \(divisor))"
    case .value(let expression): "((int64_t)\(term(expression).value))"
    }
  }

  func real(_ value: Double) -> String {
    if value.isNaN { return "NAN" }
    if value.isInfinite { return value < 0 ? "(-INFINITY)" : "INFINITY" }
    return "(\(value))"
  }

  func integer(_ value: Int64) -> String {
    value == .min ? "INT64_MIN" : "(INT64_C(\(value)))"
  }

  /// An element's place in its buffer, in elements.
  func place(_ buffer: BufferID, _ indices: [Index]) -> String {
    let strides = program[buffer].type.resolvedStrides
    let terms = zip(indices, strides).map { "\(text($0)) * \($1)" }
    return terms.isEmpty ? "0" : terms.joined(separator: " + ")
  }

  /// An element as a wide number.
  func load(_ buffer: BufferID, _ type: DType, at place: String) -> String {
    let element = "b\(buffer.position)[\(place)]"
    guard program.inputs.contains(buffer) else { return element }
    return switch type {
    case .bf16: "from_bf16(\(element))"
    case .f16: "from_f16(\(element))"
    case .f32, .f64: "(double)\(element)"
    default: "(int64_t)\(element)"
    }
  }

  /// A conversion with PyTorch's rules; floating-point types are all `double`.
  func cast(_ value: String, from: DType, to: DType) -> String {
    if to == .bool { return "((int64_t)(\(value) != 0))" }
    if to.isFloatingPoint { return from.isFloatingPoint ? value : "((double)(\(value)))" }
    let whole = from.isFloatingPoint ? "to_whole(\(value))" : "(\(value))"
    return wrapped(whole, to)
  }

  /// A conversion that rounds to the type, as in PyTorch.
  func rounded(_ value: String, from: DType, to: DType) -> String {
    guard to.isFloatingPoint, to.rounds(from: from), to != .f64 else { return value }
    return "to_\(to.rawValue)(\(value))"
  }

  private func wrapped(_ value: String, _ type: DType) -> String {
    switch type {
    case .i32: "((int64_t)(int32_t)(\(value)))"
    case .i16: "((int64_t)(int16_t)(\(value)))"
    case .i8: "((int64_t)(int8_t)(\(value)))"
    case .u8: "((int64_t)(uint8_t)(\(value)))"
    default: "(\(value))"
    }
  }

  func unary(_ operation: UnaryOperator, _ x: String, _ type: DType) -> String {
    let isFloat = type.isFloatingPoint
    switch operation {
    case .negate: return isFloat ? "(-\(x))" : wrapped("-\(x)", type)
    case .absolute: return isFloat ? "fabs(\(x))" : wrapped("\(x) < 0 ? -\(x) : \(x)", type)
    case .expOfNonPositive: return "exp(\(x))"
    case .rsqrt: return "(1.0 / sqrt(\(x)))"
    case .reciprocal: return "(1.0 / \(x))"
    case .sigmoid: return "(1.0 / (1.0 + exp(-\(x))))"
    case .round: return isFloat ? "nearbyint(\(x))" : x
    case .truncate: return isFloat ? "trunc(\(x))" : x
    case .floor, .ceil: return isFloat ? "\(operation.rawValue)(\(x))" : x
    case .sign: return isFloat ? "sign_of(\(x))" : "((int64_t)((\(x) > 0) - (\(x) < 0)))"
    case .logicalNot: return "((int64_t)!\(x))"
    case .bitwiseNot: return type == .bool ? "((int64_t)!\(x))" : wrapped("~\(x)", type)
    case .isNaN: return isFloat ? "((int64_t)(isnan(\(x)) != 0))" : "((int64_t)0)"
    case .isInfinite: return isFloat ? "((int64_t)(isinf(\(x)) != 0))" : "((int64_t)0)"
    default: return "\(operation.rawValue)(\(x))"
    }
  }

  func binary(_ operation: BinaryOperator, _ x: String, _ y: String, _ type: DType)
    -> String
  {
    let isFloat = type.isFloatingPoint
    switch operation {
    case .add: return arithmetic("+", x, y, type)
    case .subtract: return arithmetic("-", x, y, type)
    case .multiply: return arithmetic("*", x, y, type)
    case .divide: return isFloat ? "(\(x) / \(y))" : wrapped("quotient(\(x), \(y))", type)
    case .floorDivide:
      return isFloat
        ? "float_floor_quotient(\(x), \(y))" : wrapped("floor_quotient(\(x), \(y))", type)
    case .fmod: return isFloat ? "fmod(\(x), \(y))" : "dividend_sign(\(x), \(y))"
    case .remainder:
      return isFloat ? "float_divisor_sign(\(x), \(y))" : "divisor_sign(\(x), \(y))"
    case .power: return isFloat ? "pow(\(x), \(y))" : wrapped("integer_power(\(x), \(y))", type)
    case .atan2: return "atan2(\(x), \(y))"
    case .maximum: return isFloat ? "larger(\(x), \(y))" : "(\(x) > \(y) ? \(x) : \(y))"
    case .minimum: return isFloat ? "smaller(\(x), \(y))" : "(\(x) < \(y) ? \(x) : \(y))"
    case .equal: return "((int64_t)(\(x) == \(y)))"
    case .notEqual: return "((int64_t)(\(x) != \(y)))"
    case .less: return "((int64_t)(\(x) < \(y)))"
    case .lessOrEqual: return "((int64_t)(\(x) <= \(y)))"
    case .greater: return "((int64_t)(\(x) > \(y)))"
    case .greaterOrEqual: return "((int64_t)(\(x) >= \(y)))"
    case .logicalAnd: return "((int64_t)(\(x) && \(y)))"
    case .logicalOr: return "((int64_t)(\(x) || \(y)))"
    case .logicalXor, .bitwiseXor: return "(\(x) ^ \(y))"
    case .bitwiseAnd: return "(\(x) & \(y))"
    case .bitwiseOr: return "(\(x) | \(y))"
    case .randomBits: return "random_bits(\(x), \(y))"
    }
  }

  private func arithmetic(_ symbol: String, _ x: String, _ y: String, _ type: DType) -> String {
    type.isFloatingPoint ? "(\(x) \(symbol) \(y))" : wrapped("\(x) \(symbol) \(y)", type)
  }

  func combined(_ combiner: Combiner, _ x: String, _ y: String, _ type: DType) -> String {
    switch combiner {
    case .sum: binary(.add, x, y, type)
    case .product: binary(.multiply, x, y, type)
    case .maximum, .argumentOfMaximum: binary(.maximum, x, y, type)
    case .minimum, .argumentOfMinimum: binary(.minimum, x, y, type)
    case .any: "(\(x) || \(y))"
    case .all: "(\(x) && \(y))"
    }
  }

  func identity(_ combiner: Combiner, _ type: DType) -> String {
    let isFloat = type.isFloatingPoint
    switch combiner {
    case .sum, .any: return "0"
    case .product, .all: return "1"
    case .maximum, .argumentOfMaximum: return isFloat ? "(-INFINITY)" : integer(lowest(type))
    case .minimum, .argumentOfMinimum: return isFloat ? "INFINITY" : integer(highest(type))
    }
  }

  private func lowest(_ type: DType) -> Int64 {
    switch type {
    case .i64: .min
    case .i32: -1 << 31
    case .i16: -1 << 15
    case .i8: -128
    default: 0
    }
  }

  private func highest(_ type: DType) -> Int64 {
    switch type {
    case .i64: .max
    case .i32: (1 << 31) - 1
    case .i16: (1 << 15) - 1
    case .i8: 127
    case .u8: 255
    default: 1
    }
  }
}
