import KernelSpec

/// The most memory that the locals of one iteration may need: they should stay in a level-2 cache.
private let largestLocalBytes = 256 << 10
/// The fewest parallel iterations for which a kernel gives up some of its outer axes to take in a stage.
private let fewestParallelIterations = 16
/// The most elements for which parallel iterations do not matter.
private let smallIterationCount = 1 << 15

/// Groups the stages of a program into kernels, in order, each stage into the latest kernel that it reads from.
struct KernelGrouping {
  private var program: TensorProgram
  private var kernels: [FusedKernel] = []
  /// The kernel that writes each buffer.
  private var writer: [BufferID: Int] = [:]

  init(program: TensorProgram) { self.program = program }

  mutating func fusedProgram() -> FusedProgram {
    for stage in program.stages.withSmallOnesFirst(inputs: program.inputs) { place(stage) }
    let readers = readersByBuffer()
    for position in kernels.indices {
      kernels[position].locals = locals(ofKernel: position, readers: readers)
    }
    program.stages = kernels.flatMap(\.stages)
    return FusedProgram(program: program, kernels: kernels)
  }

  private mutating func place(_ stage: Stage) {
    let latest = stage.loads.compactMap { writer[$0.buffer] }.max()
    if let latest, let joined = joining(stage, to: kernels[latest]) {
      kernels[latest] = joined
      writer[stage.output] = latest
    } else {
      writer[stage.output] = kernels.count
      kernels.append(FusedKernel(outer: parallelAxes(of: stage), stages: [stage], locals: []))
    }
  }

  /// The axes over which the stage's elements are independent of each other.
  private func parallelAxes(of stage: Stage) -> [Axis] {
    switch stage.body {
    case .scan(let dimension, _, _): Array(stage.domain[..<dimension])
    case .scatter, .recurrence: []
    case .sort(let sort): Array(stage.domain[..<sort.dimension])
    case .map, .reduce: stage.domain
    }
  }

  /// The kernel with the stage added, over as many shared axes as possible; `nil` if that does not pay.
  private func joining(_ stage: Stage, to kernel: FusedKernel) -> FusedKernel? {
    if stage.isOrdered || kernel.stages.contains(where: \.isOrdered) { return nil }
    let available = parallelAxes(of: stage)
    let most = min(kernel.outer.count, available.count)
    for count in stride(from: most, through: 0, by: -1) {
      let outer = Array(kernel.outer[..<count])
      guard zip(outer, available).allSatisfy({ $0.extent == $1.extent }) else { continue }
      let renamed = stage.renamingAxes(Array(available[..<count]), to: outer)
      let candidate = FusedKernel(outer: outer, stages: kernel.stages + [renamed], locals: [])
      guard sharesOnlyOwnIteration(candidate) else { continue }
      return pays(candidate, insteadOf: kernel) ? candidate : nil
    }
    return nil
  }

  /// Whether every stage reads what others of the kernel wrote only from the same iteration of `outer`.
  private func sharesOnlyOwnIteration(_ kernel: FusedKernel) -> Bool {
    let own = Set(kernel.stages.map(\.output))
    let identity = kernel.outer.map { AffineIndex(.axis($0)).index }
    return kernel.stages.allSatisfy { stage in
      stage.loads.allSatisfy { load in
        !own.contains(load.buffer)
          || (load.indexes.count >= identity.count
            && load.indexes.prefix(identity.count).map(\.simplified) == identity)
      }
    }
  }

  private func pays(_ candidate: FusedKernel, insteadOf kernel: FusedKernel) -> Bool {
    guard let added = candidate.stages.last else { return false }
    let keepsAxes = candidate.outer == kernel.outer
    if kernel.stages.contains(where: \.isContraction) {
      return keepsAxes && added.domain == candidate.outer && added.reductionAxes.isEmpty
    }
    if added.isContraction { return false }
    if keepsAxes && added.domain.count == candidate.outer.count { return true }
    let iterations = candidate.outer.reduce(1) { $0 * $1.extent }
    let work = candidate.stages.map(\.iterationCount).max() ?? 0
    guard iterations >= fewestParallelIterations || work <= smallIterationCount else {
      return false
    }
    return localBytes(of: candidate) <= largestLocalBytes
  }

  private func localBytes(of kernel: FusedKernel) -> Int {
    kernel.stages.reduce(0) { total, stage in
      let elements = stage.domain[kernel.outer.count...].reduce(1) { $0 * $1.extent }
      return total + elements * program[stage.output].type.dtype.sizeBytes
    }
  }

  private func readersByBuffer() -> [BufferID: Set<Int>] {
    var readers: [BufferID: Set<Int>] = [:]
    for (position, kernel) in kernels.enumerated() {
      for load in kernel.stages.flatMap(\.loads) {
        readers[load.buffer, default: []].insert(position)
      }
    }
    return readers
  }

  private func locals(ofKernel position: Int, readers: [BufferID: Set<Int>]) -> Set<BufferID> {
    let outputs = Set(program.outputs)
    let own = kernels[position].stages.map(\.output)
    return Set(own.filter { !outputs.contains($0) && readers[$0] == [position] })
  }
}

extension [Stage] {
  /// The stages in an order in which small ones that depend on inputs alone, such as the deviations of a batch norm,
  /// come first: whatever reads one of them and a product too then joins the product's kernel, the later one.
  fileprivate func withSmallOnesFirst(inputs: [BufferID]) -> [Stage] {
    var known = Set(inputs)
    var (first, rest): ([Stage], [Stage]) = ([], [])
    for stage in self {
      if case .map = stage.body, stage.iterationCount <= smallIterationCount,
        stage.loads.allSatisfy({ known.contains($0.buffer) })
      {
        known.insert(stage.output)
        first.append(stage)
      } else {
        rest.append(stage)
      }
    }
    return first + rest
  }
}

extension Stage {
  /// The stage with some of its axes replaced by others of the same extents.
  fileprivate func renamingAxes(_ from: [Axis], to: [Axis]) -> Stage {
    let renamed = Dictionary(uniqueKeysWithValues: zip(from, to))
    var result = mapExpression { $0.substituting(renamed.mapValues { .axis($0) }) }
    result.domain = domain.map { renamed[$0] ?? $0 }
    return result
  }
}
