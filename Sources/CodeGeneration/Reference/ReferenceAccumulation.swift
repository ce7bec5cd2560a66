import KernelSpec
import TensorProgram

/// The C text that combines values one after the other, with their errors.
struct ReferenceAccumulation {
  /// The accumulators, without values.
  private(set) var declarations: [String] = []
  /// What sets them.
  private(set) var start: [String] = []
  /// What takes one value in.
  private(set) var step: [String] = []
  private(set) var result = ReferenceTerm(text: "0", isExact: true, dtype: .i64)

  private let element: String
  private let length: String

  /// - Parameters:
  ///   - count: the text of how many values are combined.
  ///   - position: the text of the value's position, for those that give it.
  ///   - element: the subscript of an accumulator, where there is a row of them.
  ///   - length: the length of that row, as it is declared.
  init(
    _ combiner: Combiner, _ value: ReferenceTerm, _ printer: ReferencePrinter, count: String,
    position: String, element: String = "", length: String = ""
  ) {
    self.element = element
    self.length = length
    let identity = printer.identity(combiner, value.dtype)
    let isReal = value.dtype.isFloatingPoint
    switch combiner {
    case .argumentOfMaximum, .argumentOfMinimum:
      argument(combiner == .argumentOfMaximum ? ">" : "<", identity, value, count, position)
    case .sum where isReal: sum(value, count)
    case .maximum where isReal && !value.isExact: extreme(">", "larger", identity, value)
    case .minimum where isReal && !value.isExact: extreme("<", "smaller", identity, value)
    default:
      let stays = value.isExact && !(isReal && combiner == .product)
      let type = stays ? value.dtype.plainReferenceType : value.boundedType
      let sum = add(type, "sum", stays ? identity : "(\(type)){\(identity), 0}")
      result = ReferenceTerm(text: sum, isExact: stays, dtype: value.dtype)
      step = ["\(sum) = \(printer.combined(combiner, result, value).text);"]
    }
  }

  /// Declares an accumulator and gives its text.
  private mutating func add(_ type: String, _ name: String, _ first: String) -> String {
    declarations.append("\(type) \(name)\(length);")
    start.append("\(name)\(element) = \(first);")
    return "\(name)\(element)"
  }

  /// The values, the squares of their errors, and their magnitudes, which bound the rounding of the sum in
  /// any order.
  private mutating func sum(_ value: ReferenceTerm, _ count: String) {
    let (sum, size) = (add("double", "sum", "0"), add("double", "size", "0"))
    // One more for the rounding of the terms.
    let rounding = "square(\(value.dtype.referenceUnit) * (1 + terms(\(count))) * \(size))"
    var passed = ""
    // Any order of the terms will do, so that several may be added at once.
    let freely = "{ _Pragma(\"clang fp reassociate(on)\") \(sum) += v_; \(size) += s_;"
    if value.isExact {
      step = ["{ const double v_ = \(value.text), s_ = fabs(v_); \(freely) } }"]
    } else {
      let squares = add("double", "squares", "0")
      passed = "\(squares) + "
      step = [
        "{ const num t_ = \(value.text); const double v_ = t_.v, s_ = fabs(v_), q_ = t_.q; "
          + "\(freely) \(squares) += q_; } }"
      ]
    }
    result = ReferenceTerm(
      text: "((num){\(sum), \(passed)\(rounding)})", isExact: false, dtype: value.dtype)
  }

  /// The extreme value, and the extremes of what all values may be.
  private mutating func extreme(
    _ sign: String, _ function: String, _ identity: String, _ value: ReferenceTerm
  ) {
    let best = add("double", "best", identity)
    let (low, high) = (add("double", "low", identity), add("double", "high", identity))
    step = [
      "{ const num t_ = \(value.text); const double d_ = reach(t_.q); "
        + "\(best) = \(function)(\(best), t_.v); "
        + "\(low) = t_.v - d_ \(sign) \(low) ? t_.v - d_ : \(low); "
        + "\(high) = t_.v + d_ \(sign) \(high) ? t_.v + d_ : \(high); }"
    ]
    result = ReferenceTerm(
      text: "((num){\(best), spread(\(best), \(low), \(high))})", isExact: false,
      dtype: value.dtype)
  }

