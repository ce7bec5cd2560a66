import Glibc
package import KernelSpec

/// The meaning of the operators on single values: floating-point ones as `Double`, integers and `bool` as
/// `Int64` in the range of their type.
package enum ScalarSemantics {
  /// The conversion of a floating-point number to an integer type: truncated, then wrapped, and for
  /// `bool` whether it is not zero.
  ///
  /// PyTorch leaves NaN and numbers beyond 64 bits undefined; here they give 0 and the nearest end.
  package static func integer(_ value: Double, as type: DType) -> Int64 {
    if type == .bool { return value != 0 ? 1 : 0 }
    if value.isNaN { return 0 }
    if value >= 0x1p63 { return type.wrapped(Int64.max) }
    if value <= -0x1p63 { return type.wrapped(Int64.min) }
    return type.wrapped(Int64(value))
  }

  package static func unary(_ operation: UnaryOperator, _ x: Double) -> Double {
    switch operation {
    case .negate: -x
    case .absolute: abs(x)
    case .exp, .expOfNonPositive: exp(x)
    case .expm1: expm1(x)
    case .log: log(x)
    case .log1p: log1p(x)
    case .log2: log2(x)
    case .log10: log10(x)
    case .sqrt: x.squareRoot()
    case .rsqrt: 1 / x.squareRoot()
    case .reciprocal: 1 / x
    case .sin: sin(x)
    case .cos: cos(x)
    case .tan: tan(x)
    case .asin: asin(x)
    case .acos: acos(x)
    case .atan: atan(x)
    case .sinh: sinh(x)
    case .cosh: cosh(x)
    case .tanh: tanh(x)
    case .asinh: asinh(x)
    case .acosh: acosh(x)
    case .atanh: atanh(x)
    case .sigmoid: 1 / (1 + exp(-x))
    case .erf: erf(x)
    case .round: x.rounded(.toNearestOrEven)
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .truncate: x.rounded(.towardZero)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : 0
    case .logicalNot: x == 0 ? 1 : 0
    case .isNaN: x.isNaN ? 1 : 0
    case .isInfinite: x.isInfinite ? 1 : 0
    case .bitwiseNot: .nan
    }
  }

  /// - Returns: the result before it is wrapped to the type; functions of real numbers give 0.
  package static func unary(_ operation: UnaryOperator, _ x: Int64) -> Int64 {
    switch operation {
    case .negate: 0 &- x
    case .absolute: x < 0 ? 0 &- x : x
    case .sign: x.signum()
    case .logicalNot: x == 0 ? 1 : 0
    case .bitwiseNot: ~x
    case .round, .floor, .ceil, .truncate: x
    default: 0
    }
  }

  package static func binary(_ operation: BinaryOperator, _ x: Double, _ y: Double) -> Double {
    switch operation {
    case .add: x + y
    case .subtract: x - y
    case .multiply: x * y
    case .divide: x / y
    case .floorDivide: floorDivide(x, y)
    case .fmod: fmod(x, y)
    case .remainder: remainder(x, y)
    case .power: pow(x, y)
    case .atan2: atan2(x, y)
    case .maximum: x.isNaN || x > y ? x : y
    case .minimum: x.isNaN || x < y ? x : y
    default: compare(operation, x, y) ? 1 : 0
    }
  }

  package static func compare<Number: Comparable>(
    _ operation: BinaryOperator, _ x: Number, _ y: Number
  ) -> Bool {
    switch operation {
    case .equal: x == y
    case .notEqual: x != y
    case .less: x < y
    case .lessOrEqual: x <= y
    case .greater: x > y
    case .greaterOrEqual: x >= y
    default: false
    }
  }

  /// - Returns: the result before it is wrapped to the type. A division by zero, which PyTorch refuses,
  ///   gives 0.
  package static func binary(_ operation: BinaryOperator, _ x: Int64, _ y: Int64) -> Int64 {
    switch operation {
    case .add: x &+ y
    case .subtract: x &- y
    case .multiply: x &* y
    case .divide: y == 0 ? 0 : x.dividedReportingOverflow(by: y).partialValue
    case .floorDivide: floorDivide(x, y)
    case .fmod: y == 0 ? 0 : x.remainderReportingOverflow(dividingBy: y).partialValue
    case .remainder: remainder(x, y)
    case .power: power(x, y)
    case .atan2: 0
    case .maximum: max(x, y)
    case .minimum: min(x, y)
    case .logicalAnd: x != 0 && y != 0 ? 1 : 0
    case .logicalOr: x != 0 || y != 0 ? 1 : 0
    case .logicalXor: (x != 0) != (y != 0) ? 1 : 0
    case .bitwiseAnd: x & y
    case .bitwiseOr: x | y
    case .bitwiseXor: x ^ y
    case .randomBits: Philox.bits(key: x, counter: y)
    default: compare(operation, x, y) ? 1 : 0
    }
  }

  /// Source: `c10::div_floor_floating`.
  private static func floorDivide(_ x: Double, _ y: Double) -> Double {
    if y == 0 { return x / y }
    let modulus = fmod(x, y)
    var quotient = (x - modulus) / y
    if modulus != 0, (y < 0) != (modulus < 0) { quotient -= 1 }
    if quotient == 0 { return copysign(0, x / y) }
    let floored = quotient.rounded(.down)
    return quotient - floored > 0.5 ? floored + 1 : floored
  }

  private static func floorDivide(_ x: Int64, _ y: Int64) -> Int64 {
    if y == 0 { return 0 }
    let quotient = x.dividedReportingOverflow(by: y).partialValue
    return remainderHasOtherSign(x, y) ? quotient &- 1 : quotient
  }

  private static func remainder(_ x: Double, _ y: Double) -> Double {
    let modulus = fmod(x, y)
    return modulus != 0 && (y < 0) != (modulus < 0) ? modulus + y : modulus
  }

  private static func remainder(_ x: Int64, _ y: Int64) -> Int64 {
    if y == 0 { return 0 }
    let modulus = x.remainderReportingOverflow(dividingBy: y).partialValue
    return remainderHasOtherSign(x, y) ? modulus &+ y : modulus
  }

  private static func remainderHasOtherSign(_ x: Int64, _ y: Int64) -> Bool {
    let modulus = x.remainderReportingOverflow(dividingBy: y).partialValue
    return modulus != 0 && (y < 0) != (modulus < 0)
  }

  /// Wraps on overflow; a negative exponent truncates the real result, as PyTorch does.
  private static func power(_ base: Int64, _ exponent: Int64) -> Int64 {
    if exponent < 0 { return base == 1 ? 1 : base == -1 ? (exponent & 1 == 0 ? 1 : -1) : 0 }
    var (result, factor, left): (Int64, Int64, Int64) = (1, base, exponent)
    while left > 0 {
      if left & 1 == 1 { result = result &* factor }
      factor = factor &* factor
      left >>= 1
    }
    return result
  }
}
