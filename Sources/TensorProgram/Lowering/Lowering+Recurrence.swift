import KernelSpec

extension LoweringTable {
  /// Recurrent networks: the products with the inputs at once, then a loop over the steps.
  static let recurrences: [String: Rule] = [
    "aten.lstm.input": { try $0.recur($1, .lstm) },
    "aten.gru.input": { try $0.recur($1, .gru) },
    "aten.rnn_tanh.input": { try $0.recur($1, .tanh) },
    "aten.rnn_relu.input": { try $0.recur($1, .relu) },
  ]
}

/// What a step computes from the products with its input and with the hidden state.
private enum Cell {
  case lstm, gru, tanh, relu

  var gates: Int {
    switch self {
    case .lstm: 4
    case .gru: 3
    case .tanh, .relu: 1
    }
  }

  /// The next hidden state of a cell without another state.
  func hidden(_ fromInput: (Int) -> Expression, _ fromState: (Int) -> Expression, _ old: Expression)
    -> Expression
  {
    func sum(_ gate: Int) -> Expression { fromInput(gate) + fromState(gate) }
    switch self {
    case .tanh, .lstm: return .unary(.tanh, sum(0))
    case .relu: return .maximum(.number(0, old.dtype), sum(0))
    case .gru:
      let (reset, update) = (Expression.unary(.sigmoid, sum(0)), Expression.unary(.sigmoid, sum(1)))
      let new = Expression.unary(.tanh, fromInput(2) + reset * fromState(2))
      return (old - new) * update + new
    }
  }
}

extension Lowering {
  /// One direction of one layer.
  private struct Direction {
    let cell: Cell
    let steps: Int
    let batch: Int
    let width: Int
    let type: DType
    let isBackward: Bool
    /// The products with the inputs of all steps, and the biases: `[steps, batch, gates · width]`.
    let products: BufferID
    let weight: BufferID
    let bias: BufferID?
  }

  private func list(_ name: String, of operation: Operation) -> [BufferID] {
    switch operation.node.arguments[name] {
    case .tensors(let list): list.compactMap { $0.flatMap { values[$0] } }
    case .tensor(let value): [values[value]].compactMap { $0 }
    default: []
    }
  }

  fileprivate func recur(_ operation: Operation, _ cell: Cell) throws -> [BufferID] {
    let input = try tensor("input", of: operation)
    let states = list("hx", of: operation)
    let parameters = list("params", of: operation)
    let (layers, hasBiases) = (
      try operation.integer("num_layers"), operation.boolean("has_biases")
    )
    let directions = operation.boolean("bidirectional") ? 2 : 1
    let isBatchFirst = operation.boolean("batch_first")
    let type = operation.result.dtype.computeType
    let shape = shape(of: input)
    let (steps, batch) = isBatchFirst ? (shape[1], shape[0]) : (shape[0], shape[1])
    let width = operation.results[1].shape[2]
    var next = parameters[...]
    var element = { [self] (step: Index, row: Index, column: Index) -> Expression in
      load(input, (isBatchFirst ? [row, step] : [step, row]) + [column]).cast(to: type)
    }
    var columns = shape[2]
    var runs: [BufferID] = []
    for layer in 0..<layers {
      var hidden: [BufferID] = []
      for direction in 0..<directions {
        let own = Array(next.prefix(hasBiases ? 4 : 2))
        next = next.dropFirst(own.count)
        guard own.count == (hasBiases ? 4 : 2) else {
          throw operation.error("params must have two weights for each layer and direction")
        }
        let plan = Direction(
          cell: cell, steps: steps, batch: batch, width: width, type: type,
          isBackward: direction == 1,
          products: inputProducts(
            element, own, columns: columns, steps: steps, batch: batch, in: type),
          weight: own[1], bias: hasBiases ? own[3] : nil)
        let initial = states.map { state in
          map(TensorType(type, [batch, width]), name: "state") { axes in
            load(state, [.constant(layer * directions + direction)] + axes.positions)
              .cast(to: type)
          }
        }
        hidden.append(run(plan, from: initial))
      }
      runs += hidden
      columns = directions * width
      element = joined(hidden, TensorType(type, [steps, batch, columns]), width: width)
    }
    let output = map(operation.result, name: "output") { axes in
      let at = axes.positions
      return isBatchFirst ? element(at[1], at[0], at[2]) : element(at[0], at[1], at[2])
    }
    return [output]
      + operation.results.dropFirst().enumerated().map { part, result in
        map(result, name: "last") { axes in
          let at = axes.positions
          return selected(at[0], runs.indices) { run in
            let last = run % directions == 1 ? 0 : steps - 1
            return load(runs[run], [.constant(part), .constant(last)] + at.dropFirst())
          }
        }
      }
  }

