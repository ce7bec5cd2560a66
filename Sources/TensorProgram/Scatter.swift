import KernelSpec

/// A tensor into which values are stored where data says.
///
/// The elements begin as `initial`. Then every value is combined, one after the other, with the element at its
/// target: in row-major order of the shared dimensions and then of `axes`. A dimension of the output is shared
/// when its target is the domain's own axis: values at different positions along it never meet, so they may be
/// stored in parallel. A value whose target is outside the output is dropped, and its expression is then not
/// evaluated.
package struct Scatter: Sendable, Hashable {
  /// What values run over beyond the shared dimensions.
  package var axes: [Axis]
  /// Where a value goes: one index for each dimension of the output.
  package var target: [Index]
  /// How a value joins the element that is there; `nil` for its replacement.
  package var combiner: Combiner?
  package var value: Expression
  /// The element that nothing is stored to, over the domain. Of the type of the value.
  package var initial: Expression

  package init(
    axes: [Axis], target: [Index], combiner: Combiner?, value: Expression, initial: Expression
  ) {
    self.axes = axes
    self.target = target
    self.combiner = combiner
    self.value = value
    self.initial = initial
  }

  /// The axes of `domain` along which values are independent of each other.
  package func shared(of domain: [Axis]) -> [Axis] {
    zip(domain, target).filter { $1 == .axis($0) }.map(\.0)
  }

  /// The scatter with every expression replaced.
  func mapExpressions(_ transform: (Expression) -> Expression) -> Scatter {
    Scatter(
      axes: axes,
      target: target.map { $0.rewritten(axis: { _ in nil }, expression: transform) },
      combiner: combiner, value: transform(value), initial: transform(initial))
  }
}

/// The positions of the elements along one axis in their order: the output's element `j` along `dimension` is
/// the position along `axis` of the element that comes after `j` others.
///
/// Equal elements, and zeros of both signs, keep their order. A NaN counts as larger than all numbers. The
/// output may hold the first few only.
package struct Sort: Sendable, Hashable {
  package var axis: Axis
  package var dimension: Int
  package var isDescending: Bool
  /// What is ordered, over the domain without `dimension` and over `axis`.
  package var value: Expression

  package init(axis: Axis, dimension: Int, isDescending: Bool, value: Expression) {
    self.axis = axis
    self.dimension = dimension
    self.isDescending = isDescending
    self.value = value
  }

  /// The sort with its expression replaced.
  func mapExpression(_ transform: (Expression) -> Expression) -> Sort {
    Sort(
      axis: axis, dimension: dimension, isDescending: isDescending, value: transform(value))
  }
}

extension Stage {
  /// Whether the stage stores in an order of its own, so that no other stage can join its loops.
  package var isOrdered: Bool {
    switch body {
    case .scatter, .sort, .recurrence: true
    case .map, .reduce, .scan: false
    }
  }

  /// Every expression that the stage evaluates; those of a recurrence's body, which has buffers of its own, not.
  package var expressions: [Expression] {
    switch body {
    case .scatter(let scatter):
      [scatter.initial, scatter.value] + scatter.target.map { .index($0, .i64) }
    case .recurrence: []
    default: [value]
    }
  }

  /// Every load of the stage, once for each occurrence; a recurrence reads whole buffers, without indices.
  package var loads: [(buffer: BufferID, indexes: [Index])] {
    if let recurrence { return recurrence.reads.map { ($0, []) } }
    return expressions.flatMap(\.loads)
  }
}
