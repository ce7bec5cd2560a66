import KernelSpec

extension LoweringTable {
  /// Operators that write, or read by several tensors, where data says.
  static let scatters: [String: Rule] = [
    "aten.index.Tensor": { try $0.index($1) },
    "aten.index_put.default": { try $0.indexPut($1) },
    "aten.scatter.src": { try $0.scatterAlong($1, nil) },
    "aten.scatter.value": { try $0.scatterAlong($1, nil) },
    "aten.scatter_add.default": { try $0.scatterAlong($1, .sum) },
    "aten.scatter_reduce.two": { try $0.scatterReduce($1) },
    "aten.masked_scatter.default": { try $0.maskedScatter($1) },
    "aten.nonzero.default": { try $0.nonzero($1) },
  ]
}

// MARK: - Indexing by several tensors

extension Lowering {
  /// The index tensors by the dimension that they index, and where they stand in the result.
  private func indexing(_ operation: Operation, _ input: BufferID) throws -> (
    plan: IndexPlan, tensors: [Int: BufferID]
  ) {
    guard case .tensors(let list) = operation.node.arguments["indices"] else {
      throw operation.error("indices must be a list of tensors")
    }
    var tensors: [Int: BufferID] = [:]
    for (dimension, value) in list.enumerated() {
      guard let id = value.flatMap({ values[$0] }) else { continue }
      tensors[dimension] = id
      let extent = shape(of: input)[dimension]
      guard extent > 0 || type(of: id).elementCount == 0 else {
        throw operation.error("dimension \(dimension) has nothing that an index could name")
      }
      restrict(id, to: .signedIndex(extent))
    }
    let types = list.indices.map { tensors[$0].map { type(of: $0) } }
    return (try IndexPlan(shape(of: input), types), tensors)
  }

  fileprivate func index(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let (plan, tensors) = try indexing(operation, input)
    return [
      map(operation.result, name: "indexed") { axes in
        let at = axes.positions
        let shared = Array(at[plan.place..<plan.place + plan.indexShape.count])
        var kept = (at.prefix(plan.place) + at.dropFirst(plan.place + shared.count))[...]
        let indices = shape(of: input).enumerated().map { dimension, extent -> Index in
          guard let id = tensors[dimension] else { return kept.popFirst() ?? .constant(0) }
          return load(id, broadcastAt: shared).cast(to: .i64).countedFromFront(extent)
            .position(within: extent)
        }
        return load(input, indices)
      }
    ]
  }

  fileprivate func indexPut(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let source = try tensor("values", of: operation)
    if case .tensors(let list) = operation.node.arguments["indices"], list.count == 1,
      let mask = list[0].flatMap({ values[$0] }), type(of: mask).dtype == .bool
    {
      return maskedFill(operation, input, mask, source)
    }
    let (plan, tensors) = try indexing(operation, input)
    let type = operation.result.dtype.computeType
    let shape = operation.result.shape
    let result = scatter(
      TensorType(type, shape), over: plan.indexShape,
      operation.boolean("accumulate") ? .sum : nil, initial: { compute(input, $0.positions) }
    ) { domain, own in
      let target = shape.enumerated().map { dimension, extent -> Index in
        guard let id = tensors[dimension] else { return .axis(domain[dimension]) }
        let value = load(id, broadcastAt: own.positions).cast(to: .i64)
        return .value(value.countedFromFront(extent))
      }
      var at = domain.indices.filter { tensors[$0] == nil }.map { Index.axis(domain[$0]) }
      at.insert(contentsOf: own.positions, at: plan.place)
      return (target, load(source, broadcastAt: at).cast(to: type))
    }
    return [converted(result, to: operation.result.dtype)]
  }

  private func maskedFill(
    _ operation: Operation, _ input: BufferID, _ mask: BufferID, _ source: BufferID
  ) -> [BufferID] {
    let value = load(source, shape(of: source).map { _ in .constant(0) })
    let accumulates = operation.boolean("accumulate")
    let type = operation.result.dtype.computeType
    return [
      map(operation.result, name: "filled") { axes in
        let at = axes.positions
        let old = load(input, at).cast(to: type)
        let new = value.cast(to: type)
        return .select(
          load(mask, Array(at.prefix(shape(of: mask).count))),
          accumulates ? .binaryOfAnyType(.add, old, new) : new, old)
      }
    ]
  }
}

// MARK: - Scattering along a dimension

extension Lowering {
  /// Stores each element of a source to the position along `dim` that an index of its shape names.
  ///
  /// - Parameters:
  ///   - initial: the elements that nothing is stored to.
  ///   - value: what is stored, by its position in the index.
  private func scatterAlong(
    _ operation: Operation, _ type: TensorType, _ combiner: Combiner?,
    initial: ([Axis]) -> Expression, _ value: ([Index]) -> Expression
  ) throws -> BufferID {
    let positions = try tensor("index", of: operation)
    let dimension = try operation.integer("dim")
    let extents = shape(of: positions)
    restrict(positions, to: .index(type.shape.isEmpty ? 1 : type.shape[dimension]))
    guard self.type(of: positions).elementCount > 0 else { return map(type, initial) }
    // Where the index is as long as the output, values along the dimension do not meet.
    let isShared = extents.indices.map {
      $0 != dimension && extents[$0] == type.shape[$0]
    }
    return scatter(
      type, over: zip(extents, isShared).map { $1 ? 1 : $0 }, combiner, initial: initial
    ) { domain, own in
      let at = isShared.indices.map { Index.axis(isShared[$0] ? domain[$0] : own[$0]) }
      var target = at
      guard !at.isEmpty else { return ([], value([])) }
      target[dimension] = .value(load(positions, at).cast(to: .i64))
      return (target, value(at))
    }
  }

