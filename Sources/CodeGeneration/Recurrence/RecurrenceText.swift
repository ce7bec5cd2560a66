import KernelSpec
import TensorProgram

/// A loop over steps as C text: the functions of the kernels of a step, and one that calls them with the buffers of
/// each step.
///
/// What a kernel prepares from buffers that no step changes, such as a packed weight, it prepares once.
struct RecurrenceText {
  let plan: RecurrencePlan
  let kernels: [KernelText]
  /// Where the buffers between the kernels of a step lie.
  private let workspace: WorkspacePlan

  init(plan: RecurrencePlan, kernels: [KernelText]) {
    self.plan = plan
    self.kernels = kernels
    workspace = WorkspacePlan(plan.fused)
  }

  private var program: TensorProgram { plan.fused.program }
  private var recurrence: Recurrence { plan.recurrence }

  var kernelText: KernelText {
    let function = "\(plan.name)_steps"
    return KernelText(
      functions: (kernels.map(\.functions) + [text(function)]).joined(separator: "\n"),
      phases: [KernelText.Phase(function: function, blocks: 1, isLoop: true)],
      sharedBytes: sharedStarts.last ?? workspace.totalBytes,
      threadBytes: kernels.map(\.threadBytes).max() ?? 0,
      library: kernels.reduce(into: []) { $0.formUnion($1.library) },
      bufferCount: program.buffers.count)
  }

  /// Where the memory that the phases of each kernel share begins, and the end of the last. What is prepared once
  /// has to last, so that no two kernels have it in common.
  private var sharedStarts: [Int] {
    kernels.reduce(into: [workspace.totalBytes]) { starts, kernel in
      starts.append(starts[starts.count - 1] + roundUp(kernel.sharedBytes, to: 64))
    }
  }

  private func text(_ function: String) -> String {
    let calls = zip(kernels, sharedStarts).map { kernel, start in
      { (isPreparation: Bool) -> [String] in
        let phases = kernel.phases.filter { $0.isPreparation == isPreparation }
        return phases.isEmpty
          ? [] : ["step.shared = call->shared + \(start);"] + phases.map { $0.call("&step") }
      }
    }
    let order = recurrence.isReversed ? "\(recurrence.steps - 1) - k" : "k"
    let body =
      [
        "granary_call step;", "step.scratch = call->scratch;", "step.outOfRange = 0;",
        "(void)context;",
      ] + fixedBuffers + calls.flatMap { $0(true) }
      + [
        "for (int64_t k = 0; k < \(recurrence.steps); k++) {",
        "const int64_t t = \(order);",
      ] + buffersOfStep + calls.flatMap { $0(false) } + ["}"]
    return """
      static void \(function)(const granary_context *context, granary_call *call) {
      \(lines(2, body))
      }

      """
  }

  // MARK: - Buffers

  private var fixedBuffers: [String] {
    let constants = zip(recurrence.constantInputs, recurrence.constants).map { input, buffer in
      "step.buffer[\(input.position)] = call->buffer[\(buffer.position)];"
    }
    let between = workspace.offsets.sorted { $0.key.position < $1.key.position }.map {
      "step.buffer[\($0.key.position)] = call->shared + \($0.value);"
    }
    return constants + between
  }

  private var buffersOfStep: [String] {
    let last = recurrence.isReversed ? "t + 1" : "t - 1"
    let states = zip(recurrence.stateInputs, recurrence.initial).enumerated().map {
      part, binding in
      "step.buffer[\(binding.0.position)] = k ? \(state(part, at: last)) "
        + ": call->buffer[\(binding.1.position)];"
    }
    let slices = zip(recurrence.sequenceInputs, recurrence.sequences).map { input, buffer in
      "step.buffer[\(input.position)] = "
        + "\(slice(of: buffer, at: "t", bytes: recurrence.body[input].type.storageBytes));"
    }
    let outputs = program.outputs.enumerated().map { part, output in
      "step.buffer[\(output.position)] = \(state(part, at: "t"));"
    }
    return states + slices + outputs
  }

  private func state(_ part: Int, at step: String) -> String {
    slice(
      of: plan.output, at: "(\(part * recurrence.steps) + \(step))",
      bytes: recurrence.stateType.storageBytes)
  }

  private func slice(of buffer: BufferID, at position: String, bytes: Int) -> String {
    "(void *)((unsigned char *)call->buffer[\(buffer.position)] + \(position) * \(bytes)L)"
  }
}
