import KernelSpec

extension LoweringTable {
  static let recommendations: [String: Rule] = [
    "aten._embedding_bag.default": { try $0.embeddingBag($1) },
    "aten.bucketize.Tensor": { try $0.search($1, in: "boundaries") },
    "aten.searchsorted.Tensor": { try $0.search($1, in: "sorted_sequence") },
    "aten._jagged_to_padded_dense_forward.default": { try $0.padded($1) },
    "aten._padded_dense_to_jagged_forward.default": { try $0.jagged($1) },
    "aten.logcumsumexp.default": { try $0.logCumulativeSum($1) },
  ]
}

// MARK: - Bags

extension Lowering {
  /// The part that each of `count` positions belongs to, when part `b` begins at `offsets[b]`: the number of
  /// parts after the first that have begun.
  private func parts(_ offsets: BufferID, count: Int) -> BufferID {
    let begun = scatter(
      TensorType(.i64, [count]), over: [max(shape(of: offsets)[0] - 1, 0)], .sum,
      initial: { _ in .whole(0) }
    ) { _, own in
      ([.value(load(offsets, [.axis(own[0]) + 1]).cast(to: .i64))], .whole(1))
    }
    let domain = axes([count])
    return define(
      TensorType(.i64, [count]), domain: domain,
      .scan(dimension: 0, combiner: .sum, value: load(begun, domain.positions)), name: "part")
  }

  fileprivate func embeddingBag(_ operation: Operation) throws -> [BufferID] {
    let weight = try tensor("weight", of: operation)
    let positions = try tensor("indices", of: operation)
    let offsets = try tensor("offsets", of: operation)
    let (count, rows) = (shape(of: positions)[0], shape(of: weight)[0])
    guard rows > 0 || count == 0 else {
      throw operation.error("the weight has nothing that an index could name")
    }
    restrict(positions, to: .index(rows))
    restrict(offsets, to: .index(count + 1))
    let bags = parts(offsets, count: count)
    let padding = try operation.integer("padding_idx")
    let row = { [self] (at: Index) in load(positions, [at]).cast(to: .i64) }
    // Positions of the padding row go nowhere.
    let bag = { [self] (at: Index) -> Index in
      let own = load(bags, [at])
      return .value(padding < 0 ? own : .select(.equal(row(at), .whole(padding)), .whole(-1), own))
    }
    let sizes = scatter(
      operation.results[2], over: [count], .sum, initial: { _ in .whole(0) }
    ) { _, own in ([bag(.axis(own[0]))], .whole(1)) }
    let plan = BagPlan(
      count: count, bag: bag, sizes: sizes,
      row: { row($0).position(within: rows) }, weight: weight)
    let mode = try operation.integer("mode")
    let output =
      mode == 2 ? largestOfBags(operation, plan) : try sumsOfBags(operation, plan, mode: mode)
    // PyTorch leaves sizes and sources of sums zero.
    let zero = mode == 0
    return [
      output[0], bags, zero ? zeros(operation.results[2]) : sizes,
      mode == 2 ? output[1] : zero ? zeros(operation.results[3]) : copied(sizes),
    ]
  }

  private func copied(_ id: BufferID) -> BufferID {
    map(type(of: id)) { load(id, $0.positions) }
  }

  /// What the modes of an embedding bag have in common.
  private struct BagPlan {
    let count: Int
    let bag: (Index) -> Index
    let sizes: BufferID
    let row: (Index) -> Index
    let weight: BufferID
  }

  private func sumsOfBags(
    _ operation: Operation, _ plan: BagPlan, mode: Int
  ) throws -> [BufferID] {
    let result = operation.result
    let type = result.dtype.computeType
    let factors = optionalTensor("per_sample_weights", of: operation)
    let sums = scatter(
      TensorType(type, result.shape), over: [plan.count], .sum,
      initial: { _ in .number(0, type) }
    ) { domain, own in
      let at = Index.axis(own[0])
      var value = load(plan.weight, [plan.row(at), .axis(domain[1])]).cast(to: type)
      if let factors { value = value * load(factors, [at]).cast(to: type) }
      return ([plan.bag(at), .axis(domain[1])], value)
    }
    guard mode == 1 else { return [converted(sums, to: result.dtype)] }
    return [
      map(result, name: "mean") { axes in
        let size = Expression.maximum(load(plan.sizes, [.axis(axes[0])]), .whole(1))
        return load(sums, axes.positions) / size.cast(to: type)
      }
    ]
  }

  /// The largest element of each column, and the row that it first came from; zeros for an empty bag.
  private func largestOfBags(_ operation: Operation, _ plan: BagPlan) -> [BufferID] {
    let result = operation.result
    let type = result.dtype.computeType
    let largest = scatter(
      TensorType(type, result.shape), over: [plan.count], .maximum,
      initial: { _ in type.lowest }
    ) { domain, own in
      let at = Index.axis(own[0])
      let value = load(plan.weight, [plan.row(at), .axis(domain[1])]).cast(to: type)
      return ([plan.bag(at), .axis(domain[1])], value)
    }
    let bags = result.shape[0]
    let sources = scatter(
      TensorType(.i64, result.shape), over: [plan.count], .minimum,
      initial: { _ in .whole(plan.count) }
    ) { domain, own in
      let (at, column) = (Index.axis(own[0]), Index.axis(domain[1]))
      let element = load(plan.weight, [plan.row(at), column]).cast(to: type)
      let bag = Expression.index(plan.bag(at), .i64)
      let best = load(largest, [bag.position(within: bags), column])
      return (
        [.value(.select(.equal(element, best), bag, .whole(-1))), column], .index(at, .i64)
      )
    }
    let isEmpty = { [self] (axes: [Axis]) -> Expression in
      .equal(load(plan.sizes, [.axis(axes[0])]), .whole(0))
    }
    return [
      map(result, name: "largest") { axes in
        .select(isEmpty(axes), .number(0, type), load(largest, axes.positions))
      },
      map(operation.results[3], name: "source") { axes in
        guard plan.count > 0 else { return .whole(0) }
        let source = load(sources, axes.positions).position(within: plan.count)
        return .select(isEmpty(axes), .whole(0), .index(plan.row(source), .i64))
      },
    ]
  }
}

