import KernelSpec
import TensorProgram

/// Evaluates one kernel, element by element, in double precision: the naive loops that contractions
/// must equal.
struct ContractionInterpreter {
  let program: TensorProgram
  let kernel: FusedKernel
  /// The elements of every buffer, by position; stages write to theirs.
  private(set) var values: [[Double]]

  init(_ program: TensorProgram, _ kernel: FusedKernel, inputs: [[Double]]) {
    self.program = program
    self.kernel = kernel
    values = program.buffers.map { [Double](repeating: 0, count: $0.type.storageElementCount) }
    for (position, input) in inputs.enumerated() { values[position] = input }
    for stage in kernel.stages { run(stage) }
  }

  private mutating func run(_ stage: Stage) {
    let strides = program.buffers[stage.output.position].type.resolvedStrides
    let most = (stage.domain + stage.reducedAxes).reduce(0) { max($0, $1.id) }
    var point = [Int](repeating: 0, count: most + 1)
    forEach(stage.domain, &point) { evaluator, point in
      let place = zip(stage.domain, strides).reduce(0) { $0 + point[$1.0.id] * $1.1 }
      evaluator.values[stage.output.position][place] = evaluator.element(stage, &point)
    }
  }

  private mutating func element(_ stage: Stage, _ point: inout [Int]) -> Double {
    switch stage.body {
    case .map(let value): return evaluate(value, point)
    case .reduce(let axes, _, let value):
      var sum = 0.0
      forEach(axes, &point) { evaluator, point in sum += evaluator.evaluate(value, point) }
      return sum
    case .scan, .scatter, .sort, .recurrence: return .nan
    }
  }

  private mutating func forEach(
    _ axes: [Axis], _ point: inout [Int],
    _ body: (inout ContractionInterpreter, inout [Int]) -> Void
  ) {
    var position = [Int](repeating: 0, count: axes.count)
    for _ in 0..<axes.reduce(1, { $0 * $1.extent }) {
      for (axis, value) in zip(axes, position) { point[axis.id] = value }
      body(&self, &point)
      for place in axes.indices.reversed() {
        position[place] += 1
        if position[place] < axes[place].extent { break }
        position[place] = 0
      }
    }
  }

  private func evaluate(_ expression: Expression, _ point: [Int]) -> Double {
    switch expression {
    case .real(let value, _): return value
    case .integer(let value, _): return Double(value)
    case .index(let index, _): return Double(evaluate(index, point))
    case .load(let buffer, _, let indexes):
      let strides = program.buffers[buffer.position].type.resolvedStrides
      let place = zip(indexes, strides).reduce(0) { $0 + evaluate($1.0, point) * $1.1 }
      return values[buffer.position][place]
    case .unary(.negate, let operand): return -evaluate(operand, point)
    case .unary: return .nan
    case .binary(let operation, let first, let second):
      return combine(operation, evaluate(first, point), evaluate(second, point))
    case .select(let condition, let first, let second):
      return evaluate(condition, point) != 0 ? evaluate(first, point) : evaluate(second, point)
    case .inRange(let index, let lower, let upper):
      let value = evaluate(index, point)
      return value >= lower && value < upper ? 1 : 0
    case .cast(_, let operand): return evaluate(operand, point)
    }
  }

  private func combine(_ operation: BinaryOperator, _ first: Double, _ second: Double) -> Double {
    switch operation {
    case .add: first + second
    case .subtract: first - second
    case .multiply: first * second
    case .maximum: max(first, second)
    case .logicalAnd: first != 0 && second != 0 ? 1 : 0
    default: .nan
    }
  }

  private func evaluate(_ index: Index, _ point: [Int]) -> Int {
    switch index {
    case .constant(let value): value
    case .axis(let axis): point[axis.id]
    case .sum(let first, let second): evaluate(first, point) + evaluate(second, point)
    case .product(let operand, let factor): evaluate(operand, point) * factor
    case .quotient(let operand, let divisor):
      Int((Double(evaluate(operand, point)) / Double(divisor)).rounded(.down))
    case .remainder(let operand, let divisor):
      ((evaluate(operand, point) % divisor) + divisor) % divisor
    case .value: 0
    }
  }
}

extension Stage {
  fileprivate var reducedAxes: [Axis] {
    guard case .reduce(let axes, _, _) = body else { return [] }
    return axes
  }
}