  fileprivate func scatterAlong(_ operation: Operation, _ combiner: Combiner?) throws -> [BufferID]
  {
    let input = try tensor("self", of: operation)
    let source = optionalTensor("src", of: operation)
    let type = operation.result.dtype.computeType
    let combined: Combiner? = combiner == .sum && type == .bool ? .any : combiner
    let result = try scatterAlong(
      operation, TensorType(type, operation.result.shape), combined,
      initial: { compute(input, $0.positions) }
    ) { at in
      if let source { return load(source, at).cast(to: type) }
      return .number(operation.optionalScalar("value") ?? .integer(0), type)
    }
    return [converted(result, to: operation.result.dtype)]
  }

  fileprivate func scatterReduce(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let source = try tensor("src", of: operation)
    let name = operation.string("reduce") ?? "sum"
    let type = operation.result.dtype.computeType
    let combiners: [String: Combiner] = [
      "sum": .sum, "mean": .sum, "prod": .product, "amax": .maximum, "amin": .minimum,
    ]
    guard let combiner = combiners[name], type != .bool else {
      throw operation.error("reduce must be sum, prod, mean, amax or amin, of numbers")
    }
    let includesSelf = operation.boolean("include_self", default: true)
    let shape = operation.result.shape
    let counts = try scatterAlong(
      operation, TensorType(.i64, shape), .sum,
      initial: { _ in .whole(includesSelf ? 1 : 0) }
    ) { _ in .whole(1) }
    let sums = try scatterAlong(
      operation, TensorType(type, shape), combiner,
      initial: { axes in
        let own = compute(input, axes.positions)
        if includesSelf { return own }
        let isLeft = Expression.equal(load(counts, axes.positions), .whole(0))
        return .select(isLeft, own, combiner.identity(type))
      }
    ) { load(source, $0).cast(to: type) }
    guard name == "mean" else { return [converted(sums, to: operation.result.dtype)] }
    return [
      map(operation.result, name: "mean") { axes in
        let count = Expression.maximum(load(counts, axes.positions), .whole(1))
        return .binary(
          type.isFloatingPoint ? .divide : .floorDivide, load(sums, axes.positions),
          count.cast(to: type))
      }
    ]
  }
}

extension Combiner {
  /// What changes nothing when combined.
  fileprivate func identity(_ type: DType) -> Expression {
    switch self {
    case .product: .number(.integer(1), type)
    case .maximum: type.lowest
    case .minimum:
      type.highest
    default: .number(.integer(0), type)
    }
  }
}

// MARK: - Masks

extension Lowering {
  /// How many elements of a mask, in row-major order, are true up to and including each.
  private func ranks(_ count: Int, _ isTrue: (Index) -> Expression) -> BufferID {
    let domain = axes([count])
    let value = isTrue(.axis(domain[0])).cast(to: .i64)
    return define(
      TensorType(.i64, [count]), domain: domain,
      .scan(dimension: 0, combiner: .sum, value: value), name: "ranks")
  }

  fileprivate func maskedScatter(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let mask = try tensor("mask", of: operation)
    let source = try tensor("source", of: operation)
    let result = operation.result
    let count = type(of: source).elementCount
    guard count > 0 else { return [map(result) { load(input, broadcastAt: $0.positions) }] }
    let ranks = ranks(result.elementCount) { flat in
      load(mask, broadcastAt: Self.reshapedIndices([flat], [result.elementCount], result.shape))
    }
    return [
      map(result, name: "scattered") { axes in
        let at = axes.positions
        let rank = load(ranks, [at.flattened(result.shape)]) - .whole(1)
        let indices = Self.reshapedIndices(
          [rank.position(within: count)], [count], shape(of: source))
        return .select(
          load(mask, broadcastAt: at), load(source, indices), load(input, broadcastAt: at))
      }
    ]
  }

  fileprivate func nonzero(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let (shape, count) = (shape(of: input), operation.result.shape[0])
    let isTrue = { [self] (flat: Index) in
      load(input, Self.reshapedIndices([flat], [count], shape)).cast(to: .bool)
    }
    let ranks = ranks(count, isTrue)
    let places = scatter(
      TensorType(.i64, [count]), over: [count], nil, initial: { _ in .whole(0) }
    ) { _, own in
      let flat = Index.axis(own[0])
      let rank = load(ranks, [flat]) - .whole(1)
      return ([.value(.select(isTrue(flat), rank, .whole(-1)))], .index(flat, .i64))
    }
    let strides = TensorType.contiguousStrides(shape)
    let rows = map(operation.results[0], name: "nonzero") { axes in
      let place = load(places, [.axis(axes[0])])
      var value = Expression.whole(0)
      for (dimension, stride) in strides.enumerated().reversed() {
        let quotient = Expression.binary(.floorDivide, place, .whole(stride))
        let own =
          dimension == 0
          ? quotient : .binary(.remainder, quotient, .whole(max(shape[dimension], 1)))
        let isHere = Expression.inRange(.axis(axes[1]), lower: dimension, upper: dimension + 1)
        value = dimension == strides.count - 1 ? own : .select(isHere, own, value)
      }
      return value
    }
    let total = reduce(operation.results[1], over: [count], .sum, name: "count") { _, reduced in
      isTrue(.axis(reduced[0])).cast(to: .i64)
    }
    return [rows, total]
  }
}
