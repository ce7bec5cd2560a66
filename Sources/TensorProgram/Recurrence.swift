package import KernelSpec

/// A loop over steps, each of which makes the next state of several parts from the last: a recurrent network.
///
/// The output has the shape `[parts, steps, …state]`; its elements `[p, t]` are what the program of a step gives as
/// its output `p` at step `t`. That program has inputs for, in this order,
/// - each part of the state that the step before made; at the first step, one of ``initial``;
/// - the slice `[t]` of each of ``sequences``;
/// - each of ``constants`` as a whole.
///
/// The buffers outside lie in memory as the inputs do that they are bound to: initial states and sequences are
/// contiguous and no inputs of the program, constants keep their strides. All parts are of one type.
package struct Recurrence: Sendable, Hashable {
  package var steps: Int
  /// Whether the first step is the last slice.
  package var isReversed: Bool
  /// What one step computes. Its buffers and axes are its own.
  package var body: TensorProgram
  /// The state before the first step, one buffer for each part.
  package var initial: [BufferID]
  /// Buffers with a slice for each step, which is their outermost dimension.
  package var sequences: [BufferID]
  /// Buffers that every step reads.
  package var constants: [BufferID]

  package init(
    steps: Int, isReversed: Bool, body: TensorProgram, initial: [BufferID],
    sequences: [BufferID], constants: [BufferID]
  ) {
    self.steps = steps
    self.isReversed = isReversed
    self.body = body
    self.initial = initial
    self.sequences = sequences
    self.constants = constants
  }

  package var parts: Int { body.outputs.count }

  /// The type of a part of the state.
  package var stateType: TensorType { body[body.outputs[0]].type }

  /// The buffers outside that the loop reads, in the order of the inputs of the body.
  package var reads: [BufferID] { initial + sequences + constants }

  /// The inputs of the body that the last state is bound to.
  package var stateInputs: ArraySlice<BufferID> { body.inputs[..<initial.count] }

  /// The inputs of the body that slices are bound to.
  package var sequenceInputs: ArraySlice<BufferID> {
    body.inputs[initial.count..<initial.count + sequences.count]
  }

  /// The inputs of the body that are the same at every step.
  package var constantInputs: ArraySlice<BufferID> {
    body.inputs[(initial.count + sequences.count)...]
  }

  /// The loop with the names of the buffers outside replaced.
  func renumbered(_ names: [BufferID: BufferID]) -> Recurrence {
    var result = self
    result.initial = initial.map { names[$0] ?? $0 }
    result.sequences = sequences.map { names[$0] ?? $0 }
    result.constants = constants.map { names[$0] ?? $0 }
    return result
  }
}

extension Stage {
  /// The loop over steps that the stage is, if it is one.
  package var recurrence: Recurrence? {
    if case .recurrence(let recurrence) = body { recurrence } else { nil }
  }
}
