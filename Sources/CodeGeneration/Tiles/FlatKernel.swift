package import KernelSpec
package import TensorProgram

/// A fused kernel whose loads and stores have one flattened index each, in elements, and whose neighbouring
/// axes are merged where memory allows.
package struct FlatKernel: Sendable, Hashable {
  package var outer: [Axis]
  package var stages: [FlatStage]
  package var locals: Set<BufferID>

  /// One stage: for each value of `rest` (the domain's axes beyond `outer`), `output[index] = body`.
  package struct FlatStage: Sendable, Hashable {
    package var output: BufferID
    package var outputType: DType
    package var index: Index
    package var rest: [Axis]
    package var body: Body
  }

  package enum Body: Sendable, Hashable {
    case map(Expression)
    case reduce(axes: [Axis], combiner: Combiner, value: Expression)
    case scan(axis: Axis, combiner: Combiner, value: Expression)
  }

  /// Flattens `kernel`: a buffer's own strides decide, and a local has no memory along `outer`.
  package init(_ kernel: FusedKernel, in program: TensorProgram) throws(CodeGenerationError) {
    outer = kernel.outer
    locals = kernel.locals
    let strides = { (buffer: BufferID) -> [Int] in
      let type = program[buffer].type
      guard kernel.locals.contains(buffer) else { return type.resolvedStrides }
      let depth = kernel.outer.count
      let inner = TensorType.contiguousStrides(Array(type.shape.dropFirst(depth)))
      return [Int](repeating: 0, count: min(depth, type.rank)) + inner
    }
    stages = []
    var nextAxis = 1 + (kernel.allAxes.map(\.id).max() ?? 0)
    for stage in kernel.stages {
      guard !stage.isOrdered else {
        throw CodeGenerationError(
          .malformedProgram, "'\(program[stage.output].name)' is stored in an order of its own.")
      }
      guard stage.domain.starts(with: kernel.outer) else {
        throw CodeGenerationError(
          .malformedProgram,
          "The domain of '\(program[stage.output].name)' does not begin with the kernel's axes.")
      }
      if case .scan(let dimension, _, _) = stage.body, dimension < kernel.outer.count {
        throw CodeGenerationError(
          .malformedProgram,
          "'\(program[stage.output].name)' is scanned along an axis of the kernel's grid.")
      }
      let own = stage.renamingOwnAxes(depth: kernel.outer.count, next: &nextAxis)
      stages.append(FlatStage(own, depth: kernel.outer.count, in: program, strides: strides))
    }
    mergeAxes()
  }

  private mutating func mergeAxes() {
    outer = merging(outer, fixed: scanAxes)
    for position in stages.indices {
      stages[position].rest = merging(stages[position].rest, fixed: scanAxes)
      if case .reduce(let axes, _, _) = stages[position].body {
        let merged = merging(axes, fixed: [])
        guard case .reduce(_, let combiner, let value) = stages[position].body else { continue }
        stages[position].body = .reduce(axes: merged, combiner: combiner, value: value)
      }
    }
  }

  private var scanAxes: Set<Axis> {
    Set(
      stages.compactMap { stage in
        if case .scan(let axis, _, _) = stage.body { axis } else { nil }
      })
  }

  /// Merges neighbours in `axes` wherever every index allows it, and rewrites the indices.
  private mutating func merging(_ axes: [Axis], fixed: Set<Axis>) -> [Axis] {
    var merged = axes.filter { $0.extent != 1 || fixed.contains($0) }
    for axis in axes where axis.extent == 1 && !fixed.contains(axis) {
      replaceIndices { $0 == .axis(axis) ? .constant(0) : $0 }
    }
    var position = merged.count - 2
    while position >= 0 {
      let (first, second) = (merged[position], merged[position + 1])
      if !fixed.contains(first) && !fixed.contains(second) && canMerge(first, second) {
        let whole = Axis(id: first.id, extent: first.extent * second.extent)
        merge(first, second, into: whole)
        merged.replaceSubrange(position...position + 1, with: [whole])
      }
      position -= 1
    }
    return merged
  }

  private func canMerge(_ first: Axis, _ second: Axis) -> Bool {
    var isPossible = true
    forEachIndex { index in
      let affine = AffineIndex(index)
      isPossible =
        isPossible && affine.isLinear(in: first) && affine.isLinear(in: second)
        && affine.coefficient(of: first) == affine.coefficient(of: second) * second.extent
    }
    return isPossible
  }

  private mutating func merge(_ first: Axis, _ second: Axis, into whole: Axis) {
    replaceTopIndices { index in
      var affine = AffineIndex(index)
      let factor = affine.coefficient(of: second)
      guard factor != 0 else { return index }
      affine.removeTerm(of: first)
      affine.removeTerm(of: second)
      return AffineIndex(.sum(affine.index, .product(.axis(whole), factor))).index
    }
  }

  private func forEachIndex(_ visit: (Index) -> Void) {
    for stage in stages {
      visit(stage.index)
      stage.body.value.visit { $0.visitIndices(visit) }
    }
  }

  private mutating func replaceIndices(_ replace: (Index) -> Index) {
    for position in stages.indices {
      stages[position].index = stages[position].index.mapped(
        load: { .load($0, $1, $2) }, index: replace)
      stages[position].body.value = stages[position].body.value.mapped(index: replace)
    }
  }

  /// Replaces whole indices: of stores, loads, guards and conversions.
  private mutating func replaceTopIndices(_ replace: @escaping (Index) -> Index) {
    for position in stages.indices {
      stages[position].index = replace(stages[position].index)
      stages[position].body.value = stages[position].body.value.mappingWholeIndices(replace)
    }
  }
}

