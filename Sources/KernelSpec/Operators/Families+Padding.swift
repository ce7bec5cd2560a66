/// Result types of paddings with elements of the tensor itself, and of windows as columns.
enum Padding {
  /// Grows the last `spatial` dimensions; a reflection must not reach beyond the opposite edge.
  private static func padded(_ spatial: Int, reflects: Bool) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      let amounts = try call.integers("padding")
      guard type.rank == spatial + 1 || type.rank == spatial + 2, amounts.count == 2 * spatial
      else { throw call.fail("padding \(amounts) of \(type)", expected: "rank \(spatial + 1) up") }
      var shape = type.shape
      for index in 0..<spatial {
        let dimension = type.rank - 1 - index
        let pair = [amounts[2 * index], amounts[2 * index + 1]]
        guard shape[dimension] > 0, !reflects || pair.allSatisfy({ $0 < shape[dimension] }) else {
          throw call.fail("padding \(amounts) of \(type)", expected: "less than the extent")
        }
        shape[dimension] += pair[0] + pair[1]
        guard shape[dimension] > 0 else { throw call.fail("padding \(amounts) of \(type)") }
      }
      return [try TensorType.checked(type.dtype, shape)]
    }
  }

  static func entries(_ rank: Int) -> [Operator?] {
    ["reflection", "replication"].map {
      .primitive(
        "\($0)_pad\(rank)d(Tensor self, SymInt[\(2 * rank)] padding) -> Tensor",
        padded(rank, reflects: $0 == "reflection"))
    }
  }

  /// How many places a window has in each of two dimensions.
  private static func places(_ call: OperatorCall, _ size: [Int]) throws(SpecError) -> [Int] {
    var counts: [Int] = []
    let names = ["kernel_size", "dilation", "padding", "stride"]
    var window: [[Int]] = []
    for name in names { window.append(try call.integers(name)) }
    for (index, extent) in size.enumerated() {
      let (kernel, dilation, padding, stride) = (
        window[0][index], window[1][index], window[2][index], window[3][index]
      )
      guard kernel > 0, dilation > 0, stride > 0, padding >= 0 else {
        throw call.fail("a window of kernel \(kernel), dilation \(dilation), stride \(stride)")
      }
      let room = extent + 2 * padding - dilation * (kernel - 1) - 1
      guard room >= 0 else { throw call.fail("the window is larger than the padded input") }
      counts.append(room / stride + 1)
    }
    return counts
  }

  static func columns(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.rank == 3 || type.rank == 4 else { throw call.fail("im2col of \(type)") }
    let counts = try places(call, Array(type.shape.suffix(2)))
    let kernel = try call.integers("kernel_size").reduce(1, *)
    let channels = type.shape[type.rank - 3]
    let shape = Array(type.shape.dropLast(3)) + [channels * kernel, counts.reduce(1, *)]
    return [try TensorType.checked(type.dtype, shape)]
  }

  static func image(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let size = try call.integers("output_size")
    let kernel = try call.integers("kernel_size").reduce(1, *)
    guard type.rank == 2 || type.rank == 3, kernel > 0, size.allSatisfy({ $0 > 0 }),
      type.dtype != .bool, type.shape[type.rank - 2] % kernel == 0,
      try places(call, size).reduce(1, *) == type.shape[type.rank - 1]
    else { throw call.fail("col2im of \(type) to \(size)", expected: "a column for each place") }
    let channels = type.shape[type.rank - 2] / kernel
    return [try TensorType.checked(type.dtype, type.shape.dropLast(2) + [channels] + size)]
  }
}

extension OperatorTable {
  static let paddings: [Operator?] =
    (1...3).flatMap(Padding.entries) + [
      .primitive(
        """
        im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, \
        int[2] stride) -> Tensor
        """, Padding.columns),
      .primitive(
        """
        col2im(Tensor self, SymInt[2] output_size, int[2] kernel_size, int[2] dilation, \
        int[2] padding, int[2] stride) -> Tensor
        """, Padding.image),
    ]
}
