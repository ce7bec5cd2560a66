/// Result types of operators that only rename positions: every value is one of `self`.
enum View {
  /// Whether shape and dtype are those of `self`, which for these operators means that nothing
  /// happens.
  @Sendable static func keepsType(_ call: OperatorCall, _ results: [TensorType]) -> Bool {
    guard let type = call.optionalTensor("self") else { return false }
    return results.first?.dtype == type.dtype && results.first?.shape == type.shape
  }

  @Sendable static func keepsOrder(_ call: OperatorCall, _ results: [TensorType]) -> Bool {
    call.optionalIntegers("dims") == Array(0..<(results.first?.rank ?? 0))
  }

  static func permute(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    var dimensions: [Int] = []
    for dimension in try call.integers("dims") {
      dimensions.append(try call.normalized(dimension, rank: type.rank))
    }
    guard dimensions.sorted() == Array(0..<type.rank) else {
      throw call.fail("dims \(dimensions) of \(type)", expected: "each dimension once")
    }
    call.arguments["dims"] = .integers(dimensions)
    return [TensorType(type.dtype, dimensions.map { type.shape[$0] })]
  }

  @Sendable static func transpose(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let rank = try call.tensor("self").rank
    let first = try call.normalizeDimension("dim0", rank: rank)
    let second = try call.normalizeDimension("dim1", rank: rank)
    var dimensions = Array(0..<rank)
    if rank > 0 { dimensions.swapAt(first, second) }
    call.arguments["dims"] = .integers(dimensions)
    return try graph.add("aten.permute.default", call.arguments)
  }

  @Sendable static func matrixTranspose(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let rank = try call.tensor("self").rank
    guard rank <= 2 else { throw call.fail("t of rank \(rank)", expected: "rank 2 at most") }
    call.arguments["dims"] = .integers(Array((0..<rank).reversed()))
    return try graph.add("aten.permute.default", call.arguments)
  }

  /// `size` with its -1 replaced by what remains.
  static func view(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let given = try call.integers("size")
    let unknown = given.indices.filter { given[$0] == -1 }
    guard unknown.count <= 1, given.allSatisfy({ $0 >= -1 }) else {
      throw call.fail("size \(given)", expected: "extents, of which one may be -1")
    }
    var shape = given
    if let position = unknown.first {
      shape[position] = 1
      try SpecLimits.check(type.dtype, shape)
      let known = shape.reduce(1, *)
      guard known > 0, type.elementCount % known == 0 else {
        throw call.fail("size \(given) of \(type)", expected: "a divisor of its elements")
      }
      shape[position] = type.elementCount / known
    }
    let result = try TensorType.checked(type.dtype, shape)
    guard result.elementCount == type.elementCount else {
      throw call.fail(
        "size \(given) of \(type)", expected: "\(type.elementCount) elements")
    }
    call.arguments["size"] = .integers(shape)
    return [result]
  }

  @Sendable static func flatten(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    let type = try call.tensor("self")
    let start = try call.normalizeDimension("start_dim", rank: type.rank)
    let end = try call.normalizeDimension("end_dim", rank: type.rank)
    guard start <= end else { throw call.fail("start_dim \(start) after end_dim \(end)") }
    let middle = type.shape.isEmpty ? 1 : type.shape[start...end].reduce(1, *)
    let shape = Array(type.shape.prefix(start)) + [middle] + Array(type.shape.dropFirst(end + 1))
    call.arguments["size"] = .integers(shape)
    return try graph.add("aten.view.default", call.arguments)
  }

  static func expand(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    var shape = try call.integers("size")
    let leading = shape.count - type.rank
    guard leading >= 0 else { throw call.fail("size \(shape) of \(type)") }
    for position in shape.indices {
      let own = position >= leading ? type.shape[position - leading] : nil
      if shape[position] == -1, let own { shape[position] = own }
      guard own == nil || own == 1 || own == shape[position] else {
        throw call.fail("size \(shape) of \(type)", expected: "extents of 1 or unchanged")
      }
    }
    call.arguments["size"] = .integers(shape)
    return [try TensorType.checked(type.dtype, shape)]
  }

  static func slice(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.rank > 0 else { throw call.fail("slice of a scalar") }
    let dimension = try call.normalizeDimension(rank: type.rank)
    let step = try call.integer("step")
    guard step > 0 else { throw call.fail("step \(step)", expected: "at least 1") }
    let size = type.shape[dimension]
    func clamped(_ index: Int) -> Int { min(max(index < 0 ? index + size : index, 0), size) }
    let start = clamped(call.optionalInteger("start") ?? 0)
    let end = max(clamped(call.optionalInteger("end") ?? size), start)
    call.arguments["start"] = .integer(start)
    call.arguments["end"] = .integer(end)
    var shape = type.shape
    shape[dimension] = (end - start + step - 1) / step
    return [TensorType(type.dtype, shape)]
  }

  static func select(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.rank > 0 else { throw call.fail("select of a scalar") }
    let dimension = try call.normalizeDimension(rank: type.rank)
    let (index, size) = (try call.integer("index"), type.shape[dimension])
    guard index >= -size, index < size else {
      throw call.fail("index \(index) of dimension \(dimension) of \(type)")
    }
    call.arguments["index"] = .integer(index < 0 ? index + size : index)
    var shape = type.shape
    shape.remove(at: dimension)
    return [TensorType(type.dtype, shape)]
  }

