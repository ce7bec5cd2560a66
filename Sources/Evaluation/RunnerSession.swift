import CLinux
import Glibc
import KernelSpec
package import RunnerProtocol

/// The parent's side of one runner process.
///
/// Believes nothing that the process says beyond the bytes of the outputs: those it poisons itself
/// before the call and reads as soon as the reply is there. The workspace is the process's own.
package actor RunnerSession: KernelSession {
  package private(set) var sandbox = SandboxReport()
  private let executor = ThreadExecutor()
  private let setup: RunnerSetup
  private let limits: RunnerLimits
  private let confinement: Confinement
  private let inputs: SharedMemory
  private let outputs: SharedMemory
  private var loaded: [[UInt8]] = []
  private var placement = GuardPlacement.end
  private var process: ChildProcess?
  private var waits: ThreadWaits?
  private var channel: Int32 = -1
  private var sequence = 0
  /// Lives as long as the process that writes to it.
  private let scratch: PrivateDirectory?

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    executor.asUnownedSerialExecutor()
  }

  init(
    setup: RunnerSetup, limits: RunnerLimits, confinement: Confinement,
    scratch: PrivateDirectory? = nil
  ) throws(EvaluationError) {
    self.confinement = confinement
    self.scratch = scratch
    self.setup = setup
    self.limits = limits
    inputs = try SharedMemory(name: "granary-inputs", size: setup.inputs.totalBytes)
    outputs = try SharedMemory(name: "granary-outputs", size: setup.outputs.totalBytes)
  }

  deinit {
    if channel >= 0 { Glibc.close(channel) }
  }

  /// Starts the process and has it load `artifact`.
  func start(executable: String, artifact: [UInt8], environment: [String] = []) throws {
    var pair: [Int32] = [-1, -1]
    guard granary_channel(&pair) == 0 else {
      throw EvaluationError(.systemRefused, "no socket pair")
    }
    channel = pair[0]
    process = ChildProcess(
      arguments: [executable], environment: environment, descriptors: [pair[1], -1, -1],
      limits: processLimits, confinement: confinement, writable: scratch?.path,
      restrictsFiles: false)
    Glibc.close(pair[1])
    guard process != nil else {
      throw EvaluationError(.runnerMissing, "cannot start \(executable)")
    }
    try sendSetup(artifact)
    try receiveGreeting()
  }

  private var processLimits: granary_limits {
    let buffers = setup.inputs.totalBytes + setup.outputs.totalBytes + setup.workspace.totalBytes
    return granary_limits(
      address_space_bytes: UInt64(buffers + limits.memoryBytes),
      cpu_seconds: UInt64(limits.processorSeconds), file_bytes: scratch == nil ? 0 : 64 << 20,
      open_files: 64,
      processes: UInt64(setup.threads + 4096), stack_bytes: 8 << 20)
  }

  private func sendSetup(_ artifact: [UInt8]) throws {
    let code = granary_sealed_memory("granary-kernel", artifact, artifact.count)
    let readOnly = granary_read_only(inputs.descriptor)
    defer {
      Glibc.close(code)
      Glibc.close(readOnly)
    }
    guard code >= 0, readOnly >= 0 else {
      throw EvaluationError(.systemRefused, "no memory for the kernel's code")
    }
    var setup = setup
    setup.hasNamespaces = process?.hasNamespaces ?? false
    let message = setup.encoded()
    let passed = [code, readOnly, outputs.descriptor]
    guard granary_send(channel, message, message.count, passed, Int32(passed.count)) == 0 else {
      throw EvaluationError(.runnerMissing, "the runner does not accept its setup: \(ending())")
    }
  }

  private func receiveGreeting() throws {
    var bytes = [UInt8](repeating: 0, count: 1 << 14)
    guard granary_await(channel, -1, limits.time.signedNanoseconds) & 1 != 0 else {
      end()
      throw KernelLoadError(reason: "loading the kernel took too long")
    }
    let count = granary_receive(channel, &bytes, bytes.count, nil, nil)
    guard count > 0, let greeting = try? RunnerGreeting(decoding: Array(bytes.prefix(Int(count))))
    else {
      throw KernelLoadError(reason: "while the kernel was loaded: \(ending())")
    }
    guard greeting.failure.isEmpty else {
      end()
      throw KernelLoadError(reason: greeting.failure)
    }
    sandbox = greeting.sandbox
    if process?.hasNamespaces == true { sandbox.layers.formUnion([.namespaces, .processes]) }
    if !confinement.isKernel { sandbox.layers.insert(.readOnlyFiles) }
    waits = process.map { ThreadWaits(of: $0.identifier) }
  }

  package func run(inputs values: [[UInt8]], guards: GuardPlacement) throws -> RunResult {
    load(values, guards)
    outputs.fill(with: Poison.output)
    let reply = call(1, poisons: false, takesOutputs: true)
    return RunResult(
      status: reply.status, outputs: reply.outputs,
      runnerNanoseconds: reply.nanoseconds.first ?? 0, parentNanoseconds: reply.elapsed,
      inputsUnchanged: inputsUnchanged)
  }

  package func time(inputs values: [[UInt8]]?, calls: Int, inspects: Bool) throws -> TimedResult {
    if let values { load(values, .end) }
    if inspects { outputs.fill(with: Poison.output) }
    let bounded = max(1, min(calls, RunnerCommand.maximumCalls))
    let before = waits?.nanoseconds
    let reply = call(bounded, poisons: true, takesOutputs: inspects)
    let waited = before.flatMap { before in waits?.nanoseconds.map { Double($0 &- before) } }
    return TimedResult(
      status: reply.status, nanoseconds: reply.nanoseconds, parentNanoseconds: reply.elapsed,
      outputs: reply.outputs, inputsUnchanged: !inspects || inputsUnchanged,
      waitedNanoseconds: waited)
  }

  package var isAlive: Bool {
    guard let process else { return false }
    return granary_await(-1, process.descriptor, 0) & 2 == 0
  }

  package func close() { end() }

  private func load(_ values: [[UInt8]], _ placement: GuardPlacement) {
    self.placement = placement
    if loaded.count != values.count || setup.inputs.totalBytes <= 1 << 20 {
      // What surrounds a buffer within its pages is as wrong as a value can be.
      inputs.fill(with: Poison.output)
    }
    for (region, value) in zip(setup.inputs.regions, values) {
      inputs.write(value, at: region.range(placement).lowerBound, limit: region.count)
    }
    loaded = zip(setup.inputs.regions, values).map { region, value in
      value.count <= region.count ? value : Array(value.prefix(region.count))
    }
  }

  private var inputsUnchanged: Bool {
    zip(setup.inputs.regions, loaded).allSatisfy { region, value in
      inputs.holds(value, at: region.range(placement).lowerBound)
    }
  }

  private struct Reply {
    var status: RunStatus
    var nanoseconds: [Double] = []
    var elapsed = 0.0
    var outputs: [[UInt8]] = []
  }

  private func call(_ calls: Int, poisons: Bool, takesOutputs: Bool) -> Reply {
    guard process != nil else { return Reply(status: .died(reason: "the runner has ended")) }
    sequence += 1
    let command = RunnerCommand(
      sequence: sequence, calls: calls, placement: placement, poisons: poisons)
    let start = granary_now()
    guard granary_send(channel, command.words, command.words.count * 8, nil, 0) == 0 else {
      return Reply(status: .died(reason: ending()))
    }
    guard granary_await(channel, -1, limits.time.signedNanoseconds) & 1 != 0 else {
      end()
      return Reply(status: .timedOut)
    }
    var words = [Int](repeating: 0, count: RunnerReply.maximumWords)
    let count = words.withUnsafeMutableBytes {
      granary_receive(channel, $0.baseAddress, $0.count, nil, nil)
    }
    let elapsed = Double(granary_now() - start)
    let taken = takesOutputs ? setup.outputs.regions.map { outputs.read($0.range(placement)) } : []
    guard count == 8 * (RunnerReply.headerWords + calls), words[0] == RunnerReply.marker,
      words[1] == sequence
    else { return Reply(status: failure(words, Int(count))) }
    if let reason = ruleBroken() {
      end()
      return Reply(status: .brokeRules(reason: reason))
    }
    let status: RunStatus = words[2] == 0 ? .finished : .refused(Int32(clamping: words[2]))
    let times = words[RunnerReply.headerWords..<RunnerReply.headerWords + calls]
    return Reply(
      status: status, nanoseconds: times.map { Double(max(0, $0)) }, elapsed: elapsed,
      outputs: taken)
  }

  /// A reply that is there before it was asked for was not written by the runner's own code; bytes
  /// next to an output that lost their poison were written by the kernel.
  private func ruleBroken() -> String? {
    if granary_await(channel, -1, 0) & 1 != 0 { return "the kernel wrote to the runner's channel" }
    for (index, region) in setup.outputs.regions.enumerated() {
      let inside = region.range(placement)
      let before = region.pages.lowerBound..<inside.lowerBound
      let behind = inside.upperBound..<region.pages.upperBound
      guard outputs.holdsOnly(Poison.output, in: before),
        outputs.holdsOnly(Poison.output, in: behind)
      else { return "the kernel wrote outside output \(index)" }
    }
    return nil
  }

  private func failure(_ words: [Int], _ count: Int) -> RunStatus {
    if count <= 0 { return .died(reason: ending()) }
    let crash = words.withUnsafeBytes { $0.loadUnaligned(as: granary_crash.self) }
    guard count == MemoryLayout<granary_crash>.size, crash.magic == UInt32(GRANARY_CRASH_MAGIC)
    else {
      end()
      return .brokeRules(reason: "the kernel wrote to the runner's channel")
    }
    end()
    return .died(reason: CrashDescription.text(crash))
  }

  /// Ends the process and says how it ended.
  private func ending() -> String {
    guard let process else { return "the runner has ended" }
    // The channel closes a moment before the process can be waited for.
    _ = granary_await(-1, process.descriptor, 1_000_000_000)
    let status = process.end()
    self.process = nil
    return CrashDescription.ending(status)
  }

  private func end() {
    process?.end()
    process = nil
  }
}

extension Duration {
  var signedNanoseconds: Int64 { Int64(clamping: wholeNanoseconds) }
}
