import KernelSpec

/// One run of a stage: its expression compiled once, then called for every element.
///
/// Owns the values of the axes, which the compiled expression points to; it ends with `run`.
struct StageEvaluation {
  private let stage: Stage
  private let memory: EvaluationMemory

  init(_ stage: Stage, _ memory: EvaluationMemory) {
    self.stage = stage
    self.memory = memory
  }

  func run() {
    if let recurrence = stage.recurrence {
      return RecurrenceEvaluation(recurrence, to: stage.output, memory).run()
    }
    let reduced = innerAxes
    let all = stage.domain + reduced
    let axes = UnsafeMutablePointer<Int>.allocate(capacity: all.count + 1)
    axes.initialize(repeating: 0, count: all.count + 1)
    defer { axes.deallocate() }
    let slots = Dictionary(all.enumerated().map { ($1, $0) }, uniquingKeysWith: { $1 })
    let compiler = ExpressionCompiler(memory: memory, axes: axes, slots: slots)
    if stage.isOrdered { return OrderedEvaluation(stage, compiler).run() }
    let inner = Loop(axes: axes, first: stage.domain.count, extents: reduced.map(\.extent))
    let element = ElementCompiler(stage, compiler, inner)
    if memory.buffers[stage.output.position].type.dtype.isFloatingPoint {
      let body = element.real()
      store(body, to: memory.reals[stage.output.position], axes, restart: element.restart)
    } else {
      let body = element.integer()
      store(body, to: memory.integers[stage.output.position], axes, restart: element.restart)
    }
  }

  /// The axes beyond those of the domain.
  private var innerAxes: [Axis] {
    switch stage.body {
    case .map, .scan, .recurrence: []
    case .reduce(let axes, _, _): axes
    case .scatter(let scatter): scatter.axes
    case .sort(let sort): [sort.axis]
    }
  }

  /// Evaluates the elements in row-major order; a scan goes along its dimension for each of the others.
  private func store<Element>(
    _ element: () -> Element, to output: UnsafeMutableBufferPointer<Element>,
    _ axes: UnsafeMutablePointer<Int>, restart: () -> Void
  ) {
    let extents = stage.domain.map(\.extent)
    guard case .scan(let dimension, _, _) = stage.body else {
      var position = 0
      Loop(axes: axes, first: 0, extents: extents).forEach {
        output[position] = element()
        position += 1
      }
      return
    }
    let strides = TensorType.contiguousStrides(extents)
    let others = extents.enumerated().map { $0 == dimension ? 1 : $1 }
    Loop(axes: axes, first: 0, extents: others).forEach {
      restart()
      let base = zip(strides, 0...).reduce(0) { $0 + $1.0 * axes[$1.1] }
      for step in 0..<extents[dimension] {
        axes[dimension] = step
        output[base + step * strides[dimension]] = element()
      }
      axes[dimension] = 0
    }
  }
}

/// Nested loops over neighbouring slots of the axes.
struct Loop {
  let axes: UnsafeMutablePointer<Int>
  let first: Int
  let extents: [Int]

  /// Calls `body` for every combination, the last axis fastest.
  func forEach(_ body: () -> Void) {
    let total = extents.reduce(1, *)
    for slot in extents.indices { axes[first + slot] = 0 }
    guard total > 0 else { return }
    guard let innermost = extents.last else { return body() }
    let last = first + extents.count - 1
    for _ in 0..<(total / innermost) {
      for value in 0..<innermost {
        axes[last] = value
        body()
      }
      advance()
    }
  }

  /// Steps the axes but the last.
  private func advance() {
    axes[first + extents.count - 1] = 0
    for slot in extents.indices.dropLast().reversed() {
      axes[first + slot] += 1
      if axes[first + slot] < extents[slot] { return }
      axes[first + slot] = 0
    }
  }
}