  /// Keeps only the dimensions of extent 1 in `dim`.
  static func squeeze(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    var dimensions: [Int] = []
    for dimension in try call.integers("dim") {
      dimensions.append(try call.normalized(dimension, rank: type.rank))
    }
    guard Set(dimensions).count == dimensions.count else {
      throw call.fail("dim \(dimensions) names a dimension twice")
    }
    dimensions = dimensions.filter { $0 < type.rank && type.shape[$0] == 1 }.sorted()
    call.arguments["dim"] = .integers(dimensions)
    return [TensorType(type.dtype, Reduction.shape(type.shape, dimensions, keep: false))]
  }

  @Sendable static func squeezeAll(_ call: inout OperatorCall, _ graph: inout GraphBuilder)
    throws(SpecError) -> [CheckedSpec.Value]
  {
    call.arguments["dim"] = .integers(Array(0..<(try call.tensor("self").rank)))
    return try graph.add("aten.squeeze.dims", call.arguments)
  }

  static func unsqueeze(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimension = try call.normalizeDimension(rank: type.rank + 1)
    var shape = type.shape
    shape.insert(1, at: dimension)
    return [try TensorType.checked(type.dtype, shape)]
  }

  static func split(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.rank > 0 else { throw call.fail("split of a scalar") }
    let dimension = try call.normalizeDimension(rank: type.rank)
    let sizes = try call.integers("split_sizes")
    guard !sizes.isEmpty, sizes.allSatisfy({ $0 >= 0 }),
      sizes.reduce(0, +) == type.shape[dimension]
    else {
      throw call.fail(
        "split_sizes \(sizes)", expected: "a sum of \(type.shape[dimension])")
    }
    return sizes.map {
      var shape = type.shape
      shape[dimension] = $0
      return TensorType(type.dtype, shape)
    }
  }

  static func unfold(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    let dimension = try call.normalizeDimension("dimension", rank: type.rank)
    let (size, step) = (try call.integer("size"), try call.integer("step"))
    guard size >= 0, size <= (type.rank > 0 ? type.shape[dimension] : 1), step > 0 else {
      throw call.fail("size \(size) and step \(step) of \(type)")
    }
    var shape = type.shape
    if shape.isEmpty { return [try TensorType.checked(type.dtype, [size])] }
    shape[dimension] = (shape[dimension] - size) / step + 1
    return [try TensorType.checked(type.dtype, shape + [size])]
  }
}

extension OperatorTable {
  static let views: [Operator?] =
    ["alias", "detach", "contiguous", "clone"].map {
      let format =
        $0 == "clone" || $0 == "contiguous" ? ", *, MemoryFormat? memory_format=None" : ""
      return .primitive(
        "\($0)(Tensor self\(format)) -> Tensor", identity: View.keepsType, Pointwise.same)
    } + [
      .primitive(
        "permute(Tensor self, int[] dims) -> Tensor", identity: View.keepsOrder, View.permute),
      .composite("transpose.int(Tensor self, int dim0, int dim1) -> Tensor", View.transpose),
      .composite("t(Tensor self) -> Tensor", View.matrixTranspose),
      .primitive(
        "view(Tensor self, SymInt[] size) -> Tensor", identity: View.keepsType, View.view),
      .composite(
        "_unsafe_view(Tensor self, SymInt[] size) -> Tensor",
        Reduction.rewriting("aten.view.default")),
      .composite("reshape(Tensor self, SymInt[] shape) -> Tensor") {
        (call: inout OperatorCall, graph: inout GraphBuilder) throws(SpecError) in
        call.arguments["size"] = call.arguments["shape"]
        return try graph.add("aten.view.default", call.arguments)
      },
      .composite(
        "flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor",
        View.flatten),
      .primitive(
        "expand(Tensor self, SymInt[] size, *, bool implicit=False) -> Tensor",
        identity: View.keepsType, View.expand),
      .primitive(
        """
        slice.Tensor(Tensor self, int dim=0, SymInt? start=None, SymInt? end=None, \
        SymInt step=1) -> Tensor
        """, identity: View.keepsType, View.slice),
      .primitive("select.int(Tensor self, int dim, SymInt index) -> Tensor", View.select),
      .primitive(
        "squeeze.dims(Tensor self, int[] dim) -> Tensor", identity: View.keepsType, View.squeeze),
      .composite(
        "squeeze.dim(Tensor self, int dim) -> Tensor",
        Reduction.rewriting("aten.squeeze.dims", Reduction.listDimension)),
      .composite("squeeze(Tensor self) -> Tensor", View.squeezeAll),
      .primitive("unsqueeze(Tensor self, int dim) -> Tensor", View.unsqueeze),
      .primitive(
        "split_with_sizes(Tensor self, SymInt[] split_sizes, int dim=0) -> Tensor[]", View.split),
      .primitive(
        "unfold(Tensor self, int dimension, int size, int step) -> Tensor", View.unfold),
    ]
}
