import KernelSpec
import TensorProgram

/// The C text of a value.
///
/// A value that every right evaluation gives to the last bit is plain: a `double` or an `int64_t`. Another is a
/// `num` or a `whole`: the value `v`, and `q`, the square of how far from it a right evaluation in the working
/// type may come out (decision 010).
struct ReferenceTerm {
  var text: String
  var isExact: Bool
  var dtype: DType

  /// The value alone.
  var value: String { isExact ? text : "(\(text)).v" }

  /// The value taken for exact.
  var plain: ReferenceTerm { ReferenceTerm(text: value, isExact: true, dtype: dtype) }

  /// The value with its error, which is 0 for a plain one.
  var bounded: String {
    isExact ? "\(dtype.isFloatingPoint ? "exactly" : "certainly")(\(text))" : text
  }

  /// The C type of ``bounded``.
  var boundedType: String { dtype.boundedReferenceType }
}

extension DType {
  var plainReferenceType: String { isFloatingPoint ? "double" : "int64_t" }
  var boundedReferenceType: String { isFloatingPoint ? "num" : "whole" }

  /// What one operation in this type may be off by, relative to its result: four units in the last place. 16-bit
  /// types are computed with as `f32`.
  var referenceUnit: String { self == .f64 ? "0x1p-50" : "0x1p-21" }

  /// The same for functions that are approximated: what tests of the generated ones allow.
  var referenceFunctionUnit: String { self == .f64 ? "0x1p-40" : "0x1p-20" }
}

extension ReferencePrinter {
  /// The value of an expression.
  func term(_ expression: Expression) -> ReferenceTerm {
    let type = expression.dtype
    func exact(_ text: String) -> ReferenceTerm {
      ReferenceTerm(text: text, isExact: true, dtype: type)
    }
    switch expression {
    case .real(let value, _): return exact(real(value))
    case .integer(let value, _): return exact(integer(value))
    case .index(let index, _): return exact(cast(text(index), from: .i64, to: type))
    case .inRange(let index, let lower, let upper):
      return exact("(\(text(index)) >= \(lower) && \(text(index)) < \(upper))")
    case .load(let buffer, _, let indices): return loaded(buffer, type, indices)
    case .unary(let operation, let operand): return unary(operation, term(operand), expression)
    case .binary(let operation, let first, let second):
      return binary(operation, term(first), term(second), expression)
    case .select(let condition, let first, let second):
      return select(term(condition), (first, term(first)), (second, term(second)))
    case .cast(_, let operand):
      let value = term(operand)
      // Every kernel computes positions from axes alone, and all to the same side.
      let isPosition = !type.isFloatingPoint && !operand.readsData
      return cast(isPosition ? value.plain : value, to: type)
    }
  }

  /// The value of an expression that is added up. The rounding of a product of exact values is left to the sum,
  /// which counts it: matrix products and convolutions spend all their time there.
  func summand(_ expression: Expression) -> ReferenceTerm {
    switch expression {
    case .binary(.multiply, let first, let second) where expression.dtype.isFloatingPoint:
      let (one, two) = (term(first), term(second))
      guard one.isExact, two.isExact else { return term(expression) }
      return ReferenceTerm(
        text: binary(.multiply, one.text, two.text, one.dtype), isExact: true, dtype: one.dtype)
    case .select(let condition, let first, let second):
      return select(term(condition), (first, summand(first)), (second, summand(second)))
    default: return term(expression)
    }
  }

  private func loaded(_ buffer: BufferID, _ type: DType, _ indices: [Index]) -> ReferenceTerm {
    let place = place(buffer, indices)
    let value = load(buffer, type, at: place)
    if exact.contains(buffer) { return ReferenceTerm(text: value, isExact: true, dtype: type) }
    // An index that is read from data is worth writing once.
    let make = type.isFloatingPoint ? "stored" : "stored_whole"
    let text = "\(make)(b\(buffer.position), e\(buffer.position), \(place))"
    return ReferenceTerm(text: text, isExact: false, dtype: type)
  }

  private func unary(
    _ operation: UnaryOperator, _ operand: ReferenceTerm, _ whole: Expression
  ) -> ReferenceTerm {
    let plain = { [self] (x: String) in unary(operation, x, operand.dtype) }
    let type = whole.dtype
    let keeps = operation.isExactOnReals || !operand.dtype.isFloatingPoint
    if operand.isExact, !keeps {
      return made(plain(operand.text), type, type.referenceFunctionUnit)
    }
    if operand.isExact || (operation.jumps && !whole.readsData) {
      return ReferenceTerm(text: plain(operand.value), isExact: true, dtype: type)
    }
    switch operation {
    case .isNaN, .isInfinite:
      return ReferenceTerm(text: plain(operand.value), isExact: true, dtype: type)
    case .negate where type.isFloatingPoint:
      return ReferenceTerm(text: "opposite(\(operand.text))", isExact: false, dtype: type)
    default:
      let unit = operation.isExactOnReals ? nil : type.referenceFunctionUnit
      return moved([operand], type, unit: unit) { plain($0[0]) }
    }
  }

