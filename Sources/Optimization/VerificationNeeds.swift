import Evaluation
import KernelSpec
import TensorProgram

/// What verifying kernels of a plan takes: memory and time, from the sizes of its tensors and its work.
struct VerificationNeeds {
  /// Bytes of all inputs; elements and bytes of all outputs.
  private let inputs: Int
  private let elements: Int
  private let outputs: Int
  /// Bytes of what lies between, in the reference and in a kernel.
  private let referenceWorkspace: Int
  private let workspace: Int
  private let work: Work

  init(_ plan: KernelPlan) {
    let program = plan.program
    inputs = program.inputs.reduce(0) { $0 + program[$1].type.storageBytes }
    elements = program.outputs.reduce(0) { $0 + program[$1].type.elementCount }
    outputs = program.outputs.reduce(0) { $0 + program[$1].type.storageBytes }
    referenceWorkspace = plan.reference.interface.workspaceBytes
    let external = Set(program.inputs + program.outputs)
    let fused = plan.fused
    let kept = fused.kernels.reduce(into: external) { $0.formUnion($1.locals) }
    let between = fused.program.stages.reduce(0) {
      kept.contains($1.output) ? $0 : $0 + fused.program[$1.output].type.storageBytes
    }
    // Packed factors and images lie beside the tensors; another schedule may share less memory between these.
    workspace = max(between, plan.workspaceBytes)
    work = plan.work
  }

  /// What is in memory at once when `cases` are made by `processes`, by default as many, and a kernel is then run on
  /// them, in as many processes as `runs`.
  func publicationBytes(cases: Int, processes: Int? = nil, runs: Int = 1) -> Int {
    let one = inputs + elements * boundedElementBytes
    let making = one + elements * boundedElementBytes + referenceWorkspace
    let running = runs * (inputs + 3 * outputs + workspace)
    return cases * (one + outputs) + max(min(cases, processes ?? cases) * making, running)
  }

  /// The most cases at a time, up to `most`, that need no more than `bytes`; at least one.
  func cases(upTo most: Int, within bytes: Int) -> Int {
    (1...max(1, most)).last { publicationBytes(cases: $0) <= bytes } ?? 1
  }

  /// What a search needs that judges `batch` candidates at once, beside the incumbent.
  func searchBytes(batch: Int, cases: Int) -> Int {
    max(
      publicationBytes(cases: cases),
      cases * (inputs + elements * boundedElementBytes)
        + (batch + 2) * (inputs + 2 * outputs + workspace))
  }

  /// For processes that run kernels. A plain loop does a hundred million operations a second at least.
  var limits: RunnerLimits {
    let seconds = 10 + Int((work.floatingPointOperations + work.bytes) / 1e8)
    return RunnerLimits(time: .seconds(seconds), processorSeconds: 300 + 32 * seconds)
  }

  /// For processes that run the reference, which carries errors along.
  var referenceLimits: RunnerLimits {
    let seconds = 60 + Int((work.floatingPointOperations + work.bytes) / 2e7)
    return RunnerLimits(
      time: .seconds(seconds), processorSeconds: 300 + 8 * seconds, usesLargePages: true)
  }
}

/// Of an element with its possible error: eight and four bytes.
private let boundedElementBytes = 12