  /// The position of the extreme value; any may come out where others are as near as their errors.
  private mutating func argument(
    _ sign: String, _ identity: String, _ value: ReferenceTerm, _ count: String, _ position: String
  ) {
    let best = add(value.dtype.plainReferenceType, "best", identity)
    let at = add("int64_t", "at", "0")
    let isBetter = "t_ \(sign) \(best) || (t_ != t_ && \(best) == \(best))"
    guard !value.isExact, value.dtype.isFloatingPoint else {
      step = [
        "{ const \(value.dtype.plainReferenceType) t_ = \(value.value);",
        "if (\(isBetter)) { \(best) = t_; \(at) = \(position); } }",
      ]
      result = ReferenceTerm(text: at, isExact: true, dtype: .i64)
      return
    }
    // The least that the chosen one may be, the most that it may be, and the most that another may be.
    let (sure, mine) = (add("double", "sure", identity), add("double", "mine", identity))
    let other = add("double", "other", identity)
    let (toward, away) = sign == ">" ? ("+", "-") : ("-", "+")
    step = [
      "{ const num n_ = \(value.text); const double t_ = n_.v, d_ = reach(n_.q);",
      "if (\(isBetter)) { if (\(mine) \(sign) \(other)) \(other) = \(mine);",
      "\(best) = t_; \(at) = \(position); \(sure) = t_ \(away) d_; "
        + "\(mine) = t_ \(toward) d_; }",
      "else if (t_ \(toward) d_ \(sign) \(other)) \(other) = t_ \(toward) d_; }",
    ]
    result = ReferenceTerm(
      text: "((whole){\(at), \(other) \(sign) \(sure) ? square(\(count)) : 0})", isExact: false,
      dtype: .i64)
  }
}

extension ReferencePrinter {
  /// Two values combined.
  func combined(_ combiner: Combiner, _ first: ReferenceTerm, _ second: ReferenceTerm)
    -> ReferenceTerm
  {
    let type = first.dtype
    let unit = type.referenceUnit
    if first.isExact && second.isExact {
      let text = combined(combiner, first.text, second.text, type)
      return ReferenceTerm(text: text, isExact: true, dtype: type)
    }
    let name: String? =
      switch combiner {
      case .any: "either"
      case .all: "both"
      case .sum where type.isFloatingPoint: "added"
      case .product where type.isFloatingPoint: "multiplied"
      case .maximum where type.isFloatingPoint: "largest"
      case .minimum where type.isFloatingPoint: "smallest"
      default: nil
      }
    guard let name else {
      return moved([first, second], type, unit: nil) { combined(combiner, $0[0], $0[1], type) }
    }
    let rounds = name == "added" || name == "multiplied"
    let text = "\(name)(\(first.bounded), \(second.bounded)\(rounds ? ", \(unit)" : ""))"
    return ReferenceTerm(text: text, isExact: false, dtype: type)
  }

  /// A value in the type of the buffer that it is stored in.
  ///
  /// - Parameter rounds: whether it loses the digits that the type cannot hold.
  func converted(_ value: ReferenceTerm, to type: DType, rounds: Bool) -> ReferenceTerm {
    if rounds {
      let plain = { (x: String) in "to_\(type.rawValue)(\(x))" }
      let real = converted(value, to: type, rounds: false)
      return real.isExact
        ? ReferenceTerm(text: plain(real.text), isExact: true, dtype: type)
        : moved([real], type, unit: nil) { plain($0[0]) }
    }
    if value.dtype.isFloatingPoint, type.isFloatingPoint {
      return ReferenceTerm(text: value.text, isExact: value.isExact, dtype: type)
    }
    return cast(value, to: type, rounds: false)
  }

  /// Whether every right evaluation gives the stage's elements to the last bit.
  func isExact(_ stage: Stage) -> Bool {
    let keeps = { (combiner: Combiner, value: Expression) in
      !value.dtype.isFloatingPoint || (combiner != .sum && combiner != .product)
    }
    switch stage.body {
    case .map(let value): return term(value).isExact
    case .reduce(_, let combiner, let value), .scan(_, let combiner, let value):
      return keeps(combiner, value) && term(value).isExact
    case .scatter(let scatter):
      return scatter.combiner.map { keeps($0, scatter.value) } ?? true
        && term(scatter.value).isExact && term(scatter.initial).isExact
    case .sort: return true
    case .recurrence: return false
    }
  }
}
