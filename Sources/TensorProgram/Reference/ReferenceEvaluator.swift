import KernelSpec

/// Runs a tensor program as it is written, in double precision: the executable meaning of a spec.
///
/// Floating-point values are `Double` whatever their type, and are not rounded when they are computed,
/// loaded or stored. The one exception is an explicit `cast` to a floating-point type that cannot hold
/// every value of its operand's type: it rounds, because a spec asked for it (`_to_copy`, or mixed operands).
/// Arithmetic on 16-bit types is written by lowering as arithmetic on `f32`, with the narrowing left to the
/// store, so it does not round. Integers are exact and wrap at their width.
package struct ReferenceEvaluator: Sendable {
  package let program: TensorProgram

  package init(_ program: TensorProgram) { self.program = program }

  /// The outputs for `inputs`, in order. Outputs of floating-point types are not rounded to them.
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
    for stage in program.stages {
      StageEvaluation(stage, memory).run()
      if let problem = memory.problem { throw EvaluationError(problem) }
    }
    return program.outputs.map { memory.value(of: $0, type: program[$0].type) }
  }
}

/// Why a program has no value for some inputs.
package struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
  package var description: String
  init(_ description: String) { self.description = description }
}
