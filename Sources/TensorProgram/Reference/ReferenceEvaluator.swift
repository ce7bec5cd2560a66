import KernelSpec

/// Runs a tensor program as it is written, in double precision: the executable meaning of a spec.
///
/// Floating-point values are `Double` whatever their type, and are not rounded when they are computed or
/// loaded. They are rounded where they are converted to a type that cannot hold them: by a `cast`, and by the
/// store of a stage that another stage reads (``Stage/roundsItsResult(in:)``), as PyTorch rounds the result of
/// every operator. Integers are exact and wrap at their width.
package struct ReferenceEvaluator: Sendable {
  package let program: TensorProgram

  package init(_ program: TensorProgram) { self.program = program }

  /// The outputs for `inputs`, in order. Outputs of floating-point types are not rounded to them, unless
  /// another stage reads them.
  ///
  /// - Throws: `EvaluationError` when the inputs do not fit the program, or when a position read from data
  ///   lies outside its tensor.
  package func evaluate(_ inputs: [TensorValue]) throws(EvaluationError) -> [TensorValue] {
    guard inputs.count == program.inputs.count else {
      throw EvaluationError("expected \(program.inputs.count) inputs, not \(inputs.count)")
    }
    let memory = EvaluationMemory(program.buffers)
    for (id, value) in zip(program.inputs, inputs) {
      let type = program[id].type
      guard value.dtype == type.dtype, value.shape == type.shape, memory.fill(id, value) else {
        throw EvaluationError("input \(id.position) must be \(type.dtype.rawValue)\(type.shape)")
      }
    }
    program.run(in: memory, observed: program.observedBuffers)
    if let problem = memory.problem { throw EvaluationError(problem) }
    return program.outputs.map { memory.value(of: $0, type: program[$0].type) }
  }
}

extension TensorProgram {
  /// Runs the stages one after the other, up to the first problem.
  ///
  /// - Parameter observed: the buffers whose elements have to be those that their types can hold.
  func run(in memory: EvaluationMemory, observed: Set<BufferID>) {
    for stage in stages where memory.problem == nil {
      StageEvaluation(stage, memory).run()
      if observed.contains(stage.output), stage.roundsItsResult(in: self) {
        memory.round(stage.output)
      }
    }
  }
}

/// Why a program has no value for some inputs.
package struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
  package var description: String
  init(_ description: String) { self.description = description }
}
