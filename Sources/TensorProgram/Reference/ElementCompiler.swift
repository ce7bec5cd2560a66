import KernelSpec

/// The value of one element of a stage's output: its expression, or what its combiner makes of many.
struct ElementCompiler {
  private let stage: Stage
  private let compiler: ExpressionCompiler
  private let inner: Loop
  /// What a scan has combined so far.
  private let accumulator = Accumulator()

  private final class Accumulator {
    var real = 0.0
    var integer: Int64 = 0
    var isEmpty = true
  }

  init(_ stage: Stage, _ compiler: ExpressionCompiler, _ inner: Loop) {
    self.stage = stage
    self.compiler = compiler
    self.inner = inner
  }

  /// Makes a scan forget what it has combined.
  func restart() { accumulator.isEmpty = true }

  private var outputType: DType { compiler.memory.buffers[stage.output.position].type.dtype }

  /// For an output of a floating-point type.
  func real() -> ExpressionCompiler.Real {
    switch stage.body {
    case .map, .scatter, .sort, .recurrence: return convertedReal(stage.value)
    case .reduce(_, let combiner, let value):
      if !value.dtype.isFloatingPoint || combiner.givesInteger {
        let integer = reducedInteger(combiner, value)
        return { Double(integer()) }
      }
      return reducedReal(combiner, value)
    case .scan(_, let combiner, let value):
      let next = convertedReal(value)
      let accumulator = accumulator
      return {
        let value = next()
        accumulator.real =
          accumulator.isEmpty ? value : combiner.combine(accumulator.real, value)
        accumulator.isEmpty = false
        return accumulator.real
      }
    }
  }

  /// For an output of an integer type or `bool`.
  func integer() -> ExpressionCompiler.Integer {
    let type = outputType
    switch stage.body {
    case .map, .scatter, .sort, .recurrence: return convertedInteger(stage.value)
    case .reduce(_, let combiner, let value):
      if value.dtype.isFloatingPoint, !combiner.givesInteger {
        let real = reducedReal(combiner, value)
        return { ScalarSemantics.integer(real(), as: type) }
      }
      let integer = reducedInteger(combiner, value)
      return { type.wrapped(integer()) }
    case .scan(_, let combiner, let value):
      let next = convertedInteger(value)
      let accumulator = accumulator
      return {
        let value = next()
        accumulator.integer =
          accumulator.isEmpty
          ? value : type.wrapped(combiner.combine(accumulator.integer, value))
        accumulator.isEmpty = false
        return accumulator.integer
      }
    }
  }

  private func convertedReal(_ value: Expression) -> ExpressionCompiler.Real {
    if value.dtype.isFloatingPoint { return compiler.real(value) }
    let integer = compiler.integer(value)
    return { Double(integer()) }
  }

  private func convertedInteger(_ value: Expression) -> ExpressionCompiler.Integer {
    compiler.integer(value.cast(to: outputType))
  }

  private func reducedReal(_ combiner: Combiner, _ value: Expression) -> ExpressionCompiler.Real {
    let next = compiler.real(value)
    let inner = inner
    if combiner == .sum {
      return {
        var sum = 0.0
        inner.forEach { sum += next() }
        return sum
      }
    }
    return {
      var result = combiner.realIdentity
      inner.forEach { result = combiner.combine(result, next()) }
      return result
    }
  }

  private func reducedInteger(
    _ combiner: Combiner, _ value: Expression
  ) -> ExpressionCompiler.Integer {
    if combiner == .argumentOfMaximum || combiner == .argumentOfMinimum {
      return argument(combiner, value)
    }
    let next = compiler.integer(value.dtype.isFloatingPoint ? value.cast(to: .bool) : value)
    let inner = inner
    let type = value.dtype
    let identity = combiner.integerIdentity(of: type)
    return {
      var result = identity
      inner.forEach { result = type.wrapped(combiner.combine(result, next())) }
      return result
    }
  }

  private func argument(_ combiner: Combiner, _ value: Expression) -> ExpressionCompiler.Integer {
    let inner = inner
    let order: BinaryOperator = combiner == .argumentOfMaximum ? .greater : .less
    guard value.dtype.isFloatingPoint else {
      let next = compiler.integer(value)
      return {
        var (position, best, bestPosition): (Int64, Int64, Int64) = (0, 0, -1)
        inner.forEach {
          let value = next()
          if bestPosition < 0 || ScalarSemantics.compare(order, value, best) {
            (best, bestPosition) = (value, position)
          }
          position += 1
        }
        return max(bestPosition, 0)
      }
    }
    let next = compiler.real(value)
    return {
      var (position, best, bestPosition): (Int64, Double, Int64) = (0, 0, -1)
      inner.forEach {
        let value = next()
        let isBetter = value.isNaN || ScalarSemantics.compare(order, value, best)
        if bestPosition < 0 || (isBetter && !best.isNaN) {
          (best, bestPosition) = (value, position)
        }
        position += 1
      }
      return max(bestPosition, 0)
    }
  }
}

extension Combiner {
  /// Whether the result is a position or a truth, whatever is combined.
  fileprivate var givesInteger: Bool {
    switch self {
    case .any, .all, .argumentOfMaximum, .argumentOfMinimum: true
    default: false
    }
  }

  fileprivate var realIdentity: Double {
    switch self {
    case .product: 1
    case .maximum: -.infinity
    case .minimum: .infinity
    default: 0
    }
  }

  func combine(_ first: Double, _ second: Double) -> Double {
    switch self {
    case .product: first * second
    case .maximum: ScalarSemantics.binary(.maximum, first, second)
    case .minimum: ScalarSemantics.binary(.minimum, first, second)
    default: first + second
    }
  }

  fileprivate func integerIdentity(of type: DType) -> Int64 {
    switch (self, type) {
    case (.product, _), (.all, _): 1
    case (.maximum, .i64): .min
    case (.maximum, .i32): Int64(Int32.min)
    case (.maximum, .i16): Int64(Int16.min)
    case (.maximum, .i8): Int64(Int8.min)
    case (.minimum, .i64): .max
    case (.minimum, .i32): Int64(Int32.max)
    case (.minimum, .i16): Int64(Int16.max)
    case (.minimum, .i8): Int64(Int8.max)
    case (.minimum, .u8): Int64(UInt8.max)
    case (.minimum, .bool): 1
    default: 0
    }
  }

  func combine(_ first: Int64, _ second: Int64) -> Int64 {
    switch self {
    case .sum: first &+ second
    case .product: first &* second
    case .maximum: max(first, second)
    case .minimum: min(first, second)
    case .any: first != 0 || second != 0 ? 1 : 0
    case .all: first != 0 && second != 0 ? 1 : 0
    case .argumentOfMaximum, .argumentOfMinimum: first
    }
  }
}
