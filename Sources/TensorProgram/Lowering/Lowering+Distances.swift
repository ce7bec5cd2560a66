import KernelSpec

extension LoweringTable {
  static let distances: [String: Rule] = [
    "aten._cdist_forward.default": { try $0.distances($1) },
    "aten._pdist_forward.default": { try $0.ownDistances($1) },
  ]
}

extension Lowering {
  /// The distance of order `p` of two vectors of `width` elements, whose elements `elements` gives.
  private func distance(
    _ operation: Operation, width: Int, _ elements: ([Index], Index) -> (Expression, Expression)
  ) -> [BufferID] {
    let order = operation.real("p", default: 2)
    let type = operation.result.dtype.computeType
    let sum = reduce(
      TensorType(type, operation.result.shape), over: [width],
      order == .infinity ? .maximum : .sum, name: "distance"
    ) { axes, reduced in
      let (one, two) = elements(axes.positions, .axis(reduced[0]))
      return Self.term(
        ofOrder: order, .unary(.absolute, one.cast(to: type) - two.cast(to: type)))
    }
    return [
      map(operation.result) { axes in
        // The maximum over no elements is the distance of equal vectors.
        width == 0
          ? .number(0, type) : Self.root(ofOrder: order, load(sum, axes.positions))
      }
    ]
  }

  fileprivate func distances(_ operation: Operation) throws -> [BufferID] {
    let (first, second) = (try tensor("x1", of: operation), try tensor("x2", of: operation))
    return distance(operation, width: shape(of: first).last ?? 0) { at, element in
      let outer = Array(at.dropLast(2))
      let row = { [self] (id: BufferID, position: Index) -> Expression in
        let extents = shape(of: id).dropLast(2)
        let batch = zip(outer.suffix(extents.count), extents).map {
          $1 == 1 ? Index.constant(0) : $0
        }
        return load(id, batch + [position, element])
      }
      return (row(first, at[at.count - 2]), row(second, at[at.count - 1]))
    }
  }

  /// Pairs `i < j` in row-major order: row `i` begins at `i·n - i·(i + 1) / 2`, less `i + 1`.
  fileprivate func ownDistances(_ operation: Operation) throws -> [BufferID] {
    let input = try tensor("self", of: operation)
    let (count, pairs) = (shape(of: input)[0], operation.result.shape[0])
    let rows = map(TensorType(.i64, [pairs]), name: "row") { axes in
      let half = Expression.number(Double(count) - 0.5, .f64)
      let position = Expression.index(.axis(axes[0]), .f64)
      let root = Expression.unary(
        .sqrt, half * half - position * .number(2, .f64) - .number(1, .f64))
      return .unary(.floor, half - root).cast(to: .i64)
    }
    return distance(operation, width: shape(of: input)[1]) { at, element in
      let row = load(rows, at)
      let before =
        row * .whole(count)
        - .binary(.floorDivide, row * (row + .whole(1)), .whole(2))
      let column = .index(at[0], .i64) - before + row + .whole(1)
      return (
        load(input, [row.position(within: count), element]),
        load(input, [column.position(within: count), element])
      )
    }
  }
}
