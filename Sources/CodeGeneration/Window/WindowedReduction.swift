import KernelSpec
import TensorProgram

/// A reduction over a small window that moves over the columns, and perhaps the rows, of an image, with what is
/// done to its result: pooling, depthwise convolution.
struct WindowedReduction {
  /// The element of the image, with its guards, and how it moves.
  let window: SlidingWindow
  /// The axes of the result that the window does not move along.
  let batch: [Axis]
  let combiner: Combiner
  /// What is combined: an expression over the window's element; of a type in which it is combined.
  let value: Expression
  /// The reduction, and maps that read what stages before them made, each only its own element.
  let stages: [Stage]

  /// The most elements of a window that are written out one by one.
  private static let mostTaps = 64

  init?(_ kernel: FusedKernel) {
    guard case .reduce(let axes, let combiner, let reduced) = kernel.stages.first?.body,
      [.sum, .product, .maximum, .minimum].contains(combiner), reduced.dtype != .bool,
      kernel.stages.allSatisfy({ $0.domain == kernel.outer }),
      kernel.stages.dropFirst().allSatisfy({ if case .map = $0.body { true } else { false } }),
      kernel.stages.readOwnResultsInPlace,
      let column = kernel.outer.last(where: { $0.extent > 1 })
    else { return nil }
    let taps = axes.filter { $0.extent != 1 }
    let single = axes.filter { $0.extent == 1 }.map { ($0, Index.constant(0)) }
    let wide = reduced.dtype.isHalf ? Expression.cast(.f32, reduced) : reduced
    value = wide.substituting(Dictionary(uniqueKeysWithValues: single))
    let windows = value.windows(taps: Set(taps))
    guard !taps.isEmpty, taps.allSatisfy({ $0.extent > 0 }), taps.extent <= Self.mostTaps,
      windows.count == 1, let element = windows.first, element.dtype != .bool,
      let window = SlidingWindow(
        element, along: kernel.outer, column: column, always: [column], taps: taps),
      Set(window.sides.compactMap(\.tap)) == Set(taps)
    else { return nil }
    self.window = window
    self.combiner = combiner
    stages = kernel.stages
    batch = kernel.outer.filter { axis in !window.sides.contains { $0.axis == axis } }
  }

  var columns: SlidingWindow.Side { window.columns }
  var rows: SlidingWindow.Side? { window.rows }

  /// Whether rows can be combined before columns: nothing but the element itself depends on the place in the
  /// window.
  var isSeparable: Bool {
    let element = window.element
    let plain = element.dtype == value.dtype ? element : .cast(value.dtype, element)
    return value == plain && rows?.tap != nil && columns.tap != nil
  }

  /// The combination of all of `values`, of which there is at least one.
  func combination(_ values: [Expression]) -> Expression {
    values.dropFirst().reduce(values[0]) { .binary(combiner.operation, $0, $1) }
  }
}

extension Expression {
  /// The parts that read an element which depends on the place in the window: guarded loads, and loads alone.
  fileprivate func windows(taps: Set<Axis>) -> Set<Expression> {
    switch self {
    case .real, .integer, .index, .inRange: return []
    case .load: return movesWithOuterAxes(taps) ? [self] : []
    case .unary(_, let operand), .cast(_, let operand): return operand.windows(taps: taps)
    case .binary(_, let first, let second):
      return first.windows(taps: taps).union(second.windows(taps: taps))
    case .select(let condition, let first, let second):
      let isGuard = !condition.axes.isDisjoint(with: taps)
      if isGuard { return [self] }
      return [condition, first, second].reduce(into: []) {
        $0.formUnion($1.windows(taps: taps))
      }
    }
  }

  /// Whether an index of a load has both an axis of the window and one beside it.
  private func movesWithOuterAxes(_ taps: Set<Axis>) -> Bool {
    guard case .load(_, _, let indices) = self else { return false }
    return indices.contains { index in
      let axes = Set(AffineIndex(index).factors.keys)
      return !axes.isDisjoint(with: taps) && !axes.isSubset(of: taps)
    }
  }
}
