import KernelSpec

/// One run of a stage that scatters or sorts. It points to the same axes as its compiler.
struct OrderedEvaluation {
  private let stage: Stage
  private let compiler: ExpressionCompiler

  init(_ stage: Stage, _ compiler: ExpressionCompiler) {
    self.stage = stage
    self.compiler = compiler
  }

  private var memory: EvaluationMemory { compiler.memory }
  private var output: Int { stage.output.position }
  private var extents: [Int] { stage.domain.map(\.extent) }

  func run() {
    switch stage.body {
    case .scatter(let scatter): run(scatter)
    case .sort(let sort): run(sort)
    case .map, .reduce, .scan, .recurrence: break
    }
  }

  private func run(_ scatter: Scatter) {
    let type = memory.buffers[output].type.dtype
    if type.isFloatingPoint {
      let combiner = scatter.combiner
      store(
        scatter, to: memory.reals[output], initial: compiler.real(scatter.initial),
        value: compiler.real(scatter.value)
      ) { combiner?.combine($0, $1) ?? $1 }
    } else {
      let combiner = scatter.combiner
      store(
        scatter, to: memory.integers[output],
        initial: compiler.integer(scatter.initial.cast(to: type)),
        value: compiler.integer(scatter.value.cast(to: type))
      ) { type.wrapped(combiner?.combine($0, $1) ?? $1) }
    }
  }

  private func store<Element>(
    _ scatter: Scatter, to output: UnsafeMutableBufferPointer<Element>,
    initial: () -> Element, value: () -> Element, combine: (Element, Element) -> Element
  ) {
    let axes = compiler.axes
    var position = 0
    Loop(axes: axes, first: 0, extents: extents).forEach {
      output[position] = initial()
      position += 1
    }
    let target = scatter.target.map(compiler.position)
    let strides = TensorType.contiguousStrides(extents)
    let isShared = zip(stage.domain, scatter.target).map { $1 == .axis($0) }
    let outer = zip(extents, isShared).map { $1 ? $0 : 1 }
    let inner = Loop(
      axes: axes, first: extents.count, extents: scatter.axes.map(\.extent))
    Loop(axes: axes, first: 0, extents: outer).forEach {
      inner.forEach {
        var place = 0
        for dimension in target.indices {
          let at = target[dimension]()
          guard at >= 0, at < extents[dimension] else { return }
          place += at * strides[dimension]
        }
        output[place] = combine(output[place], value())
      }
    }
  }

  private func run(_ sort: Sort) {
    if sort.value.dtype.isFloatingPoint {
      let isDescending = sort.isDescending
      order(sort, by: compiler.real(sort.value)) { x, y in
        isDescending ? x > y || (x.isNaN && !y.isNaN) : x < y || (y.isNaN && !x.isNaN)
      }
    } else {
      let isDescending = sort.isDescending
      order(sort, by: compiler.integer(sort.value)) { isDescending ? $0 > $1 : $0 < $1 }
    }
  }

  private func order<Key>(
    _ sort: Sort, by key: () -> Key, _ comesBefore: (Key, Key) -> Bool
  ) {
    let axes = compiler.axes
    let output = memory.integers[output]
    let strides = TensorType.contiguousStrides(extents)
    let rows = extents.enumerated().map { $0 == sort.dimension ? 1 : $1 }
    Loop(axes: axes, first: 0, extents: rows).forEach {
      let base = zip(strides, 0...).reduce(0) { $0 + $1.0 * axes[$1.1] }
      let keys = (0..<sort.axis.extent).map { position -> Key in
        axes[extents.count] = position
        return key()
      }
      let ordered = keys.indices.sorted { one, two in
        comesBefore(keys[one], keys[two]) || (one < two && !comesBefore(keys[two], keys[one]))
      }
      for (rank, position) in ordered.prefix(extents[sort.dimension]).enumerated() {
        output[base + rank * strides[sort.dimension]] = Int64(position)
      }
    }
  }
}