  private func binary(
    _ operation: BinaryOperator, _ first: ReferenceTerm, _ second: ReferenceTerm,
    _ whole: Expression
  ) -> ReferenceTerm {
    let type = whole.dtype
    let operands = first.dtype
    let plain = { [self] (x: String, y: String) in binary(operation, x, y, operands) }
    let isReal = operands.isFloatingPoint
    let isSure = first.isExact && second.isExact
    let keeps = isSure && (!isReal || operation.isExactOnReals)
    if keeps || (operation.isPredicate && !whole.readsData) {
      return ReferenceTerm(text: plain(first.value, second.value), isExact: true, dtype: type)
    }
    if operation == .logicalAnd || operation == .logicalOr {
      return logical(operation == .logicalAnd, first, second, whole)
    }
    if isSure {
      if operation == .multiply {
        let text = "product(\(first.text), \(second.text), \(type.referenceUnit))"
        return ReferenceTerm(text: text, isExact: false, dtype: type)
      }
      let unit = operation.isArithmetic ? type.referenceUnit : type.referenceFunctionUnit
      return made(plain(first.text, second.text), type, unit)
    }
    if isReal, let name = operation.boundedFunction {
      let unit = operation.isExactOnReals ? "" : ", \(type.referenceUnit)"
      if operation == .multiply, first.isExact != second.isExact {
        let (one, scale) = first.isExact ? (second, first) : (first, second)
        let text = "scaled(\(one.text), \(scale.text)\(unit))"
        return ReferenceTerm(text: text, isExact: false, dtype: type)
      }
      let text = "\(name)(\(first.bounded), \(second.bounded)\(unit))"
      return ReferenceTerm(text: text, isExact: false, dtype: type)
    }
    if isReal, operation.isPredicate {
      let text =
        "({ const num x_ = \(first.bounded); const num y_ = \(second.bounded); "
        + "(whole){\(plain("x_.v", "y_.v")), near(x_, y_)}; })"
      return ReferenceTerm(text: text, isExact: false, dtype: type)
    }
    return moved([first, second], type, unit: isReal ? type.referenceFunctionUnit : nil) {
      plain($0[0], $0[1])
    }
  }

  /// A conjunction or disjunction, whose second operand the first may guard.
  private func logical(
    _ isConjunction: Bool, _ first: ReferenceTerm, _ second: ReferenceTerm, _ whole: Expression
  ) -> ReferenceTerm {
    let decides = isConjunction ? "x_.v" : "!x_.v"
    let needed = whole.readsByData ? decides : "\(decides) || x_.q > 0"
    let name = isConjunction ? "both" : "either"
    let text =
      "({ const whole x_ = \(first.bounded); whole y_ = {\(isConjunction ? 0 : 1), 0}; "
      + "if (\(needed)) y_ = \(second.bounded); \(name)(x_, y_); })"
    return ReferenceTerm(text: text, isExact: false, dtype: .bool)
  }

  /// A new result of an operation on plain values, which rounds it.
  private func made(_ text: String, _ type: DType, _ unit: String) -> ReferenceTerm {
    ReferenceTerm(text: "made(\(text), \(unit))", isExact: false, dtype: type)
  }

  /// A function of values, and how far it moves when they do.
  ///
  /// - Parameters:
  ///   - unit: the function's own error, relative to its result; `nil` when it has none.
  ///   - function: its text, of the texts of plain values.
  func moved(
    _ operands: [ReferenceTerm], _ type: DType, unit: String?, _ function: ([String]) -> String
  ) -> ReferenceTerm {
    let names = ["x_", "y_"].prefix(operands.count)
    let declared = zip(names, operands).map { "const \($1.boundedType) \($0) = \($1.bounded);" }
    let values = names.map { "\($0).v" }
    let result = type.plainReferenceType
    var text = (["({"] + declared + ["const \(result) v_ = \(function(values));"])
    text.append("double q_ = \(unit.map { "rounding(v_, \($0))" } ?? "0");")
    for (position, operand) in operands.enumerated() where !operand.isExact {
      let name = names[position]
      let reach = operand.dtype.isFloatingPoint ? "reach" : "steps"
      func at(_ sign: String) -> String {
        var moved = values
        moved[position] = "(\(name).v \(sign) d_)"
        return "(double)\(function(moved))"
      }
      text.append(
        "if (\(name).q > 0) { const \(operand.dtype.plainReferenceType) d_ = \(reach)(\(name).q); "
          + "q_ += spread((double)v_, \(at("-")), \(at("+"))); }")
    }
    text.append("(\(type.boundedReferenceType)){v_, q_}; })")
    return ReferenceTerm(text: text.joined(separator: " "), isExact: false, dtype: type)
  }

