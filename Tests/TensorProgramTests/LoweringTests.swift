import KernelSpec
import Support
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

  /// A transposed convolution along one dimension.
  private struct Spread {
    var length, kernel, stride, padding, dilation, more, groups: Int

    init(_ random: inout SeededRandom) {
      (length, kernel) = (.random(in: 1...6, using: &random), .random(in: 1...5, using: &random))
      (stride, dilation) = (.random(in: 1...4, using: &random), .random(in: 1...4, using: &random))
      padding = .random(in: 0...((kernel - 1) * dilation / 2), using: &random)
      more = .random(in: 0..<Swift.max(stride, dilation), using: &random)
      groups = .random(in: 1...2, using: &random)
    }

    var outputs: Int {
      (length - 1) * stride - 2 * padding + dilation * (kernel - 1) + more + 1
    }
    let batch = 2
    let inputs = 3
    let outputsPerGroup = 2

    /// What PyTorch's documentation says: each input element adds the kernel, times itself, to the output.
    func values(_ input: [Double], _ weight: [Double]) -> [Double] {
      let channels = inputs * groups
      var result = [Double](repeating: 0, count: batch * outputsPerGroup * groups * outputs)
      for (n, c, i) in product(batch, channels, length) {
        for (o, k, _) in product(outputsPerGroup, kernel, 1) {
          let y = i * stride + k * dilation - padding
          guard (0..<outputs).contains(y) else { continue }
          let row = (n * groups + c / inputs) * outputsPerGroup + o
          result[row * outputs + y] +=
            input[(n * channels + c) * length + i] * weight[(c * outputsPerGroup + o) * kernel + k]
        }
      }
      return result
    }

    private func product(_ a: Int, _ b: Int, _ c: Int) -> [(Int, Int, Int)] {
      (0..<a).flatMap { x in (0..<b).flatMap { y in (0..<c).map { (x, y, $0) } } }
    }
  }

  @Test("transposed convolutions of any window add each input's kernel where it belongs")
  func transposedConvolutions() throws {
    var random = SeededRandom(seed: 41)
    for number in 0..<200 {
      let spread = Spread(&random)
      guard spread.outputs > 0 else { continue }
      let channels = spread.inputs * spread.groups
      func drawn(_ count: Int) -> [Double] {
        (0..<count).map { _ in Double(Int.random(in: -9...9, using: &random)) }
      }
      let input = drawn(spread.batch * channels * spread.length)
      let weight = drawn(channels * spread.outputsPerGroup * spread.kernel)
      let found = try run(
        "aten.convolution.default", ["input", "weight"],
        [
          TensorValue(.f32, [spread.batch, channels, spread.length], reals: input),
          TensorValue(.f32, [channels, spread.outputsPerGroup, spread.kernel], reals: weight),
        ],
        [
          "stride": .integers([spread.stride]), "padding": .integers([spread.padding]),
          "dilation": .integers([spread.dilation]), "transposed": .boolean(true),
          "output_padding": .integers([spread.more]), "groups": .integer(spread.groups),
        ],
        gives: TensorType(
          .f32, [spread.batch, spread.outputsPerGroup * spread.groups, spread.outputs]))
      #expect(found == spread.values(input, weight), "case \(number): \(spread)")
    }
  }
}
