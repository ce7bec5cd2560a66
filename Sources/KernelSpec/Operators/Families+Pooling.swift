/// Result types of pooling.
enum Pooling {
  /// The integers of a window, one for each spatial dimension.
  private static func window(_ call: OperatorCall, _ name: String, minimum: Int)
    throws(SpecError) -> [Int]
  {
    let values = try call.integers(name)
    guard values.allSatisfy({ $0 >= minimum }) else {
      throw call.fail("\(name) is \(values)", expected: "at least \(minimum)")
    }
    return values
  }

  /// The shape after sliding a window of `spatial` dimensions.
  static func shape(_ call: inout OperatorCall, _ type: TensorType, spatial: Int)
    throws(SpecError) -> [Int]
  {
    guard type.rank == spatial + 1 || type.rank == spatial + 2 else {
      throw call.fail(
        "\(call.schema.name) of \(type)", expected: "rank \(spatial + 1) or \(spatial + 2)")
    }
    if call.optionalIntegers("stride") == [] {
      call.arguments["stride"] = call.arguments["kernel_size"]
    }
    let kernel = try window(call, "kernel_size", minimum: 1)
    let stride = try window(call, "stride", minimum: 1)
    let padding = try window(call, "padding", minimum: 0)
    var dilation = [Int](repeating: 1, count: spatial)
    if call.arguments["dilation"] != nil { dilation = try window(call, "dilation", minimum: 1) }
    guard [kernel, stride, padding, dilation].allSatisfy({ $0.count == spatial }) else {
      throw SpecError(.argument, "a window of other dimensions", expected: "\(spatial) integers")
    }
    var result = Array(type.shape.dropLast(spatial))
    for index in 0..<spatial {
      guard padding[index] <= kernel[index] / 2 else {
        throw call.fail("padding \(padding[index])", expected: "at most half of the kernel")
      }
      let size = type.shape[type.rank - spatial + index]
      result.append(
        try extent(
          call, size, kernel: dilation[index] * (kernel[index] - 1) + 1, stride: stride[index],
          padding: padding[index]))
    }
    return result
  }

  /// Source: `pooling_output_shape` (ATen/native/Pool.h): in ceiling mode the last window must
  /// begin within the input or its left padding.
  private static func extent(
    _ call: OperatorCall, _ size: Int, kernel: Int, stride: Int, padding: Int
  ) throws(SpecError) -> Int {
    let room = size + 2 * padding - kernel
    let isCeiling = call.flag("ceil_mode")
    guard room >= 0 || (isCeiling && room + stride > 0) else {
      throw call.fail("the window is larger than the padded input")
    }
    var count = (room + (isCeiling ? stride - 1 : 0)) / stride + 1
    if isCeiling, (count - 1) * stride >= size + padding { count -= 1 }
    guard count > 0 else { throw call.fail("the result has no elements") }
    return count
  }

  static func average(_ spatial: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      // PyTorch takes i64 too, and rounds the quotient towards zero.
      guard type.dtype.isFloatingPoint || type.dtype == .i64 else {
        throw call.fail("an average of \(type.dtype.rawValue)", expected: "a real type or i64")
      }
      if call.optionalInteger("divisor_override") == 0 {
        throw call.fail("divisor_override 0", expected: "not zero")
      }
      return [try TensorType.checked(type.dtype, try shape(&call, type, spatial: spatial))]
    }
  }

  static func maximum(_ spatial: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      guard type.dtype != .bool else { throw call.fail("\(call.schema.name) of bool") }
      let shape = try shape(&call, type, spatial: spatial)
      return [try TensorType.checked(type.dtype, shape), try TensorType.checked(.i64, shape)]
    }
  }

  static func adaptive(_ spatial: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      let size = try call.integers("output_size")
      guard type.dtype.isFloatingPoint, type.rank == spatial + 1 || type.rank == spatial + 2 else {
        throw call.fail("\(call.schema.name) of \(type)", expected: "rank \(spatial + 2)")
      }
      guard size.count == spatial, size.allSatisfy({ $0 > 0 }),
        type.shape.suffix(spatial).allSatisfy({ $0 > 0 })
      else { throw call.fail("output_size \(size) of \(type)", expected: "positive extents") }
      return [try TensorType.checked(type.dtype, type.shape.dropLast(spatial) + size)]
    }
  }

  static func entries(_ rank: Int) -> [Operator?] {
    let window = "Tensor self, int[\(rank)] kernel_size, int[\(rank)] stride=[]"
    let divisor = rank == 1 ? "" : ", int? divisor_override=None"
    let size = "int[\(rank)]"
    let average: Operator? = .primitive(
      """
      avg_pool\(rank)d(\(window), \(size) padding=0, bool ceil_mode=False, \
      bool count_include_pad=True\(divisor)) -> Tensor
      """, average(rank))
    let adaptive: Operator? = .primitive(
      """
      \(rank == 1 ? "" : "_")adaptive_avg_pool\(rank)d(Tensor self, \(size) output_size) -> Tensor
      """, adaptive(rank))
    guard rank > 1 else { return [average, adaptive] + maximumOfLines }
    return [
      average, adaptive,
      .primitive(
        """
        max_pool\(rank)d_with_indices(\(window), \(size) padding=0, \(size) dilation=1, \
        bool ceil_mode=False) -> (Tensor, Tensor)
        """, maximum(rank)),
      .composite(
        """
        max_pool\(rank)d(\(window), \(size) padding=0, \(size) dilation=1, \
        bool ceil_mode=False) -> Tensor
        """
      ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
        let target = "aten.max_pool\(rank)d_with_indices.default"
        return Array(try graph.add(target, call.arguments).prefix(1))
      },
    ]
  }

  /// Pooling of lines is written as that of images of one row, as PyTorch's export does.
  private static let maximumOfLines: [Operator?] = ["max_pool1d", "max_pool1d_with_indices"].map {
    let count = $0 == "max_pool1d" ? 1 : 2
    return .composite(
      """
      \($0)(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, \
      int[1] dilation=1, bool ceil_mode=False) -> \(count == 1 ? "Tensor" : "(Tensor, Tensor)")
      """
    ) { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      if call.optionalIntegers("stride") == [] {
        call.arguments["stride"] = call.arguments["kernel_size"]
      }
      for (name, first) in [("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)] {
        call.arguments[name] = .integers([first] + (try call.integers(name)))
      }
      let rows = try graph.add(
        "aten.unsqueeze.default",
        ["self": .tensor(try call.value("self")), "dim": .integer(-2)])
      call.arguments["self"] = .tensor(rows[0])
      var results: [CheckedSpec.Value] = []
      for value in try graph.add("aten.max_pool2d_with_indices.default", call.arguments)
        .prefix(count)
      {
        let squeezed = ["self": .tensor(value), "dim": CheckedSpec.Argument.integers([-2])]
        results += try graph.add("aten.squeeze.dims", squeezed)
      }
      return results
    }
  }

  static func adaptiveAlias(_ rank: Int) -> Operator? {
    .composite(
      "adaptive_avg_pool\(rank)d(Tensor self, SymInt[\(rank)] output_size) -> Tensor",
      Reduction.rewriting("aten._adaptive_avg_pool\(rank)d.default"))
  }
}

extension OperatorTable {
  static let pooling: [Operator?] =
    (1...3).flatMap(Pooling.entries) + (2...3).map(Pooling.adaptiveAlias)
}