  /// A conversion with PyTorch's rules.
  ///
  /// - Parameter rounds: whether it loses the digits that the type cannot hold.
  func cast(_ operand: ReferenceTerm, to type: DType, rounds: Bool = true) -> ReferenceTerm {
    let from = operand.dtype
    let plain = { [self] (x: String) in
      let converted = cast(x, from: from, to: type)
      return rounds ? rounded(converted, from: from, to: type) : converted
    }
    if operand.isExact {
      return ReferenceTerm(text: plain(operand.text), isExact: true, dtype: type)
    }
    if from == type { return operand }
    if from.isFloatingPoint, type.isFloatingPoint, !type.rounds(from: from) {
      return ReferenceTerm(text: operand.text, isExact: false, dtype: type)
    }
    return moved([operand], type, unit: nil) { plain($0[0]) }
  }

  private func select(
    _ condition: ReferenceTerm, _ first: (Expression, ReferenceTerm),
    _ second: (Expression, ReferenceTerm)
  ) -> ReferenceTerm {
    let (one, two) = (first.1, second.1)
    let type = one.dtype
    if condition.isExact, one.isExact, two.isExact {
      let text = "(\(condition.text) ? \(one.text) : \(two.text))"
      return ReferenceTerm(text: text, isExact: true, dtype: type)
    }
    // Only a branch whose loads cannot leave their buffers may be evaluated beside the chosen one.
    guard !condition.isExact, !first.0.readsByData, !second.0.readsByData else {
      let text = "(\(condition.value) ? \(one.bounded) : \(two.bounded))"
      return ReferenceTerm(text: text, isExact: false, dtype: type)
    }
    let c = type.boundedReferenceType
    let text =
      "({ const whole c_ = \(condition.text); \(c) a_ = {0}, b_ = {0}; "
      + "if (c_.v || c_.q > 0) a_ = \(one.bounded); if (!c_.v || c_.q > 0) b_ = \(two.bounded); "
      + "const double d_ = (double)a_.v - (double)b_.v; \(c) r_ = c_.v ? a_ : b_; "
      + "if (c_.q > 0) r_.q = a_.q + b_.q + d_ * d_; r_; })"
    return ReferenceTerm(text: text, isExact: false, dtype: type)
  }
}

extension Expression {
  /// Whether the value depends on elements of buffers.
  fileprivate var readsData: Bool {
    var found = false
    visit { if case .load = $0 { found = true } }
    return found
  }

  /// Whether an element is read where data says.
  fileprivate var readsByData: Bool {
    var found = false
    visit { part in
      guard case .load(_, _, let indices) = part else { return }
      found = found || indices.contains { $0.isComputed }
    }
    return found
  }
}

extension Index {
  fileprivate var isComputed: Bool {
    switch self {
    case .constant, .axis: false
    case .sum(let first, let second): first.isComputed || second.isComputed
    case .product(let inner, _), .quotient(let inner, _), .remainder(let inner, _):
      inner.isComputed
    case .value: true
    }
  }
}

extension UnaryOperator {
  /// Whether the result of a floating-point number has no rounding error of its own.
  fileprivate var isExactOnReals: Bool {
    switch self {
    case .negate, .absolute, .round, .floor, .ceil, .truncate, .sign, .logicalNot, .bitwiseNot,
      .isNaN, .isInfinite:
      true
    default: false
    }
  }
}

extension UnaryOperator {
  /// Whether a small change of a floating-point number can change the result by much.
  fileprivate var jumps: Bool {
    switch self {
    case .round, .floor, .ceil, .truncate, .sign, .isNaN, .isInfinite: true
    default: false
    }
  }
}

extension BinaryOperator {
  /// Whether the result of floating-point numbers has no rounding error of its own.
  fileprivate var isExactOnReals: Bool { isPredicate || self == .maximum || self == .minimum }

  fileprivate var isArithmetic: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide: true
    default: false
    }
  }

  /// The function on two `num`, if there is one without branches.
  fileprivate var boundedFunction: String? {
    switch self {
    case .add: "added"
    case .subtract: "subtracted"
    case .multiply: "multiplied"
    case .divide: "divided"
    case .maximum: "largest"
    case .minimum: "smallest"
    default: nil
    }
  }
}
