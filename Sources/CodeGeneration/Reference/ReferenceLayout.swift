import KernelSpec
import TensorProgram

/// Where the reference keeps intermediate buffers and their errors, eight bytes a value and four an error. Buffers
/// that are not needed at once share memory.
struct ReferenceLayout {
  let program: TensorProgram
  /// The buffers whose elements every right evaluation gives to the last bit. They have no errors.
  let exact: Set<BufferID>
  /// The buffers that a stage reads.
  let observed: Set<BufferID>
  private var offsets: [BufferID: Int] = [:]
  private var offsetsOfErrors: [BufferID: Int] = [:]
  private(set) var workspaceBytes = 0
  /// Where the memory of the steps of recurrences begins; they follow each other, and share it.
  private var stepStart = 0
  /// Errors of a part of a recurrence's state that has none, in its steps' memory.
  private(set) var zeros = "0"

  init(_ program: TensorProgram) {
    self.init(program, exact: Set(program.inputs), observed: program.observedBuffers)
    stepStart = workspaceBytes
    let steps = program.stages.compactMap(\.recurrence).map {
      ReferenceLayout(stepOf: $0, in: self).workspaceBytes
    }
    workspaceBytes = steps.reduce(workspaceBytes, max)
  }

  /// The layout of what one step of a recurrence makes, behind all that `outer` has. The next step reads what it
  /// gives.
  init(stepOf recurrence: Recurrence, in outer: ReferenceLayout) {
    let body = recurrence.body
    let inputs = recurrence.sequenceInputs + recurrence.constantInputs
    let bound = recurrence.sequences + recurrence.constants
    let exact = zip(inputs, bound).filter { outer.exact.contains($0.1) }.map(\.0)
    self.init(
      body, exact: Set(exact), inexact: Set(body.outputs),
      observed: body.observedBuffers.union(body.outputs), from: outer.stepStart)
    zeros = "(float *)(memory + \(workspaceBytes))"
    workspaceBytes += recurrence.stateType.elementCount * 4
  }

  private init(
    _ program: TensorProgram, exact inputs: Set<BufferID>, inexact: Set<BufferID> = [],
    observed: Set<BufferID>, from start: Int = 0
  ) {
    self.program = program
    self.observed = observed
    workspaceBytes = start
    var exact = inputs
    for stage in program.stages
    where !inexact.contains(stage.output)
      && ReferencePrinter(program: program, exact: exact).isExact(stage)
    {
      exact.insert(stage.output)
    }
    self.exact = exact
    place(from: start)
  }

  private mutating func place(from start: Int) {
    let external = Set(program.inputs + program.outputs)
    var last: [BufferID: Int] = [:]
    for (position, stage) in program.stages.enumerated() {
      for (buffer, _) in stage.loads { last[buffer] = position }
    }
    var living: [(memory: Range<Int>, last: Int)] = []
    for (position, stage) in program.stages.enumerated() where !external.contains(stage.output) {
      living.removeAll { $0.last < position }
      let count = program[stage.output].type.elementCount
      let values = (count * 8 + 63) / 64 * 64
      let size = values + (exact.contains(stage.output) ? 0 : (count * 4 + 63) / 64 * 64)
      var offset = start
      for other in living.map(\.memory).sorted(by: { $0.lowerBound < $1.lowerBound })
      where offset + size > other.lowerBound {
        offset = max(offset, other.upperBound)
      }
      living.append((offset..<offset + size, last[stage.output] ?? position))
      offsets[stage.output] = offset
      if !exact.contains(stage.output) { offsetsOfErrors[stage.output] = offset + values }
      workspaceBytes = max(workspaceBytes, offset + size)
    }
  }

  func address(of buffer: BufferID) -> String {
    if let input = program.inputs.firstIndex(of: buffer) { return "(void *)inputs[\(input)]" }
    if let output = program.outputs.firstIndex(of: buffer) { return "outputs[\(output)]" }
    return offsets[buffer].map { "memory + \($0)" } ?? "0"
  }

  func addressOfErrors(of buffer: BufferID) -> String {
    if exact.contains(buffer) { return "0" }
    if let output = program.outputs.firstIndex(of: buffer) {
      return "outputs[\(program.outputs.count + output)]"
    }
    return offsetsOfErrors[buffer].map { "(float *)(memory + \($0))" } ?? "0"
  }
}

extension TensorProgram {
  /// The program with each large intermediate map that is read once, by a stage that evaluates it no more often,
  /// computed where it is read: a loss over a billion elements would otherwise need tens of gigabytes.
  func computingLargeTemporariesInPlace() -> TensorProgram {
    var reads: [BufferID: Int] = [:]
    for load in stages.flatMap(\.loads) { reads[load.buffer, default: 0] += 1 }
    let reader = Dictionary(
      stages.flatMap { stage in stage.loads.map { ($0.buffer, stage) } },
      uniquingKeysWith: { first, _ in first })
    var inPlace: [BufferID: (domain: [Axis], value: Expression)] = [:]
    var result = self
    result.stages = []
    for stage in stages {
      let stage = stage.replacingLoads { buffer, type, indices in
        guard let (domain, value) = inPlace[buffer] else { return .load(buffer, type, indices) }
        return value.substituting(Dictionary(uniqueKeysWithValues: zip(domain, indices)))
          .cast(to: type)
      }
      let type = self[stage.output].type
      if case .map(let value) = stage.body, !outputs.contains(stage.output),
        type.elementCount >= largeTemporary, reads[stage.output] == 1,
        let reader = reader[stage.output], !reader.isOrdered,
        reader.iterationCount <= stage.iterationCount
      {
        inPlace[stage.output] = (stage.domain, value)
      } else {
        result.stages.append(stage)
      }
    }
    return result
  }
}

extension Stage {
  fileprivate func replacingLoads(_ load: (BufferID, DType, [Index]) -> Expression) -> Stage {
    var result = self
    switch body {
    case .map(let value): result.body = .map(value.mapped(load: load))
    case .reduce(let axes, let combiner, let value):
      result.body = .reduce(axes: axes, combiner: combiner, value: value.mapped(load: load))
    case .scan(let dimension, let combiner, let value):
      result.body = .scan(
        dimension: dimension, combiner: combiner, value: value.mapped(load: load))
    case .scatter, .sort, .recurrence: break
    }
    return result
  }
}

/// In elements.
private let largeTemporary = 1 << 22
