/// Result types of reductions and scans.
enum Reduction {
  /// The shape after reducing `dimensions`.
  static func shape(_ shape: [Int], _ dimensions: [Int], keep: Bool) -> [Int] {
    let reduced = Set(dimensions)
    if keep { return shape.indices.map { reduced.contains($0) ? 1 : shape[$0] } }
    return shape.indices.filter { !reduced.contains($0) }.map { shape[$0] }
  }

  /// The dtype of a sum or product: that asked for, or `i64` for integers and `bool`.
  static func sumType(_ call: OperatorCall, _ dtype: DType) -> DType {
    call.optionalDType() ?? (dtype.isFloatingPoint ? dtype : .i64)
  }

  static func sum(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    let shape = shape(type.shape, dimensions, keep: call.flag("keepdim"))
    return [TensorType(sumType(call, type.dtype), shape)]
  }

  static func mean(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dtype = call.optionalDType() ?? type.dtype
    guard dtype.isFloatingPoint else {
      throw call.fail("mean of \(dtype.rawValue)", expected: "a floating-point type or dtype")
    }
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    return [TensorType(dtype, shape(type.shape, dimensions, keep: call.flag("keepdim")))]
  }

  static func productOfDimension(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimension = try call.normalizeDimension(rank: type.rank)
    let shape = shape(type.shape, [dimension], keep: call.flag("keepdim"))
    return [TensorType(sumType(call, type.dtype), shape)]
  }

  /// Refuses to choose an element of nothing.
  private static func requireElements(
    _ call: OperatorCall, _ type: TensorType, _ dimensions: [Int]
  ) throws(SpecError) {
    let isScalar = type.rank == 0
    guard isScalar || !dimensions.contains(where: { type.shape[$0] == 0 }) else {
      throw call.fail("\(call.schema.name) over no elements of \(type)")
    }
  }

  static func extremum(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    try requireElements(call, type, dimensions)
    return [TensorType(type.dtype, shape(type.shape, dimensions, keep: call.flag("keepdim")))]
  }

  static func argument(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.dtype != .bool else { throw call.fail("\(call.schema.name) of bool") }
    var dimensions = Array(0..<type.rank)
    if call.optionalInteger("dim") != nil {
      dimensions = [try call.normalizeDimension(rank: type.rank)].filter { $0 < type.rank }
    }
    try requireElements(call, type, dimensions)
    return [TensorType(.i64, shape(type.shape, dimensions, keep: call.flag("keepdim")))]
  }

  static func extremumWithIndex(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimension = try call.normalizeDimension(rank: type.rank)
    try requireElements(call, type, [dimension])
    let shape = shape(type.shape, [dimension], keep: call.flag("keepdim"))
    return [TensorType(type.dtype, shape), TensorType(.i64, shape)]
  }

  /// `var`: the correction, and floating-point elements.
  static func variance(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    if call.optionalScalar("correction") == nil {
      call.arguments["correction"] = .scalar(.integer(1))
    }
    let type = try call.tensor("self")
    guard type.dtype.isFloatingPoint else {
      throw call.fail("var of \(type.dtype.rawValue)", expected: "a floating-point type")
    }
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    return [TensorType(type.dtype, shape(type.shape, dimensions, keep: call.flag("keepdim")))]
  }

  /// PyTorch keeps `u8` for `any` of `u8`.
  static func any(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    if call.optionalIntegers("dim") == [], type.rank > 0 {
      throw call.fail("any over an empty list of dimensions", expected: "dimensions or none")
    }
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    return [
      TensorType(
        type.dtype == .u8 ? .u8 : .bool,
        shape(type.shape, dimensions, keep: call.flag("keepdim")))
    ]
  }

  static func logSumExp(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    let dtype = type.dtype.isFloatingPoint ? type.dtype : .f32
    return [TensorType(dtype, shape(type.shape, dimensions, keep: call.flag("keepdim")))]
  }

