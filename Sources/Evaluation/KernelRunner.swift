package import KernelSpec
package import RunnerProtocol

/// Runs artifacts that nobody vouches for, each in a disposable process.
package protocol KernelRunner: Sendable {
  /// Starts a process and loads `artifact` into it.
  ///
  /// - Throws: `EvaluationError` when the machine cannot do it; `KernelLoadError` when the artifact
  ///   cannot be loaded.
  func open(_ artifact: Artifact, threads: Int, limits: RunnerLimits) async throws
    -> any KernelSession
}

/// One process with one loaded kernel. After a status other than `.finished` or `.refused` the
/// process is gone.
package protocol KernelSession: Sendable {
  /// Which protections are in force.
  var sandbox: SandboxReport { get async }
  /// Whether the process is still there.
  var isAlive: Bool { get async }
  /// Copies `inputs` in, poisons outputs and workspace, and calls the kernel once.
  func run(inputs: [[UInt8]], guards: GuardPlacement) async throws -> RunResult
  /// Calls the kernel `calls` times on the same inputs, with poisoned outputs each time.
  ///
  /// - Parameters:
  ///   - inputs: `nil` for those already loaded.
  ///   - inspects: whether the outputs of the last call are taken and the inputs looked at, which for large
  ///     ones takes longer than the calls. The kernel cannot know whether.
  func time(inputs: [[UInt8]]?, calls: Int, inspects: Bool) async throws -> TimedResult
  func close() async
}

/// The kernel's own fault: it does not load.
package struct KernelLoadError: Error, Sendable, Hashable {
  package let reason: String
}

/// What a runner's process may use.
package struct RunnerLimits: Sendable, Hashable {
  /// For one command.
  package var time: Duration
  /// Address space beyond the buffers.
  package var memoryBytes: Int
  /// Processor time of the whole process.
  package var processorSeconds: Int
  /// Large pages for the workspace. Not for a kernel that is measured: where it is used it may have none.
  package var usesLargePages: Bool

  package init(
    time: Duration = .seconds(10), memoryBytes: Int = 2 << 30, processorSeconds: Int = 300,
    usesLargePages: Bool = false
  ) {
    self.time = time
    self.memoryBytes = memoryBytes
    self.processorSeconds = processorSeconds
    self.usesLargePages = usesLargePages
  }
}

/// How a call ended.
package enum RunStatus: Sendable, Hashable {
  case finished
  /// The kernel returned a status other than `GRANARY_OK`.
  case refused(Int32)
  case died(reason: String)
  case timedOut
  /// It wrote something on the runner's channel, or outside its buffers.
  case brokeRules(reason: String)

  /// `nil` when the call finished.
  package var failure: String? {
    switch self {
    case .finished: nil
    case .refused(let status): "the kernel returned status \(status)"
    case .died(let reason): reason
    case .timedOut: "the kernel ran out of time and was killed"
    case .brokeRules(let reason): reason
    }
  }
}

/// One call.
package struct RunResult: Sendable, Hashable {
  package var status: RunStatus
  /// Empty unless the status is `.finished` or `.refused`.
  package var outputs: [[UInt8]]
  /// As the runner measured it, around the call alone.
  package var runnerNanoseconds: Double
  /// As the parent measured it, around the command.
  package var parentNanoseconds: Double
  package var inputsUnchanged: Bool
}

/// Several calls.
package struct TimedResult: Sendable, Hashable {
  package var status: RunStatus
  /// Of each call, as the runner measured them.
  package var nanoseconds: [Double]
  /// Of all calls with what lies between them, as the parent measured it.
  package var parentNanoseconds: Double
  /// Of the last call; empty unless they were inspected.
  package var outputs: [[UInt8]]
  /// Also true when they were not inspected.
  package var inputsUnchanged: Bool
  /// How long the kernel's threads were kept from running by other work; `nil` where the system does not say.
  package var waitedNanoseconds: Double?
}
