import KernelSpec

/// A split of a tensor's dimensions into those that a reduction keeps and those that it combines.
struct ReductionPlan {
  let shape: [Int]
  /// Which dimensions are combined.
  let isReduced: [Bool]

  /// - Parameter dimensions: `nil` for all of them.
  init(shape: [Int], dimensions: [Int]?) {
    self.shape = shape
    let chosen = dimensions.map { Set($0.map { $0 < 0 ? $0 + shape.count : $0 }) }
    isReduced = shape.indices.map { chosen?.contains($0) ?? true }
  }

  var reducedShape: [Int] { zip(shape, isReduced).filter { $0.1 }.map(\.0) }
  var keptShape: [Int] { zip(shape, isReduced).filter { !$0.1 }.map(\.0) }
  /// How many elements make one result.
  var count: Int { reducedShape.reduce(1, *) }

  /// The position in the tensor of an element of a reduction. `kept` has one axis for each kept dimension,
  /// or one for every dimension (extents of 1 where it was reduced).
  func indices(kept: [Axis], reduced: [Axis]) -> [Index] {
    var reducedLeft = reduced[...]
    var keptLeft = kept[...]
    let isFull = kept.count == shape.count
    return isReduced.map { isReduced in
      if isReduced {
        if isFull { keptLeft = keptLeft.dropFirst() }
        return reducedLeft.popFirst().map { .axis($0) } ?? .constant(0)
      }
      return keptLeft.popFirst().map { .axis($0) } ?? .constant(0)
    }
  }

  /// Of a position in the tensor, the part that names the reduction's result.
  func kept(_ indices: [Index]) -> [Index] {
    zip(indices, isReduced).filter { !$0.1 }.map(\.0)
  }
}

extension LoweringTable {
  static let reductions: [String: Rule] = [
    "aten.sum.dim_IntList": { try $0.accumulate($1, .sum) },
    "aten.prod.default": { try $0.accumulate($1, .product) },
    "aten.prod.dim_int": { try $0.accumulate($1, .product) },
    "aten.amax.default": { try $0.extremum($1, .maximum) },
    "aten.amin.default": { try $0.extremum($1, .minimum) },
    "aten.max.dim": {
      try $0.extremum($1, .maximum) + $0.argument($1, .argumentOfMaximum, result: 1)
    },
    "aten.min.dim": {
      try $0.extremum($1, .minimum) + $0.argument($1, .argumentOfMinimum, result: 1)
    },
    "aten.argmax.default": { try $0.argument($1, .argumentOfMaximum, result: 0) },
    "aten.argmin.default": { try $0.argument($1, .argumentOfMinimum, result: 0) },
    "aten.any.dims": { try $0.anyOf($1) },
  ]

  static let scans: [String: Rule] = [
    "aten.cumsum.default": { try $0.scan($1, .sum) },
    "aten.cumprod.default": { try $0.scan($1, .product) },
  ]
}

extension Lowering {
  /// The dimensions that the arguments `dim` name; none and the empty list stand for all.
  func plan(_ operation: Operation, of input: BufferID) -> ReductionPlan {
    let dimensions = operation.optionalIntegers("dim") ?? []
    return ReductionPlan(
      shape: shape(of: input), dimensions: dimensions.isEmpty ? nil : dimensions)
  }

  /// Combines the elements of `input`, converted by `value`, over the dimensions of `plan`.
  func reduce(
    _ type: TensorType, _ input: BufferID, _ plan: ReductionPlan, _ combiner: Combiner,
    name: String = "t", _ value: (Expression) -> Expression
  ) -> BufferID {
    reduce(type, over: plan.reducedShape, combiner, name: name) { kept, reduced in
      value(load(input, plan.indices(kept: kept, reduced: reduced)))
    }
  }

  fileprivate func accumulate(_ operation: Operation, _ combiner: Combiner) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let type = operation.result.dtype
    return [
      reduce(operation.result, input, plan(operation, of: input), combiner) { $0.taken(as: type) }
    ]
  }

  fileprivate func extremum(_ operation: Operation, _ combiner: Combiner) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let type = operation.result.dtype.computeType
    let logical: Combiner = combiner == .maximum ? .any : .all
    return [
      reduce(
        operation.result, input, plan(operation, of: input), type == .bool ? logical : combiner
      ) { $0.cast(to: type) }
    ]
  }

  fileprivate func argument(
    _ operation: Operation, _ combiner: Combiner, result: Int
  ) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    return [
      reduce(operation.results[result], input, plan(operation, of: input), combiner) {
        // Comparisons of `bool` are those of its numbers.
        $0.cast(to: $0.dtype == .bool ? .u8 : $0.dtype.computeType)
      }
    ]
  }

  fileprivate func anyOf(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    return [
      reduce(operation.result, input, plan(operation, of: input), .any) { $0.cast(to: .bool) }
    ]
  }

  fileprivate func scan(_ operation: Operation, _ combiner: Combiner) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let dimension = try operation.integer("dim")
    let domain = axes(operation.result.shape)
    let value = load(input, domain.positions).taken(as: operation.result.dtype)
    let body: Stage.Body =
      domain.isEmpty
      ? .map(value) : .scan(dimension: dimension, combiner: combiner, value: value)
    return [define(operation.result, domain: domain, body)]
  }
}
