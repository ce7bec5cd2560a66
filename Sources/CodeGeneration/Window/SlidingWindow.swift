import KernelSpec
import TensorProgram

/// An element of an image, with its guards, that moves over the columns and perhaps the rows of the image as the
/// place of the result does.
struct SlidingWindow {
  /// A direction in which the window moves.
  struct Side: Equatable {
    /// The axis of the result.
    var axis: Axis
    /// The axis of the window; `nil` where the window is one element wide.
    var tap: Axis?
    /// How far the window moves from one result to the next.
    var stride: Int
    /// How far its elements lie from each other.
    var dilation: Int

    var taps: Int { tap?.extent ?? 1 }

    /// How many elements of the image results `0..<count` take part of.
    func span(_ count: Int) -> Int { (count - 1) * stride + (taps - 1) * dilation + 1 }
  }

  let element: Expression
  let columns: Side
  let rows: Side?

  var sides: [Side] { [columns] + (rows.map { [$0] } ?? []) }

  /// - Parameters:
  ///   - axes: the axes of the result that the window may move along.
  ///   - column: the one of them that is the image's columns.
  ///   - always: those that are a direction also where the window is one element wide.
  init?(
    _ element: Expression, along axes: [Axis], column: Axis, always: Set<Axis>, taps: [Axis]
  ) {
    guard let sides = Self.sides(of: element, axes, always, taps), sides.count <= 2,
      let columns = sides.first(where: { $0.axis == column })
    else { return nil }
    self.element = element
    self.columns = columns
    rows = sides.first { $0.axis != column }
    var isRegular = true
    element.visit { $0.visitIndices { index in isRegular = isRegular && isWithinImage(index) } }
    guard isRegular else { return nil }
  }

  /// The directions in which the element moves; `nil` where one of them is no direction of an image.
  private static func sides(
    of element: Expression, _ axes: [Axis], _ always: Set<Axis>, _ taps: [Axis]
  ) -> [Side]? {
    var sides: [Side] = []
    var isRegular = true
    element.visit { part in
      guard isRegular, case .load(_, _, let indices) = part else { return }
      for index in indices.map(AffineIndex.init) {
        let moving = axes.filter { index.coefficient(of: $0) != 0 }
        let within = taps.filter { index.coefficient(of: $0) != 0 }
        guard let axis = moving.last, !within.isEmpty || always.contains(axis) else { continue }
        let side = Side(
          axis: axis, tap: within.first, stride: index.coefficient(of: axis),
          dilation: within.first.map(index.coefficient) ?? 1)
        isRegular =
          isRegular && moving.count == 1 && within.count <= 1 && side.stride > 0
          && side.dilation > 0 && !sides.contains { $0 != side && $0.axis == axis }
        if !sides.contains(side) { sides.append(side) }
      }
    }
    return isRegular ? sides : nil
  }

  /// Whether an index within the element moves along each side as the element does, or not at all.
  private func isWithinImage(_ index: Index) -> Bool {
    let affine = AffineIndex(index)
    return sides.allSatisfy { side in
      let ofAxis = affine.coefficient(of: side.axis)
      let ofTap = side.tap.map(affine.coefficient) ?? 0
      let isStill = ofAxis == 0 && ofTap == 0
      let moves = ofAxis == side.stride && (side.tap == nil || ofTap == side.dilation)
      return (isStill || moves) && affine.isLinear(in: side.axis)
        && side.tap.map(affine.isLinear) ?? true
    }
  }

  /// `expression`, which depends on the place only through the element, at a place of the image: `row` and
  /// `column` count from where the window's first element is for the first results.
  func at(row: Index?, column: Index, _ expression: Expression) -> Expression {
    expression.replacingIndexes { index in
      var affine = AffineIndex(index)
      var moved: [Index] = []
      for (side, place) in [(columns, column), (rows ?? columns, row ?? column)]
      where affine.coefficient(of: side.axis) != 0 {
        affine.removeTerm(of: side.axis)
        if let tap = side.tap { affine.removeTerm(of: tap) }
        moved.append(place)
      }
      return AffineIndex(moved.reduce(affine.index) { .sum($0, $1) }).index
    }
  }
}
