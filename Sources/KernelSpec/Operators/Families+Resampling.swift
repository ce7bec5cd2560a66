/// Result types of operators that sample images at other places.
enum Resampling {
  /// The shape with other spatial extents.
  private static func resized(_ spatial: Int) -> Operator.Inference {
    { (call: inout OperatorCall) throws(SpecError) in
      let type = try call.tensor("self")
      let size = try call.integers("output_size")
      guard type.rank == spatial + 2, size.count == spatial, size.allSatisfy({ $0 > 0 }),
        type.shape.dropFirst(1).allSatisfy({ $0 > 0 }), type.dtype.isFloatingPoint
      else {
        throw call.fail(
          "\(call.schema.name) of \(type) to \(size)", expected: "rank \(spatial + 2)")
      }
      return [try TensorType.checked(type.dtype, type.shape.prefix(2) + size)]
    }
  }

  private static let scaleNames = [
    ["scales"], ["scales_h", "scales_w"], ["scales_d", "scales_h", "scales_w"],
  ]

  /// The size, or the factors from which it follows: `⌊extent · factor⌋`.
  private static func vector(_ name: String, _ spatial: Int) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      let type = try call.tensor("input")
      guard type.rank == spatial + 2 else {
        throw call.fail("\(name) of \(type)", expected: "rank \(spatial + 2)")
      }
      let (size, factors) = (
        call.optionalIntegers("output_size"), call.optionalReals("scale_factors")
      )
      guard (size == nil) != (factors == nil), (size?.count ?? factors?.count) == spatial else {
        throw SpecError(
          .argument, "\(name) needs output_size or scale_factors", expected: "one of them")
      }
      call.arguments["self"] = call.arguments["input"]
      if let factors {
        var extents: [Int] = []
        for (extent, factor) in zip(type.shape.dropFirst(2), factors) {
          let scaled = Double(extent) * factor
          guard factor > 0, scaled < Double(SpecLimits.integer) else {
            throw call.fail("the scale factor \(factor)")
          }
          extents.append(Int(scaled))
        }
        call.arguments["output_size"] = .integers(extents)
        for (name, factor) in zip(scaleNames[spatial - 1], factors) {
          call.arguments[name] = .scalar(.real(factor))
        }
      }
      return try graph.add("aten.\(name).default", call.arguments)
    }
  }

  static func entries(_ name: String, _ spatial: Int, aligns: Bool) -> [Operator?] {
    let scales = scaleNames[spatial - 1].map { "float? \($0)=None" }.joined(separator: ", ")
    let corners = aligns ? "bool align_corners, " : ""
    return [
      .primitive(
        "\(name)(Tensor self, SymInt[\(spatial)] output_size, \(corners)\(scales)) -> Tensor",
        resized(spatial)),
      .composite(
        """
        \(name).vec(Tensor input, SymInt[]? output_size, \(corners)float[]? scale_factors) \
        -> Tensor
        """, vector(name, spatial)),
    ]
  }

  static func gridSampler(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (type, grid) = (try call.tensor("input"), try call.tensor("grid"))
    guard type.rank == 4, grid.rank == 4, grid.shape[3] == 2, grid.shape[0] == type.shape[0],
      type.dtype.isFloatingPoint, grid.dtype == type.dtype,
      type.shape.dropFirst(2).allSatisfy({ $0 > 0 })
    else {
      throw call.fail(
        "grid_sampler_2d of \(type) at \(grid)", expected: "input [N,C,H,W], grid [N,h,w,2]")
    }
    guard (0...2).contains(try call.integer("interpolation_mode")),
      (0...2).contains(try call.integer("padding_mode"))
    else { throw call.fail("an unknown mode", expected: "0, 1 or 2") }
    let shape = Array(type.shape.prefix(2)) + Array(grid.shape[1...2])
    return [try TensorType.checked(type.dtype, shape)]
  }
}

extension OperatorTable {
  static let resamplings: [Operator?] =
    (1...3).flatMap {
      Resampling.entries("upsample_nearest\($0)d", $0, aligns: false)
        + Resampling.entries("_upsample_nearest_exact\($0)d", $0, aligns: false)
        + Resampling.entries(
          ["upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"][$0 - 1], $0,
          aligns: true)
    } + Resampling.entries("upsample_bicubic2d", 2, aligns: true) + [
      .primitive(
        """
        grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, \
        bool align_corners) -> Tensor
        """, Resampling.gridSampler)
    ]
}