extension FusedKernel {
  fileprivate var allAxes: [Axis] {
    outer
      + stages.flatMap { stage -> [Axis] in
        guard case .reduce(let axes, _, _) = stage.body else { return stage.domain }
        return stage.domain + axes
      }
  }
}

extension Stage {
  /// The stage with axes that no other stage has, beyond the first `depth` ones of its domain.
  fileprivate func renamingOwnAxes(depth: Int, next: inout Int) -> Stage {
    var names: [Axis: Axis] = [:]
    let rename = { (axis: Axis) -> Axis in
      names[axis] = Axis(id: next, extent: axis.extent)
      next += 1
      return names[axis] ?? axis
    }
    var renamed = self
    renamed.domain = domain.prefix(depth) + domain.dropFirst(depth).map(rename)
    if case .reduce(let axes, let combiner, let value) = body {
      renamed.body = .reduce(axes: axes.map(rename), combiner: combiner, value: value)
    }
    return renamed.replacingAxes(names)
  }

  private func replacingAxes(_ names: [Axis: Axis]) -> Stage {
    let replace = { (index: Index) -> Index in
      if case .axis(let axis) = index, let new = names[axis] { .axis(new) } else { index }
    }
    var renamed = self
    switch body {
    case .map(let value): renamed.body = .map(value.mapped(index: replace))
    case .reduce(let axes, let combiner, let value):
      renamed.body = .reduce(axes: axes, combiner: combiner, value: value.mapped(index: replace))
    case .scan(let dimension, let combiner, let value):
      renamed.body = .scan(
        dimension: dimension, combiner: combiner, value: value.mapped(index: replace))
    case .scatter, .sort, .recurrence: break
    }
    return renamed
  }
}

extension FlatKernel.Body {
  /// The expression of the body.
  package var value: Expression {
    get {
      switch self {
      case .map(let value), .reduce(_, _, let value), .scan(_, _, let value): value
      }
    }
    set {
      switch self {
      case .map: self = .map(newValue)
      case .reduce(let axes, let combiner, _):
        self = .reduce(axes: axes, combiner: combiner, value: newValue)
      case .scan(let axis, let combiner, _):
        self = .scan(axis: axis, combiner: combiner, value: newValue)
      }
    }
  }
}

extension FlatKernel.FlatStage {
  fileprivate init(
    _ stage: Stage, depth: Int, in program: TensorProgram, strides: @escaping (BufferID) -> [Int]
  ) {
    let flatten = { (buffer: BufferID, indices: [Index]) -> Index in
      let sum = zip(indices, strides(buffer)).reduce(Index.constant(0)) {
        .sum($0, .product($1.0, $1.1))
      }
      return AffineIndex(sum).index
    }
    let flat = { (value: Expression) in
      value.mapped(load: { .load($0, $1, [flatten($0, $2)]) })
    }
    output = stage.output
    outputType = program[stage.output].type.dtype
    index = flatten(stage.output, stage.domain.map { .axis($0) })
    rest = Array(stage.domain.dropFirst(depth))
    switch stage.body {
    case .map(let value): body = .map(flat(value))
    case .reduce(let axes, let combiner, let value):
      body = .reduce(axes: axes, combiner: combiner, value: flat(value))
    case .scan(let dimension, let combiner, let value):
      body = .scan(axis: stage.domain[dimension], combiner: combiner, value: flat(value))
    case .scatter, .sort, .recurrence: body = .map(flat(stage.value))
    }
  }
}

extension Expression {
  /// The expression with each whole index replaced; indices inside indices are replaced first.
  fileprivate func mappingWholeIndices(_ replace: @escaping (Index) -> Index) -> Expression {
    let whole = { (index: Index) in replace(index.mappingValues { $0.mappingWholeIndices(replace) })
    }
    return switch self {
    case .real, .integer: self
    case .index(let index, let type): .index(whole(index), type)
    case .inRange(let index, let lower, let upper):
      .inRange(whole(index), lower: lower, upper: upper)
    case .load(let buffer, let type, let indices): .load(buffer, type, indices.map(whole))
    case .unary(let operation, let operand): .unary(operation, operand.mappingWholeIndices(replace))
    case .cast(let type, let operand): .cast(type, operand.mappingWholeIndices(replace))
    case .binary(let operation, let first, let second):
      .binary(operation, first.mappingWholeIndices(replace), second.mappingWholeIndices(replace))
    case .select(let condition, let first, let second):
      .select(
        condition.mappingWholeIndices(replace), first.mappingWholeIndices(replace),
        second.mappingWholeIndices(replace))
    }
  }
}

extension Index {
  /// The index with each expression inside it replaced.
  fileprivate func mappingValues(_ replace: (Expression) -> Expression) -> Index {
    switch self {
    case .constant, .axis: self
    case .sum(let first, let second):
      .sum(first.mappingValues(replace), second.mappingValues(replace))
    case .product(let inner, let factor): .product(inner.mappingValues(replace), factor)
    case .quotient(let inner, let divisor): .quotient(inner.mappingValues(replace), divisor)
    case .remainder(let inner, let divisor): .remainder(inner.mappingValues(replace), divisor)
    case .value(let expression): .value(replace(expression))
    }
  }
}
