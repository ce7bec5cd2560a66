/// Result types of convolution, and its helpers in 1, 2 and 3 dimensions.
enum Convolution {
  static func infer(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (input, weight) = (try call.tensor("input"), try call.tensor("weight"))
    let dtype = try Contraction.sharedType(call, ["input", "weight", "bias"])
    let spatial = input.rank - 2
    guard (1...3).contains(spatial), weight.rank == input.rank else {
      throw call.fail(
        "convolution of \(input) with weight \(weight)", expected: "both of rank 3, 4 or 5")
    }
    let isTransposed = call.flag("transposed")
    if !isTransposed { call.arguments["output_padding"] = .integers([0]) }
    for name in ["stride", "padding", "dilation", "output_padding"] {
      try fill(&call, name, spatial, minimum: name == "stride" || name == "dilation" ? 1 : 0)
    }
    let channels = try outputChannels(call, input, weight, isTransposed)
    if let bias = call.optionalTensor("bias"), bias.shape != [channels] {
      throw call.fail("the bias is \(bias)", expected: "shape [\(channels)]")
    }
    var shape = [input.shape[0], channels]
    for dimension in 0..<spatial {
      shape.append(
        try extent(
          call, dimension, input.shape[dimension + 2], weight.shape[dimension + 2],
          isTransposed: isTransposed))
    }
    return [try TensorType.checked(dtype, shape)]
  }

  /// Repeats a list of one element to the number of spatial dimensions.
  private static func fill(
    _ call: inout OperatorCall, _ name: String, _ spatial: Int, minimum: Int
  ) throws(SpecError) {
    var values = try call.integers(name)
    if values.count == 1 { values = [Int](repeating: values[0], count: spatial) }
    guard values.count == spatial, values.allSatisfy({ $0 >= minimum }) else {
      throw call.fail(
        "\(name) is \(values)", expected: "\(spatial) integers of at least \(minimum)")
    }
    call.arguments[name] = .integers(values)
  }

  private static func outputChannels(
    _ call: OperatorCall, _ input: TensorType, _ weight: TensorType, _ isTransposed: Bool
  ) throws(SpecError) -> Int {
    let groups = try call.integer("groups")
    guard groups > 0, weight.shape[0] % groups == 0, input.shape[1] % groups == 0 else {
      throw call.fail(
        "\(groups) groups of \(input) with weight \(weight)", expected: "a divisor of both")
    }
    let expected = isTransposed ? weight.shape[0] : weight.shape[1] * groups
    guard input.shape[1] == expected else {
      throw call.fail(
        "the input has \(input.shape[1]) channels", expected: "\(expected), as the weight says")
    }
    return isTransposed ? weight.shape[1] * groups : weight.shape[0]
  }

  private static func extent(
    _ call: OperatorCall, _ dimension: Int, _ size: Int, _ kernel: Int, isTransposed: Bool
  ) throws(SpecError) -> Int {
    let stride = try call.integers("stride")[dimension]
    let padding = try call.integers("padding")[dimension]
    let dilation = try call.integers("dilation")[dimension]
    // Every factor is below 2^31 (SpecLimits.integer), so that no sum of products overflows.
    let reach = dilation * (kernel - 1)
    guard kernel > 0 else { throw call.fail("a kernel without elements") }
    guard isTransposed else {
      let room = size + 2 * padding - reach - 1
      guard room >= 0 else { throw call.fail("the kernel is larger than the padded input") }
      return room / stride + 1
    }
    let extra = try call.integers("output_padding")[dimension]
    guard extra < max(stride, dilation) else {
      throw call.fail("output_padding \(extra)", expected: "less than stride or dilation")
    }
    let result = (size - 1) * stride - 2 * padding + reach + extra + 1
    guard result > 0 else { throw call.fail("the result has no elements") }
    return result
  }

  private static func helper(_ rank: Int) -> Operator? {
    .composite(
      """
      conv\(rank)d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[\(rank)] stride=1, \
      SymInt[\(rank)] padding=0, SymInt[\(rank)] dilation=1, SymInt groups=1) -> Tensor
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      try require(call, rank)
      call.arguments["transposed"] = .boolean(false)
      call.arguments["output_padding"] = .integers([0])
      return try graph.add("aten.convolution.default", call.arguments)
    }
  }

  private static func transposedHelper(_ rank: Int, _ overload: String) -> Operator? {
    .composite(
      """
      conv_transpose\(rank)d\(overload)(Tensor input, Tensor weight, Tensor? bias=None, \
      SymInt[\(rank)] stride=1, SymInt[\(rank)] padding=0, SymInt[\(rank)] output_padding=0, \
      SymInt groups=1, SymInt[\(rank)] dilation=1) -> Tensor
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      try require(call, rank)
      call.arguments["transposed"] = .boolean(true)
      return try graph.add("aten.convolution.default", call.arguments)
    }
  }

  private static func require(_ call: OperatorCall, _ rank: Int) throws(SpecError) {
    let type = try call.tensor("input")
    guard type.rank == rank + 2 else {
      throw call.fail("the input is \(type)", expected: "rank \(rank + 2), with a batch")
    }
  }

  static let helpers: [Operator?] =
    (1...3).map(helper) + [
      transposedHelper(1, ""), transposedHelper(2, ".input"), transposedHelper(3, ".input"),
    ]
}

extension OperatorTable {
  static let convolutions: [Operator?] =
    [
      .primitive(
        """
        convolution(Tensor input, Tensor weight, Tensor? bias=None, SymInt[] stride=[1], \
        SymInt[] padding=[0], SymInt[] dilation=[1], bool transposed=False, \
        SymInt[] output_padding=[0], SymInt groups=1) -> Tensor
        """, Convolution.infer)
    ] + Convolution.helpers
}
