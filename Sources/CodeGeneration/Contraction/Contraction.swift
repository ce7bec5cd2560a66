import KernelSpec
import TensorProgram

/// A kernel seen as a batch of matrix products `rows × depth` by `depth × columns`, with an
/// epilogue.
///
/// Each class of axes is flattened into one loop, outermost axis first.
struct Contraction {
  /// Axes of the result that both factors depend on, or that make no matrix of their own.
  private(set) var batch: [Axis]
  /// Axes of the result that only `left` depends on.
  private(set) var rows: [Axis]
  /// Axes of the result that only `right` depends on.
  private(set) var columns: [Axis]
  /// The axes of the sum.
  private(set) var depth: [Axis]
  private(set) var left: Expression
  private(set) var right: Expression
  /// The type in which products are summed: f32, f64, i32 or i64.
  let accumulator: DType
  /// The sum, then the maps of the epilogue; each over exactly the axes of the result.
  private(set) var stages: [Stage]

  /// Recognises a sum of products of two factors, each of which has axes of its own.
  ///
  /// Products of a matrix and a vector, of two vectors, and depthwise convolutions have no such
  /// factors and give `nil`, as do sums whose operands are looked up through data.
  init?(_ kernel: FusedKernel) {
    guard let sum = kernel.stages.first,
      case .reduce(let axes, .sum, let value) = sum.body,
      let accumulator = Self.accumulator(of: value.dtype),
      kernel.stages.allSatisfy({ $0.domain == kernel.outer }),
      kernel.stages.dropFirst().allSatisfy(\.isMapWithoutLookUp),
      kernel.stages.readOwnResultsInPlace,
      kernel.outer.allSatisfy({ $0.extent > 0 }),
      let (first, second) = Self.factors(of: value, axes: axes)
    else { return nil }
    self.accumulator = accumulator
    stages = kernel.stages
    depth = axes
    (left, right) = (first, second)
    let (ofFirst, ofSecond) = (first.axes, second.axes)
    rows = kernel.outer.filter { ofFirst.contains($0) && !ofSecond.contains($0) }
    columns = kernel.outer.filter { !ofFirst.contains($0) && ofSecond.contains($0) }
    batch = kernel.outer.filter { ofFirst.contains($0) == ofSecond.contains($0) }
    orient(kernel.outer)
    guard rows.extent > 1, columns.extent > 1 else { return nil }
  }

  /// Makes the innermost axis of the result a column, and moves outer columns that rows separate
  /// from the others into the batch, so that the matrix of a batch is row-major in the result.
  private mutating func orient(_ outer: [Axis]) {
    let innermost = outer.last { $0.extent > 1 }
    if let innermost, rows.contains(innermost) {
      swap(&rows, &columns)
      swap(&left, &right)
    }
    guard let lastRow = outer.lastIndex(where: { rows.contains($0) && $0.extent > 1 }) else {
      return
    }
    let before = outer[..<lastRow].filter(columns.contains)
    let after = columns.filter { !before.contains($0) }
    guard !before.isEmpty, after.extent >= Self.leastColumns else { return }
    columns = after
    batch = outer.filter { batch.contains($0) || before.contains($0) }
  }

  /// The same product with another, longer axis for a column's: what is beyond the column's extent has no meaning.
  func widening(_ axis: Axis, to extent: Int) -> Contraction {
    let wide = Axis(id: axis.id, extent: extent)
    var result = self
    result.columns = columns.map { $0 == axis ? wide : $0 }
    result.right = right.substituting([axis: .axis(wide)])
    result.stages = stages.map { stage in
      var stage = stage
      stage.domain = stage.domain.map { $0 == axis ? wide : $0 }
      switch stage.body {
      case .map(let value): stage.body = .map(value.substituting([axis: .axis(wide)]))
      case .reduce(let axes, let combiner, let value):
        let value = value.substituting([axis: .axis(wide)])
        stage.body = .reduce(axes: axes, combiner: combiner, value: value)
      case .scan, .scatter, .sort, .recurrence: break
      }
      return stage
    }
    return result
  }

  /// Fewer columns than this make worse matrices than one that is not row-major.
  private static let leastColumns = 16

  private static func accumulator(of type: DType) -> DType? {
    switch type {
    case .f64, .i64: type
    case .f32, .f16, .bf16: .f32
    case .i32, .i16, .i8, .u8: .i32
    case .bool: nil
    }
  }

  /// The product's operands, gathered into two that each have an axis that the other lacks.
  private static func factors(of value: Expression, axes: [Axis]) -> (Expression, Expression)? {
    var groups: [(value: Expression, axes: Set<Axis>)] = []
    for leaf in value.productLeaves {
      let group = (value: leaf, axes: leaf.axes)
      guard !leaf.looksUpData else { return nil }
      groups.append(group)
    }
    while let (small, large) = containment(in: groups.map(\.axes)) {
      groups[large].value = .binary(.multiply, groups[large].value, groups[small].value)
      groups.remove(at: small)
    }
    return groups.count == 2 ? (groups[0].value, groups[1].value) : nil
  }

  /// Positions of two sets of which the first is within the second.
  private static func containment(in sets: [Set<Axis>]) -> (small: Int, large: Int)? {
    for small in sets.indices {
      for large in sets.indices where small != large && sets[small].isSubset(of: sets[large]) {
        return (small, large)
      }
    }
    return nil
  }
}

extension Contraction {
  /// For people and for matching across specs.
  var name: String {
    let product = "\(rows.extent)x\(columns.extent)x\(depth.extent)"
    return batch.extent == 1 ? "contraction \(product)" : "contraction \(batch.extent)x\(product)"
  }
}

extension [Axis] {
  /// The number of iterations of the loop over all the axes.
  var extent: Int { reduce(1) { $0 * $1.extent } }
}

extension [Stage] {
  /// Whether what one stage makes is read by others only at the very point of the iteration.
  var readOwnResultsInPlace: Bool {
    let made = Set(map(\.output))
    var inPlace = true
    for stage in self {
      stage.value.forEach { part in
        guard case .load(let buffer, _, let indexes) = part, made.contains(buffer) else { return }
        inPlace = inPlace && stage.isPlace(indexes)
      }
    }
    return inPlace
  }
}

extension Stage {
  fileprivate var isMapWithoutLookUp: Bool {
    guard case .map(let value) = body else { return false }
    return !value.looksUpData
  }
}

extension Expression {
  /// Whether an index within is read from data.
  fileprivate var looksUpData: Bool {
    var found = false
    forEachIndex { found = found || $0.readsData }
    return found
  }

  fileprivate var productLeaves: [Expression] {
    guard case .binary(.multiply, let first, let second) = self else { return [self] }
    return first.productLeaves + second.productLeaves
  }
}

extension Stage {
  /// Whether the indexes are those of the element that an iteration makes.
  fileprivate func isPlace(_ indexes: [Index]) -> Bool {
    indexes.count == domain.count
      && zip(indexes, domain).allSatisfy { index, axis in
        index == .axis(axis) || axis.extent == 1 && index == .constant(0)
      }
  }
}
