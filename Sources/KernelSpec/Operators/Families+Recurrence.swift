/// Result types of recurrent networks as whole operators.
enum Recurrence {
  /// Layers in all directions: each becomes a loop of its own.
  private static let mostLayers = 128

  private static func states(_ call: OperatorCall) throws(SpecError) -> [TensorType] {
    guard case .tensor? = call.arguments["hx"] else { return try call.tensors("hx") }
    return [try call.tensor("hx")]
  }

  /// - Parameters:
  ///   - gates: how many vectors of the hidden width a step computes.
  ///   - count: how many tensors its state has.
  static func infer(gates: Int, states count: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("input")
      let states = try states(call)
      let (layers, dropout) = (try call.integer("num_layers"), try call.real("dropout"))
      let directions = call.flag("bidirectional") ? 2 : 1
      guard type.rank == 3, type.dtype.isFloatingPoint, layers > 0, states.count == count,
        let state = states.first, state.rank == 3, dropout == 0 || !call.flag("train")
      else {
        throw call.fail(
          "\(call.schema.name) of \(type)", expected: "rank 3, without dropout in training")
      }
      call.arguments["dropout"] = .number(0)
      call.arguments["train"] = .boolean(false)
      let (steps, batch) =
        call.flag("batch_first")
        ? (type.shape[1], type.shape[0]) : (type.shape[0], type.shape[1])
      let width = state.shape[2]
      guard steps > 0 else { throw call.fail("there is no step", expected: "1 or more") }
      guard layers <= mostLayers / directions else {
        throw SpecError(
          .limit, "\(layers) layers in \(directions) directions",
          expected: "\(mostLayers) in all at most")
      }
      let expected = TensorType(type.dtype, [layers * directions, batch, width])
      guard states.allSatisfy({ $0.shape == expected.shape && $0.dtype == type.dtype }) else {
        throw call.fail("the state is \(state)", expected: "\(expected)")
      }
      try requireParameters(call, gates * width, width, type, layers, directions)
      let outer = call.flag("batch_first") ? [batch, steps] : [steps, batch]
      let output = try TensorType.checked(type.dtype, outer + [directions * width])
      return [output] + states.map { _ in expected }
    }
  }

  private static func requireParameters(
    _ call: OperatorCall, _ rows: Int, _ width: Int, _ type: TensorType, _ layers: Int,
    _ directions: Int
  ) throws(SpecError) {
    var expected: [[Int]] = []
    for layer in 0..<layers {
      let columns = layer == 0 ? type.shape[2] : directions * width
      let biases = call.flag("has_biases") ? [[rows], [rows]] : []
      for _ in 0..<directions { expected += [[rows, columns], [rows, width]] + biases }
    }
    let parameters = try call.tensors("params")
    guard parameters.map(\.shape) == expected,
      parameters.allSatisfy({ $0.dtype == type.dtype })
    else {
      throw call.fail(
        "the parameters are \(parameters.map(\.description))", expected: "shapes \(expected)")
    }
  }

  static func entry(_ name: String, gates: Int, states: Int) -> Operator? {
    .primitive(
      """
      \(name).input(Tensor input, Tensor\(states > 1 ? "[]" : "") hx, Tensor[] params, \
      bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, \
      bool batch_first) -> (Tensor, Tensor\(states > 1 ? ", Tensor" : ""))
      """, infer(gates: gates, states: states))
  }
}

extension OperatorTable {
  static let recurrences: [Operator?] = [
    Recurrence.entry("lstm", gates: 4, states: 2), Recurrence.entry("gru", gates: 3, states: 1),
    Recurrence.entry("rnn_tanh", gates: 1, states: 1),
    Recurrence.entry("rnn_relu", gates: 1, states: 1),
  ]
}
