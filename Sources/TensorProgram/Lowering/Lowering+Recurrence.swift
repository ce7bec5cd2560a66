import KernelSpec

extension LoweringTable {
  /// Recurrent networks: the products with the inputs at once, then step by step.
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
    case .relu: return .maximum(sum(0), .number(0, old.dtype))
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
    var last: [[BufferID]] = states.map { _ in [] }
    for layer in 0..<layers {
      var hidden: [[BufferID]] = []
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
        let (outputs, final) = run(plan, from: initial)
        hidden.append(outputs)
        for (position, state) in final.enumerated() { last[position].append(state) }
      }
      columns = directions * width
      let whole = joined(hidden, TensorType(type, [steps, batch, columns]), width: width)
      element = { [self] step, row, column in load(whole, [step, row, column]) }
    }
    let output = map(operation.result, name: "output") { axes in
      let at = axes.positions
      return isBatchFirst ? element(at[1], at[0], at[2]) : element(at[0], at[1], at[2])
    }
    return [output]
      + zip(operation.results.dropFirst(), last).map { result, states in
        map(result, name: "last") { axes in
          let at = axes.positions
          return selected(at[0], states.indices) { load(states[$0], Array(at.dropFirst())) }
        }
      }
  }

  /// The hidden states of all steps, those of both directions side by side.
  private func joined(_ hidden: [[BufferID]], _ type: TensorType, width: Int) -> BufferID {
    map(type, name: "layer") { axes in
      let (row, column) = (Index.axis(axes[1]), Index.axis(axes[2]))
      return selected(.axis(axes[0]), hidden[0].indices) { position in
        let parts = hidden.enumerated().map { direction, outputs in
          load(outputs[position], [row, column - direction * width])
        }
        guard parts.count > 1 else { return parts[0] }
        return .select(.inRange(column, lower: 0, upper: width), parts[0], parts[1])
      }
    }
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

  /// The hidden state after each step, in the order of the input, and the last state.
  private func run(_ plan: Direction, from initial: [BufferID]) -> ([BufferID], [BufferID]) {
    var states = initial
    var outputs: [Int: BufferID] = [:]
    let result = TensorType(plan.type, [plan.batch, plan.width])
    for count in 0..<plan.steps {
      let step = plan.isBackward ? plan.steps - 1 - count : count
      let products = stateProducts(plan, states[0])
      let fromInput = { [self] (axes: [Axis], gate: Int) -> Expression in
        load(
          plan.products, [.constant(step), .axis(axes[0]), .axis(axes[1]) + gate * plan.width])
      }
      let fromState = { [self] (axes: [Axis], gate: Int) -> Expression in
        load(products, [.axis(axes[0]), .axis(axes[1]) + gate * plan.width])
      }
      if case .lstm = plan.cell {
        let sum = { (axes: [Axis], gate: Int) in fromInput(axes, gate) + fromState(axes, gate) }
        let cell = map(result, name: "cell") { axes in
          let kept = Expression.unary(.sigmoid, sum(axes, 1)) * load(states[1], axes.positions)
          return kept + .unary(.sigmoid, sum(axes, 0)) * .unary(.tanh, sum(axes, 2))
        }
        let hidden = map(result, name: "hidden") { axes in
          .unary(.sigmoid, sum(axes, 3)) * .unary(.tanh, load(cell, axes.positions))
        }
        states = [hidden, cell]
      } else {
        let old = states[0]
        states = [
          map(result, name: "hidden") { axes in
            plan.cell.hidden(
              { fromInput(axes, $0) }, { fromState(axes, $0) }, load(old, axes.positions))
          }
        ]
      }
      outputs[step] = states[0]
    }
    return ((0..<plan.steps).compactMap { outputs[$0] }, states)
  }

  private func stateProducts(_ plan: Direction, _ state: BufferID) -> BufferID {
    let result = TensorType(plan.type, [plan.batch, plan.cell.gates * plan.width])
    let products = reduce(result, over: [plan.width], .sum, name: "product") { axes, reduced in
      let column = Index.axis(reduced[0])
      return load(state, [.axis(axes[0]), column])
        * load(plan.weight, [.axis(axes[1]), column]).cast(to: plan.type)
    }
    guard let bias = plan.bias else { return products }
    return map(result, name: "gates") { axes in
      load(products, axes.positions) + load(bias, [.axis(axes[1])]).cast(to: plan.type)
    }
  }
}