// MARK: - Buckets

extension Lowering {
  /// How many elements of a sorted sequence are less than a value, or not more than it with `right`. All are
  /// less than NaN.
  fileprivate func search(_ operation: Operation, in name: String) throws -> [BufferID] {
    let (input, sequence) = (
      try tensor("self", of: operation), try tensor(name, of: operation)
    )
    let order = optionalTensor("sorter", of: operation)
    let length = shape(of: sequence).last ?? 0
    if let order { restrict(order, to: .index(length)) }
    let common = commonType([.tensor(input), .tensor(sequence)])
    let comparison: BinaryOperator = operation.boolean("right") ? .lessOrEqual : .less
    let isBatch = shape(of: sequence).count > 1
    let count = reduce(
      TensorType(.i64, operation.result.shape), over: [length], .sum, name: "place"
    ) { axes, reduced in
      let at = axes.positions
      let row = isBatch ? Array(at.dropLast()) : []
      var place = Index.axis(reduced[0])
      if let order { place = load(order, row + [place]).position(within: length) }
      let bound = load(sequence, row + [place]).taken(as: common)
      let value = load(input, at).taken(as: common)
      // NaN is behind all numbers, as in an order by `sort`.
      let isBefore = Expression.binary(comparison, bound, value)
      return .select(
        common.isFloatingPoint
          ? .binary(.logicalOr, isBefore, .unary(.isNaN, value)) : isBefore,
        .whole(1), .whole(0))
    }
    return [converted(count, to: operation.result.dtype)]
  }
}

// MARK: - Jagged tensors

extension Lowering {
  private func offsets(_ operation: Operation, rows: Int) throws -> BufferID {
    guard case .tensors(let list) = operation.node.arguments["offsets"],
      let id = list.first?.flatMap({ values[$0] })
    else { throw operation.error("offsets must be a list of one tensor") }
    restrict(id, to: .index(rows + 1))
    return id
  }

  fileprivate func padded(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("values", of: operation)
    let rows = shape(of: input)[0]
    let offsets = try offsets(operation, rows: rows)
    let padding = Expression.number(
      .real(operation.real("padding_value", default: 0)), operation.result.dtype)
    return [
      map(operation.result, name: "padded") { axes in
        guard rows > 0 else { return padding }
        let at = axes.positions
        let row = load(offsets, [at[0]]) + .index(at[1], .i64)
        let isInside = row < load(offsets, [at[0] + 1])
        return .select(
          isInside, load(input, [row.position(within: rows)] + at.dropFirst(2)), padding)
      }
    ]
  }

  fileprivate func jagged(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("dense", of: operation)
    let (shape, result) = (shape(of: input), operation.result)
    let offsets = try offsets(operation, rows: result.shape[0])
    let parts = parts(offsets, count: result.shape[0])
    let zero = Expression.number(.integer(0), result.dtype)
    return [
      map(result, name: "jagged") { axes in
        guard shape[0] > 0, shape[1] > 0 else { return zero }
        let at = axes.positions
        let part = load(parts, [at[0]])
        let batch = part.position(within: shape[0])
        let place = .index(at[0], .i64) - load(offsets, [batch])
        let isInside = Expression.all([
          place < .whole(shape[1]), part < .whole(shape[0]),
        ])
        let element = load(input, [batch, place.position(within: shape[1])] + at.dropFirst())
        return .select(isInside, element, zero)
      }
    ]
  }
}

// MARK: - Cumulative sums of powers

extension Lowering {
  /// `log Σ exp xⱼ` over the elements up to each, relative to the largest of them: one sum for each element.
  fileprivate func logCumulativeSum(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let result = operation.result
    let type = result.dtype.computeType
    guard result.rank > 0 else { return [map(result) { _ in load(input, []) }] }
    let dimension = try operation.integer("dim")
    let domain = axes(result.shape)
    let largest = define(
      TensorType(type, result.shape), domain: domain,
      .scan(
        dimension: dimension, combiner: .maximum,
        value: load(input, domain.positions).cast(to: type)), name: "largest")
    let shift = map(TensorType(type, result.shape), name: "shift") { axes in
      let value = load(largest, axes.positions)
      return .select(.unary(.isInfinite, value), .number(0, type), value)
    }
    let length = result.shape[dimension]
    let sum = reduce(
      TensorType(type, result.shape), over: [length], .sum, name: "sum"
    ) { axes, reduced in
      var at = axes.positions
      let distance = at[dimension] - Index.axis(reduced[0])
      at[dimension] = .axis(reduced[0])
      let power = Expression.unary(
        .exp, load(input, at).cast(to: type) - load(shift, axes.positions))
      return power.guarded(
        by: [.inRange(distance, lower: 0, upper: max(length, 1))], otherwise: .number(0, type))
    }
    return [
      map(result) { axes in
        .unary(.log, load(sum, axes.positions)) + load(shift, axes.positions)
      }
    ]
  }
}
