import KernelSpec
import TensorProgram

/// The reference's loop over the steps of a recurrence: the stages of a step, called by the entry for one step after
/// the other with the slices of that step.
struct ReferenceRecurrence {
  private let recurrence: Recurrence
  private let output: BufferID
  private let outer: ReferenceLayout
  private let layout: ReferenceLayout

  /// - Returns: `nil` when the stage at `position` is no recurrence.
  init?(position: Int, _ outer: ReferenceLayout) {
    let stage = outer.program.stages[position]
    guard let recurrence = stage.recurrence else { return nil }
    self.recurrence = recurrence
    self.outer = outer
    output = stage.output
    layout = ReferenceLayout(stepOf: recurrence, in: outer)
  }

  private var body: TensorProgram { recurrence.body }

  /// The stages of one step.
  private var stages: [ReferenceStage] {
    // Of what the step reads, only the caller's tensors are in memory in their own types; all that it makes goes on.
    var program = body
    program.inputs = zip(recurrence.constantInputs, recurrence.constants)
      .filter { outer.program.inputs.contains($0.1) }.map(\.0)
    program.outputs = []
    return program.stages.indices.map {
      ReferenceStage(position: $0, program: program, layout: layout)
    }
  }

  /// The statements of the entry that run the loop.
  func statements(_ functions: inout ReferenceFunctions) -> [String] {
    let order = recurrence.isReversed ? "\(recurrence.steps - 1) - k" : "k"
    let zeros = recurrence.stateType.elementCount * 4
    let count = body.buffers.count
    let calls = stages.flatMap { stage in
      functions.call(
        stage, values: { "value[\($0.position)]" }, errors: { "error[\($0.position)]" })
    }
    return [
      "{ void *value[\(count)]; float *error[\(count)];", "memset(\(layout.zeros), 0, \(zeros));",
    ] + fixedBuffers
      + [
        "for (int64_t k = 0; k < \(recurrence.steps); k++) {", "const int64_t t = \(order);",
      ] + buffersOfStep + calls + ["} }"]
  }

  private var fixedBuffers: [String] {
    let constants = zip(recurrence.constantInputs, recurrence.constants).map { input, buffer in
      bind(input, outer.address(of: buffer), error: outer.addressOfErrors(of: buffer))
    }
    let external = Set(body.inputs + body.outputs)
    let between = body.buffers.indices.map(BufferID.init).filter { !external.contains($0) }
    return constants
      + between.map { bind($0, layout.address(of: $0), error: layout.addressOfErrors(of: $0)) }
  }

  private var buffersOfStep: [String] {
    let last = recurrence.isReversed ? "t + 1" : "t - 1"
    let states = zip(recurrence.stateInputs, recurrence.initial).enumerated().map {
      part, binding in
      let (input, initial) = binding
      let errors = outer.exact.contains(initial) ? layout.zeros : outer.addressOfErrors(of: initial)
      let place = state(part, at: last)
      return bind(
        input, "k ? \(value(output, place)) : (void *)(\(outer.address(of: initial)))",
        error: "k ? \(error(output, place)) : \(errors)")
    }
    let slices = zip(recurrence.sequenceInputs, recurrence.sequences).map { input, buffer in
      let place = "t * \(body[input].type.elementCount)"
      return bind(
        input, value(buffer, place),
        error: outer.exact.contains(buffer) ? "0" : error(buffer, place))
    }
    let outputs = body.outputs.enumerated().map { part, made in
      let place = state(part, at: "t")
      return bind(made, value(output, place), error: error(output, place))
    }
    return states + slices + outputs
  }

  private func state(_ part: Int, at step: String) -> String {
    "(\(part * recurrence.steps) + \(step)) * \(recurrence.stateType.elementCount)"
  }

  private func bind(_ inner: BufferID, _ address: String, error: String) -> String {
    "value[\(inner.position)] = \(address); error[\(inner.position)] = \(error);"
  }

  /// What lies outside is in memory as 64-bit values: it is no input of the program.
  private func value(_ buffer: BufferID, _ place: String) -> String {
    "(void *)((double *)(\(outer.address(of: buffer))) + \(place))"
  }

  private func error(_ buffer: BufferID, _ place: String) -> String {
    "(float *)\(outer.addressOfErrors(of: buffer)) + \(place)"
  }
}
