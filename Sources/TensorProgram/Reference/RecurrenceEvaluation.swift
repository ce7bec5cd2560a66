/// One run of a recurrence, step by step, in memory of its own for the buffers of a step.
struct RecurrenceEvaluation {
  private let recurrence: Recurrence
  private let output: BufferID
  private let outer: EvaluationMemory
  private let inner: EvaluationMemory

  init(_ recurrence: Recurrence, to output: BufferID, _ memory: EvaluationMemory) {
    self.recurrence = recurrence
    self.output = output
    outer = memory
    inner = EvaluationMemory(recurrence.body.buffers)
  }

  func run() {
    let body = recurrence.body
    // A step reads what the one before has stored.
    let observed = body.observedBuffers.union(body.outputs)
    for (input, buffer) in zip(recurrence.constantInputs, recurrence.constants) {
      copy(buffer, to: input)
    }
    for (input, buffer) in zip(recurrence.stateInputs, recurrence.initial) {
      copy(buffer, to: input)
    }
    for count in 0..<recurrence.steps {
      let step = recurrence.isReversed ? recurrence.steps - 1 - count : count
      for (input, buffer) in zip(recurrence.sequenceInputs, recurrence.sequences) {
        copy(buffer, slice: step, to: input)
      }
      body.run(in: inner, observed: observed)
      for (part, state) in body.outputs.enumerated() { keep(state, part: part, step: step) }
      outer.problem = outer.problem ?? inner.problem
    }
  }

  /// Copies a slice of a buffer outside to one of a step.
  private func copy(_ buffer: BufferID, slice: Int = 0, to input: BufferID) {
    let (reals, integers) = (inner.reals[input.position], inner.integers[input.position])
    for index in reals.indices {
      reals[index] = outer.reals[buffer.position][slice * reals.count + index]
    }
    for index in integers.indices {
      integers[index] = outer.integers[buffer.position][slice * integers.count + index]
    }
  }

  /// Stores a part of the state and makes it that of the next step.
  private func keep(_ state: BufferID, part: Int, step: Int) {
    let input = recurrence.body.inputs[part].position
    let place = part * recurrence.steps + step
    let (reals, integers) = (inner.reals[state.position], inner.integers[state.position])
    for index in reals.indices {
      outer.reals[output.position][place * reals.count + index] = reals[index]
      inner.reals[input][index] = reals[index]
    }
    for index in integers.indices {
      outer.integers[output.position][place * integers.count + index] = integers[index]
      inner.integers[input][index] = integers[index]
    }
  }
}