  /// The hidden states of all steps, those of both directions side by side.
  private func joined(_ runs: [BufferID], _ type: TensorType, width: Int)
    -> (Index, Index, Index) -> Expression
  {
    let hidden = { [self] (run: BufferID, step: Index, row: Index, column: Index) in
      load(run, [.constant(0), step, row, column])
    }
    guard runs.count > 1 else { return { hidden(runs[0], $0, $1, $2) } }
    let whole = map(type, name: "layer") { axes in
      let at = axes.positions
      return .select(
        .inRange(at[2], lower: 0, upper: width), hidden(runs[0], at[0], at[1], at[2]),
        hidden(runs[1], at[0], at[1], at[2] - width))
    }
    return { [self] in load(whole, [$0, $1, $2]) }
  }

  /// What `value` gives for the position that `index` is, by halving.
  private func selected(_ index: Index, _ range: Range<Int>, _ value: (Int) -> Expression)
    -> Expression
  {
    guard range.count > 1 else { return value(range.lowerBound) }
    let middle = (range.lowerBound + range.upperBound) / 2
    return .select(
      .inRange(index, lower: range.lowerBound, upper: middle),
      selected(index, range.lowerBound..<middle, value),
      selected(index, middle..<range.upperBound, value))
  }

  private func inputProducts(
    _ element: (Index, Index, Index) -> Expression, _ parameters: [BufferID], columns: Int,
    steps: Int, batch: Int, in type: DType
  ) -> BufferID {
    let rows = shape(of: parameters[0])[0]
    let result = TensorType(type, [steps, batch, rows])
    let products = reduce(result, over: [columns], .sum, name: "product") { axes, reduced in
      let at = axes.positions
      let column = Index.axis(reduced[0])
      return element(at[0], at[1], column) * load(parameters[0], [at[2], column]).cast(to: type)
    }
    guard parameters.count > 2 else { return products }
    return map(result, name: "gates") { axes in
      load(products, axes.positions) + load(parameters[2], [.axis(axes[2])]).cast(to: type)
    }
  }

  /// The parts of the state after each step, the hidden one first: `[parts, steps, batch, width]`.
  private func run(_ plan: Direction, from initial: [BufferID]) -> BufferID {
    let constants = [plan.weight] + (plan.bias.map { [$0] } ?? [])
    let state = TensorType(plan.type, [plan.batch, plan.width])
    let slice = TensorType(plan.type, [plan.batch, plan.cell.gates * plan.width])
    let step = Lowering(
      stepOf: spec,
      initial.map { _ in state } + [slice] + constants.map { type(of: $0) })
    let outputs = step.states(after: plan, of: initial.count)
    let recurrence = Recurrence(
      steps: plan.steps, isReversed: plan.isBackward, body: step.program(of: outputs),
      initial: initial, sequences: [plan.products], constants: constants)
    let result = TensorType(plan.type, [initial.count, plan.steps, plan.batch, plan.width])
    return define(
      result, domain: axes(result.shape), .recurrence(recurrence), name: "states")
  }

  /// The next state in the program of a step, whose inputs are the last one of `count` parts, the products with the
  /// step's input, and the weight and bias.
  private func states(after plan: Direction, of count: Int) -> [BufferID] {
    let products = stateProducts(
      plan, inputs[0], weight: inputs[count + 1],
      bias: plan.bias.map { _ in inputs[count + 2] })
    let fromInput = { [self] (axes: [Axis], gate: Int) -> Expression in
      load(inputs[count], [.axis(axes[0]), .axis(axes[1]) + gate * plan.width])
    }
    let fromState = { [self] (axes: [Axis], gate: Int) -> Expression in
      load(products, [.axis(axes[0]), .axis(axes[1]) + gate * plan.width])
    }
    let result = type(of: inputs[0])
    guard case .lstm = plan.cell else {
      let hidden = map(result, name: "hidden") { axes in
        plan.cell.hidden(
          { fromInput(axes, $0) }, { fromState(axes, $0) }, load(inputs[0], axes.positions))
      }
      return [hidden]
    }
    let sum = { (axes: [Axis], gate: Int) in fromInput(axes, gate) + fromState(axes, gate) }
    let cell = map(result, name: "cell") { axes in
      let kept = Expression.unary(.sigmoid, sum(axes, 1)) * load(inputs[1], axes.positions)
      return kept + .unary(.sigmoid, sum(axes, 0)) * .unary(.tanh, sum(axes, 2))
    }
    let hidden = map(result, name: "hidden") { axes in
      .unary(.sigmoid, sum(axes, 3)) * .unary(.tanh, load(cell, axes.positions))
    }
    return [hidden, cell]
  }

  private func stateProducts(
    _ plan: Direction, _ state: BufferID, weight: BufferID, bias: BufferID?
  ) -> BufferID {
    let result = TensorType(plan.type, [plan.batch, plan.cell.gates * plan.width])
    let products = reduce(result, over: [plan.width], .sum, name: "product") { axes, reduced in
      let column = Index.axis(reduced[0])
      return load(state, [.axis(axes[0]), column])
        * load(weight, [.axis(axes[1]), column]).cast(to: plan.type)
    }
    guard let bias else { return products }
    return map(result, name: "gates") { axes in
      load(products, axes.positions) + load(bias, [.axis(axes[1])]).cast(to: plan.type)
    }
  }
}
