import KernelSpec
import TensorProgram
import Testing

@Suite("Lowering")
struct LoweringTests {
  /// The outputs of one operator on `inputs`, which are named `self`, `other`… in its schema.
  private func run(
    _ op: String, _ names: [String], _ inputs: [TensorValue],
    _ arguments: [String: CheckedSpec.Argument] = [:], gives result: TensorType
  ) throws -> [Double] {
    var all = arguments
    for (position, name) in names.enumerated() { all[name] = .tensor(.input(position)) }
    let spec = CheckedSpec(
      inputs: zip(names, inputs).map {
        Spec.Input(name: $0, type: TensorType($1.dtype, $1.shape))
      },
      nodes: [CheckedSpec.Node(op: op, arguments: .init(all), results: [result])],
      outputs: [.node(0, result: 0)], numerics: NumericPolicy(), name: op)
    let program = try TensorProgram(lowering: spec)
    return try ReferenceEvaluator(program).evaluate(inputs)[0].reals
  }

  @Test("addition broadcasts its operands")
  func additionBroadcasts() throws {
    let matrix = TensorValue(.f32, [2, 2], reals: [1, 2, 3, 4])
    let row = TensorValue(.f32, [2], reals: [10, 20])
    let sum = try run(
      "aten.add.Tensor", ["self", "other"], [matrix, row], ["alpha": .scalar(.integer(2))],
      gives: TensorType(.f32, [2, 2]))
    #expect(sum == [21, 42, 23, 44])
  }

  @Test("a matrix product sums over the inner dimension")
  func matrixProduct() throws {
    let left = TensorValue(.f32, [2, 3], reals: [1, 2, 3, 4, 5, 6])
    let right = TensorValue(.f32, [3, 1], reals: [1, 10, 100])
    let product = try run(
      "aten.mm.default", ["self", "mat2"], [left, right], gives: TensorType(.f32, [2, 1]))
    #expect(product == [321, 654])
  }

  @Test("a computed position outside of its table reads inside of it")
  func computedPositionsStayInside() throws {
    let table = TensorValue(.f32, [2], reals: [10, 20])
    let positions = [
      "abs(i: i64[3])": TensorValue(.i64, [3], integers: [0, -1, 1_000_000]),
      "_to_copy(i: f32[3], dtype: i64)": TensorValue(.f32, [3], reals: [0.5, 1, 1e6]),
    ]
    for (index, values) in positions {
      let spec = try Spec.parse("index_select(x: f32[2], dim: 0, index: \(index))").checked()
      let selected = try ReferenceEvaluator(TensorProgram(lowering: spec))
        .evaluate([table, values])
      #expect(selected[0].reals == [10, 20, 20])
    }
  }

  @Test("softmax of equal elements is uniform, however large they are")
  func softmaxIsStable() throws {
    let row = TensorValue(.f32, [1, 4], reals: [1e4, 1e4, 1e4, 1e4])
    let result = try run(
      "aten._softmax.default", ["self"], [row],
      ["dim": .integer(1), "half_to_float": .boolean(false)], gives: TensorType(.f32, [1, 4]))
    #expect(result == [0.25, 0.25, 0.25, 0.25])
  }

  @Test("convolution reads zeros in the padding, and transposed convolution spreads by the stride")
  func convolutions() throws {
    let weight = TensorValue(.f32, [1, 1, 3], reals: [1, 10, 100])
    var arguments: [String: CheckedSpec.Argument] = [
      "stride": .integers([1]), "padding": .integers([1]), "dilation": .integers([1]),
      "transposed": .boolean(false), "output_padding": .integers([0]), "groups": .integer(1),
    ]
    let padded = try run(
      "aten.convolution.default", ["input", "weight"],
      [TensorValue(.f32, [1, 1, 3], reals: [1, 2, 3]), weight], arguments,
      gives: TensorType(.f32, [1, 1, 3]))
    #expect(padded == [210, 321, 32])
    arguments["stride"] = .integers([2])
    arguments["padding"] = .integers([0])
    arguments["transposed"] = .boolean(true)
    let spread = try run(
      "aten.convolution.default", ["input", "weight"],
      [TensorValue(.f32, [1, 1, 2], reals: [1, 2]), weight], arguments,
      gives: TensorType(.f32, [1, 1, 5]))
    #expect(spread == [1, 10, 102, 20, 200])
  }
}