  static func norm(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dtype = call.optionalDType() ?? type.dtype
    guard type.dtype.isFloatingPoint, dtype.isFloatingPoint else {
      throw call.fail("linalg_vector_norm of \(type.dtype.rawValue)", expected: "a real type")
    }
    let dimensions = try call.normalizeDimensions(rank: type.rank)
    return [TensorType(dtype, shape(type.shape, dimensions, keep: call.flag("keepdim")))]
  }

  static func scan(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    _ = try call.normalizeDimension(rank: type.rank)
    return [TensorType(sumType(call, type.dtype), type.shape)]
  }

  /// Writes an overload with other dimensions or flags as `target`.
  static func rewriting(
    _ target: String,
    _ change: @escaping @Sendable (inout [String: CheckedSpec.Argument]) -> Void = { _ in }
  ) -> Operator.Expansion {
    { (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
      change(&call.arguments)
      return try graph.add(target, call.arguments)
    }
  }

  /// Makes a list of the one dimension `dim`.
  @Sendable static func listDimension(_ arguments: inout [String: CheckedSpec.Argument]) {
    if case .integer(let dimension)? = arguments["dim"] {
      arguments["dim"] = .integers([dimension])
    }
  }

  @Sendable static func correction(_ arguments: inout [String: CheckedSpec.Argument]) {
    let isUnbiased = arguments["unbiased"] == .boolean(true)
    arguments["correction"] = .scalar(.integer(isUnbiased ? 1 : 0))
  }
}

extension OperatorTable {
  static let reductions: [Operator?] = [
    .primitive(
      """
      sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) \
      -> Tensor
      """, Reduction.sum),
    .composite(
      "sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
      Reduction.rewriting("aten.sum.dim_IntList")),
    .primitive(
      "mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
      Reduction.mean),
    .composite(
      "mean(Tensor self, *, ScalarType? dtype=None) -> Tensor",
      Reduction.rewriting("aten.mean.dim")),
    .primitive("prod(Tensor self, *, ScalarType? dtype=None) -> Tensor") {
      (call: inout OperatorCall) throws(SpecError) in
      [TensorType(Reduction.sumType(call, try call.tensor("self").dtype), [])]
    },
    .primitive(
      "prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
      Reduction.productOfDimension),
    .primitive(
      "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", Reduction.extremum),
    .primitive(
      "amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor", Reduction.extremum),
    .primitive(
      "argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", Reduction.argument),
    .primitive(
      "argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor", Reduction.argument),
    .primitive(
      "max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
      Reduction.extremumWithIndex),
    .composite("max(Tensor self) -> Tensor", Reduction.rewriting("aten.amax.default")),
    .primitive(
      "min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)",
      Reduction.extremumWithIndex),
    .composite("min(Tensor self) -> Tensor", Reduction.rewriting("aten.amin.default")),
    .primitive(
      """
      var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, \
      bool keepdim=False) -> Tensor
      """, Reduction.variance),
    .composite(
      "var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor",
      Reduction.rewriting("aten.var.correction", Reduction.correction)),
    .composite(
      "var(Tensor self, bool unbiased=True) -> Tensor",
      Reduction.rewriting("aten.var.correction", Reduction.correction)),
    .primitive(
      "any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor", Reduction.any),
    .composite(
      "any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor",
      Reduction.rewriting("aten.any.dims", Reduction.listDimension)),
    .composite("any(Tensor self) -> Tensor", Reduction.rewriting("aten.any.dims")),
    .primitive(
      "logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", Reduction.logSumExp),
    .primitive(
      """
      linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, \
      ScalarType? dtype=None) -> Tensor
      """, Reduction.norm),
  ]

  static let scans: [Operator?] = [
    .primitive(
      "cumsum(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", Reduction.scan),
    .primitive(
      "cumprod(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor", Reduction.scan),
  ]
}
