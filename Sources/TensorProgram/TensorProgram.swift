package import KernelSpec

/// A spec lowered to stages: each defines one buffer by an indexed expression over named axes.
///
/// Stages are in static single assignment form and in execution order: a buffer is written by exactly one
/// stage, before any stage that reads it.
package struct TensorProgram: Sendable, Hashable {
  /// Every buffer, by `BufferID`.
  package var buffers: [Buffer]
  /// The buffers that the caller gives, in the order of the spec's inputs.
  package var inputs: [BufferID]
  /// The buffers that the caller receives, in the order of the spec's outputs. Each is contiguous and
  /// written by a stage of its own: never an input, never twice the same.
  package var outputs: [BufferID]
  package var stages: [Stage]
  /// The values that each input may hold.
  package var inputDomains: [InputDomain]

  package init(
    buffers: [Buffer], inputs: [BufferID], outputs: [BufferID], stages: [Stage],
    inputDomains: [InputDomain]
  ) {
    self.buffers = buffers
    self.inputs = inputs
    self.outputs = outputs
    self.stages = stages
    self.inputDomains = inputDomains
  }

  package subscript(buffer: BufferID) -> Buffer { buffers[buffer.position] }
}

/// The name of a buffer within a program.
package struct BufferID: Sendable, Hashable {
  package var position: Int
  package init(_ position: Int) { self.position = position }
}

/// A tensor in memory. Its type's strides are those of the caller for an input; all others are contiguous.
package struct Buffer: Sendable, Hashable {
  package var name: String
  package var type: TensorType

  package init(name: String, type: TensorType) {
    self.name = name
    self.type = type
  }
}

/// A loop variable that runs over `0..<extent`. Axes are unique within a program, but stages of one fused
/// kernel share those that they run over together.
package struct Axis: Sendable, Hashable {
  package var id: Int
  package var extent: Int

  package init(id: Int, extent: Int) {
    self.id = id
    self.extent = extent
  }
}

/// The definition of one buffer: `output[domain…] = body(domain…)`.
package struct Stage: Sendable, Hashable {
  package var output: BufferID
  /// One axis for each dimension of the output, outermost first.
  package var domain: [Axis]
  package var body: Body

  package init(output: BufferID, domain: [Axis], body: Body) {
    self.output = output
    self.domain = domain
    self.body = body
  }

  package enum Body: Sendable, Hashable {
    /// Each element from an expression over the domain.
    case map(Expression)
    /// Each element by combining `value` over `axes` in any order.
    case reduce(axes: [Axis], combiner: Combiner, value: Expression)
    /// Each element by combining `value` over the elements of one dimension of the domain up to and
    /// including this one.
    case scan(dimension: Int, combiner: Combiner, value: Expression)
    /// Values stored where data says.
    case scatter(Scatter)
    /// The order of the elements along an axis, as `i64` positions.
    case sort(Sort)
    /// The states of all steps of a loop.
    case recurrence(Recurrence)
  }
}

/// An associative and commutative way to combine values.
///
/// Combining nothing gives the identity. The arithmetic is done in the value's type; sums of `bool` are
/// never formed (lowering casts first).
package enum Combiner: String, Sendable, Hashable {
  case sum, product
  /// A NaN among the values is the result.
  case maximum, minimum
  /// Logical or, logical and, of `bool`.
  case any, all
  /// The row-major position, among the reduction axes, of the first largest or smallest value (the first
  /// NaN, if there is one), as `i64`.
  case argumentOfMaximum, argumentOfMinimum
}

/// A scalar expression over the axes of a stage.
///
/// Types never mix implicitly: both operands of a binary operator have one type, and lowering writes every
/// conversion as a `cast`. Arithmetic on `f16` and `bf16` is lowered as arithmetic on `f32`. The value of a
/// stage is converted to the type of its output when stored, as `cast` does.
package indirect enum Expression: Sendable, Hashable {
  /// A floating-point constant, of a floating-point type.
  case real(Double, DType)
  /// An integer or boolean (0 or 1) constant.
  case integer(Int64, DType)
  /// The value of an index, as an integer or floating-point number.
  case index(Index, DType)
  /// An element of a buffer of the given type: one index for each dimension.
  ///
  /// Evaluated only where its value is needed, so it may be out of bounds in the unselected branch of a
  /// `select`.
  case load(BufferID, DType, [Index])
  case unary(UnaryOperator, Expression)
  case binary(BinaryOperator, Expression, Expression)
  /// `condition ? first : second`; only the chosen branch is evaluated.
  case select(Expression, Expression, Expression)
  /// Whether `lower <= index < upper`: the guard of padding.
  case inRange(Index, lower: Int, upper: Int)
  /// A conversion with PyTorch's rules: to `bool` is `!= 0`; from floating-point to integer truncates; from
  /// a wider to a narrower integer wraps.
  case cast(DType, Expression)
}

/// An integer expression over axes: where to load from.
package indirect enum Index: Sendable, Hashable {
  case constant(Int)
  case axis(Axis)
  case sum(Index, Index)
  case product(Index, Int)
  /// The quotient rounded down, by a positive divisor.
  case quotient(Index, Int)
  /// The remainder in `0..<divisor`, by a positive divisor.
  case remainder(Index, Int)
  /// An index that is read from data, such as a position in an embedding table.
  case value(Expression)
}

package enum UnaryOperator: String, Sendable, Hashable, CaseIterable {
  case negate, absolute, exp, expm1, log, log1p, log2, log10, sqrt, rsqrt, reciprocal
  /// Of a value that cannot be above zero; targets may compute it with fewer instructions.
  case expOfNonPositive
  case sin, cos, tan, asin, acos, atan, sinh, cosh, tanh, asinh, acosh, atanh
  case sigmoid, erf
  /// To nearest, ties to even.
  case round
  case floor, ceil, truncate, sign
  /// `bool` to `bool`.
  case logicalNot
  case bitwiseNot
  /// Floating-point to `bool`.
  case isNaN, isInfinite
}

package enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
  case add, subtract, multiply
  /// True division of floating-point values; of integers, the quotient rounded toward zero.
  case divide
  /// The quotient rounded down.
  case floorDivide
  /// The remainder with the sign of the dividend (C), and with the sign of the divisor (Python).
  case fmod, remainder
  case power, atan2
  /// A NaN operand is the result.
  case maximum, minimum
  /// Comparisons give `bool`.
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  /// Of `bool`.
  case logicalAnd, logicalOr, logicalXor
  case bitwiseAnd, bitwiseOr, bitwiseXor
  /// 64 random bits of a key and a counter, all `i64`: the first two words of Philox4x32-10.
  case randomBits
}

extension Expression {
  /// The type of the expression's value.
  package var dtype: DType {
    switch self {
    case .real(_, let type), .integer(_, let type), .index(_, let type), .load(_, let type, _),
      .cast(let type, _):
      type
    case .inRange: .bool
    case .unary(let operation, let operand): operation.isPredicate ? .bool : operand.dtype
    case .binary(let operation, let first, _): operation.isPredicate ? .bool : first.dtype
    case .select(_, let first, _): first.dtype
    }
  }
}

extension UnaryOperator {
  /// Whether the result is `bool` whatever the operand.
  package var isPredicate: Bool { self == .logicalNot || self == .isNaN || self == .isInfinite }
}

extension BinaryOperator {
  /// Whether the result is `bool` whatever the operands.
  package var isPredicate: Bool {
    switch self {
    case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual, .logicalAnd,
      .logicalOr, .logicalXor:
      true
    default: false
    }
  }
}
