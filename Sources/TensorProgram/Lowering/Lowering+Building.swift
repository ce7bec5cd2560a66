import KernelSpec

extension Lowering {
  /// A tensor into which values are stored where `body` says.
  ///
  /// Where a target is one of the given axes of the domain, values along it are independent of each other.
  ///
  /// - Parameter body: given the axes of the output and those of the values, the targets and the value.
  func scatter(
    _ type: TensorType, over extents: [Int], _ combiner: Combiner?, name: String = "scattered",
    initial: ([Axis]) -> Expression, _ body: ([Axis], [Axis]) -> ([Index], Expression)
  ) -> BufferID {
    let domain = axes(type.shape)
    let own = axes(extents)
    let (target, value) = body(domain, own)
    let scatter = Scatter(
      axes: own, target: target, combiner: combiner, value: value, initial: initial(domain))
    return define(type, domain: domain, .scatter(scatter), name: name)
  }

  /// The positions along `dimension` of the elements of `input` in their order, `count` of them.
  func order(
    _ input: BufferID, along dimension: Int, count: Int, isDescending: Bool
  ) -> BufferID {
    var shape = shape(of: input)
    let axis = axes([shape[dimension]])[0]
    shape[dimension] = count
    let domain = axes(shape)
    var indices = domain.positions
    indices[dimension] = .axis(axis)
    let element = compute(input, indices)
    let value = element.dtype == .bool ? element.cast(to: .u8) : element
    return define(
      TensorType(.i64, shape), domain: domain,
      .sort(
        Sort(axis: axis, dimension: dimension, isDescending: isDescending, value: value)),
      name: "order")
  }

  /// A result without elements, or zeros.
  func zeros(_ type: TensorType) -> BufferID {
    map(type) { _ in .number(.integer(0), type.dtype) }
  }

  /// The tensor in another dtype; itself when it has that.
  func converted(_ id: BufferID, to type: DType) -> BufferID {
    if self.type(of: id).dtype == type { return id }
    return map(TensorType(type, shape(of: id))) { load(id, $0.positions).cast(to: type) }
  }
}

extension Expression {
  /// An `i64` number.
  static func whole(_ value: Int) -> Expression { .integer(Int64(value), .i64) }

  /// The position that an `i64` value names, moved to the nearest one in `0..<extent`.
  func position(within extent: Int) -> Index {
    .value(.minimum(.maximum(self, .whole(0)), .whole(max(extent - 1, 0))))
  }

  /// The position that counts from the end where it is negative.
  func countedFromFront(_ extent: Int) -> Expression {
    .select(self < .whole(0), self + .whole(extent), self)
  }

  static func equal(_ first: Expression, _ second: Expression) -> Expression {
    .binary(.equal, first, second)
  }
}

extension Sequence<Index> {
  /// The row-major position of these indices in a tensor of `shape`.
  func flattened(_ shape: [Int]) -> Index {
    zip(self, shape).reduce(Index.constant(0)) { $0 * $1.1 + $1.0 }
  }
}
