import KernelSpec

/// What an expression costs to evaluate once more, in units of about one addition.
private struct EvaluationCost {
  /// Arithmetic on values.
  var arithmetic = 0
  /// Choices between alternatives: guards of padding, parts of a concatenation.
  var choices = 0
  var loads = 0

  init(_ expression: Expression) {
    expression.forEach { node in
      switch node {
      case .load: loads += 1
      case .select: choices += 1
      case .unary(let operation, _): arithmetic += operation.cost
      case .binary(let operation, _, _): arithmetic += operation.cost
      default: break
      }
    }
  }

  /// Only moves elements: no arithmetic and at most one choice.
  var isView: Bool { arithmetic == 0 && choices <= 1 && loads <= 1 }
}

extension UnaryOperator {
  fileprivate var cost: Int {
    switch self {
    case .negate, .absolute, .logicalNot, .bitwiseNot, .isNaN, .isInfinite, .sign, .floor, .ceil,
      .truncate, .round:
      1
    case .sqrt, .reciprocal: 4
    case .rsqrt: 8
    default: 20
    }
  }
}

extension BinaryOperator {
  fileprivate var cost: Int {
    switch self {
    case .divide: 4
    case .floorDivide, .fmod, .remainder: 8
    case .power, .atan2, .randomBits: 40
    default: 1
    }
  }
}

/// The most arithmetic that is repeated for every use rather than stored.
private let cheapArithmetic = 6
/// The largest expression that inlining may build.
private let largestExpression = 160

extension TensorProgram {
  /// The program with the maps that are cheaper to repeat than to store folded into their users.
  func inlined() -> TensorProgram {
    var inlining = Inlining(program: self)
    return inlining.run()
  }
}

/// One pass over the stages in order: each is rewritten with the maps folded so far, then decided upon.
private struct Inlining {
  let program: TensorProgram
  /// The definitions to fold, by the buffer that they define.
  private var folded: [BufferID: (domain: [Axis], value: Expression)] = [:]
  /// For each buffer, the stages that load it and how often.
  private let uses: [BufferID: [(stage: Int, count: Int)]]
  private let kinds: [BufferID: Stage.Body]

  init(program: TensorProgram) {
    self.program = program
    var uses: [BufferID: [(stage: Int, count: Int)]] = [:]
    for (position, stage) in program.stages.enumerated() {
      let counts = Dictionary(grouping: stage.loads, by: \.buffer).mapValues(\.count)
      for (buffer, count) in counts { uses[buffer, default: []].append((position, count)) }
    }
    self.uses = uses
    kinds = Dictionary(uniqueKeysWithValues: program.stages.map { ($0.output, $0.body) })
  }

  mutating func run() -> TensorProgram {
    var result = program
    result.stages = []
    for stage in program.stages {
      let rewritten = stage.mapExpression { folding($0).simplified }
      if case .map(let value) = rewritten.body, shouldFold(rewritten, value: value) {
        folded[stage.output] = (rewritten.domain, value)
      } else {
        result.stages.append(rewritten)
      }
    }
    result.stages = result.stages.neededFor(result.outputs)
    return result
  }

  private func folding(_ expression: Expression) -> Expression {
    let inner = expression.mapChildren(
      { folding($0) },
      index: { index in index.rewritten(axis: { _ in nil }, expression: { folding($0) }) })
    guard case .load(let buffer, let type, let indexes) = inner, let definition = folded[buffer]
    else { return inner }
    let axes = Dictionary(uniqueKeysWithValues: zip(definition.domain, indexes))
    return converted(definition.value.substituting(axes), to: type)
  }

  /// A folded value is converted as its store would have been, so that folding never changes a type.
  private func converted(_ value: Expression, to type: DType) -> Expression {
    value.dtype == type ? value : .cast(type, value)
  }

  private func shouldFold(_ stage: Stage, value: Expression) -> Bool {
    let isOutput = program.outputs.contains(stage.output)
    let users = uses[stage.output] ?? []
    let isBound = users.contains { program.stages[$0.stage].recurrence != nil }
    guard !isOutput, !users.isEmpty, !isBound, value.size <= largestExpression else {
      return false
    }
    if looksUp(value), users.contains(where: { isProduct($0.stage, over: stage) }) { return false }
    let cost = EvaluationCost(value)
    let occurrences = users.reduce(0) { $0 + $1.count }
    if cost.isView { return true }
    if isEpilogue(stage, value: value) {
      return occurrences == 1 && isIdentityUse(of: stage, by: users[0].stage)
    }
    let feedsMapsOnly = users.allSatisfy { isMap(program.stages[$0.stage]) }
    if cost.choices > 1 && !feedsMapsOnly { return false }
    if cost.arithmetic <= cheapArithmetic && value.size * occurrences <= largestExpression {
      return true
    }
    return occurrences == 1
      && program.stages[users[0].stage].iterationCount <= stage.iterationCount
  }

  /// Whether the value is read where data says.
  private func looksUp(_ value: Expression) -> Bool {
    value.loads.contains { $0.indexes.contains(where: \.readsData) }
  }

  /// Whether the user is a sum that takes each element of the stage into several results, as a product of matrices
  /// does: it reads its factors in an order that looking up does not allow.
  private func isProduct(_ user: Int, over stage: Stage) -> Bool {
    let user = program.stages[user]
    guard case .reduce(_, .sum, _) = user.body else { return false }
    return user.iterationCount >= Self.productUses * stage.iterationCount
  }

  /// Fewer results that an element goes into are not worth storing it.
  private static let productUses = 8

  private func isMap(_ stage: Stage) -> Bool {
    if case .map = stage.body { true } else { false }
  }

  /// Whether the map continues a reduction or scan element by element: it then runs as its epilogue.
  private func isEpilogue(_ stage: Stage, value: Expression) -> Bool {
    value.loads.contains { load in
      switch kinds[load.buffer] {
      case .reduce, .scan: load.indexes == stage.domain.map { AffineIndex(.axis($0)).index }
      default: false
      }
    }
  }

  /// Whether the user is a map that reads the stage's output element by element.
  private func isIdentityUse(of stage: Stage, by user: Int) -> Bool {
    let user = program.stages[user]
    guard isMap(user) else { return false }
    let identity = user.domain.filter { $0.extent != 1 }.map { Index.axis($0) }
    return user.value.loads.contains {
      $0.buffer == stage.output && $0.indexes.map(\.simplified) == identity
    }
  }
}
