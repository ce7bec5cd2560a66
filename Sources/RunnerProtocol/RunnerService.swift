import CKernelHost
import CLinux
import Glibc

/// The life of a runner process: it is told what to load, shuts itself in, loads it, and calls it
/// on command until the other side of its channel is gone.
///
/// Nothing but the setup decides what it does.
package struct RunnerService {
  /// The channel is standard input.
  package static let channel: Int32 = 0
  private static let setupBytes = 1 << 16

  private let kernel: any LoadedKernel
  private let buffers: KernelBuffers

  /// Serves until the parent is gone.
  ///
  /// - Returns: the exit status of the process.
  package static func run() -> Int32 {
    granary_preallocate()
    var sandbox = SandboxReport(layers: .resourceLimits)
    do {
      let service = try RunnerService(sandbox: &sandbox)
      guard service.greet(failure: "", sandbox) else { return 1 }
      return service.serve()
    } catch let failure as RunnerFailure {
      Self.send(RunnerGreeting(failure: failure.message, sandbox: sandbox).encoded())
    } catch {
      Self.send(RunnerGreeting(failure: "malformed setup", sandbox: sandbox).encoded())
    }
    return 1
  }

  private init(sandbox: inout SandboxReport) throws {
    let (setup, memories) = try Self.receiveSetup()
    if granary_forgo_privileges() == 0 { sandbox.layers.insert(.noPrivileges) }
    if setup.hasNamespaces || granary_leave_namespaces() == 0 { sandbox.layers.insert(.namespaces) }
    buffers = KernelBuffers(
      inputs: try GuardedBuffers(layout: setup.inputs, memory: memories[1], writable: false),
      outputs: try GuardedBuffers(layout: setup.outputs, memory: memories[2], writable: true),
      workspace: try GuardedBuffers(
        layout: setup.workspace, inLargePages: setup.usesLargePages))
    Self.reportCrashes(in: buffers)
    switch setup.kind {
    case .sharedObject:
      kernel = try Self.loadSharedObject(setup, memories[0], buffers, &sandbox)
    case .openCL:
      kernel = try Self.buildForDevice(setup, memories[0], buffers, &sandbox)
    }
  }

  /// Returns the setup and the memories: artifact, inputs, outputs.
  private static func receiveSetup() throws -> (RunnerSetup, [Int32]) {
    var bytes = [UInt8](repeating: 0, count: setupBytes)
    var memories = [Int32](repeating: -1, count: Int(GRANARY_MAXIMUM_PASSED_DESCRIPTORS))
    var memoryCount: Int32 = 0
    let count = granary_receive(channel, &bytes, bytes.count, &memories, &memoryCount)
    guard count > 0, memoryCount == 3 else { throw RunnerFailure("no setup arrived") }
    return (try RunnerSetup(decoding: Array(bytes.prefix(Int(count)))), memories)
  }

  private static func reportCrashes(in buffers: KernelBuffers) {
    let regions =
      buffers.inputs.regions(kind: 0) + buffers.outputs.regions(kind: 1)
      + buffers.workspace.regions(kind: 2)
    // The handler reads the table for as long as the process lives.
    let table = UnsafeMutableBufferPointer<granary_region>.allocate(capacity: regions.count)
    _ = table.initialize(from: regions)
    _ = granary_report_crashes(channel, table.baseAddress, table.count)
  }

  /// Starts the threads, gives up files, and only then loads: a constructor in the shared object
  /// runs with no access to anything. After loading, memory cannot be mapped or made writable any
  /// more either.
  private static func loadSharedObject(
    _ setup: RunnerSetup, _ memory: Int32, _ buffers: KernelBuffers, _ sandbox: inout SandboxReport
  ) throws(RunnerFailure) -> SharedObjectKernel {
    let landlock = granary_restrict_files(0, nil)
    if landlock > 0 {
      sandbox.layers.insert(.files)
      sandbox.landlockVersion = Int(landlock)
    }
    guard let pool = granary_pool_create(Int32(clamping: setup.threads)) else {
      throw RunnerFailure("cannot start \(setup.threads) threads")
    }
    // The scheduler may keep threads that run for microseconds on one core for seconds (seen on a virtual machine
    // whose cores share no cache as far as it knows). Where there are too few cores it has to choose.
    // One thread waits for no other, and two processes of one each would have to share a processor.
    if setup.threads > 1 { _ = granary_pool_pin(pool) }
    // A thread makes system calls as it starts, and one that rests has started.
    granary_pool_rest(pool)
    let filtered = granary_filter_for_loading(channel) == 0
    let kernel = try SharedObjectKernel(
      memory: memory, entryPoint: setup.entryPoint, pool: pool, buffers: buffers)
    if filtered, granary_filter_for_running(channel) == 0 { sandbox.layers.insert(.systemCalls) }
    return kernel
  }

  /// A driver compiles, links and starts threads, so it keeps what that needs: files may be read,
  /// and changed in the scratch directory alone.
  private static func buildForDevice(
    _ setup: RunnerSetup, _ memory: Int32, _ buffers: KernelBuffers, _ sandbox: inout SandboxReport
  ) throws(RunnerFailure) -> DeviceKernel {
    let landlock = granary_restrict_files(1, setup.scratchDirectory)
    if landlock > 0 {
      sandbox.layers.insert(.fileChanges)
      sandbox.landlockVersion = Int(landlock)
    }
    if granary_filter_for_drivers() == 0 { sandbox.layers.insert(.driverSystemCalls) }
    return try DeviceKernel(memory: memory, setup: setup, buffers: buffers)
  }

  private func greet(failure: String, _ sandbox: SandboxReport) -> Bool {
    Self.send(RunnerGreeting(failure: failure, sandbox: sandbox).encoded())
  }

  @discardableResult
  private static func send(_ bytes: [UInt8]) -> Bool {
    granary_send(channel, bytes, bytes.count, nil, 0) == 0
  }

  /// Allocates nothing once the first command is awaited: the system would refuse to give memory.
  private func serve() -> Int32 {
    let words = RunnerCommand.wordCount
    let request = UnsafeMutablePointer<Int>.allocate(capacity: words)
    let reply = UnsafeMutablePointer<Int>.allocate(capacity: RunnerReply.maximumWords)
    while true {
      let count = granary_receive(Self.channel, request, words * 8, nil, nil)
      guard count == words * 8,
        let command = RunnerCommand(words: .init(start: request, count: words)), command.calls > 0
      else { return count == 0 ? 0 : 1 }
      reply[0] = RunnerReply.marker
      reply[1] = command.sequence
      let status = execute(command, times: reply + RunnerReply.headerWords)
      reply[2] = Int(status)
      let length = 8 * (RunnerReply.headerWords + command.calls)
      guard granary_send(Self.channel, reply, length, nil, 0) == 0 else { return 1 }
    }
  }

  /// - Returns: the first status that is not 0, or 0.
  private func execute(_ command: RunnerCommand, times: UnsafeMutablePointer<Int>) -> Int32 {
    var result: Int32 = 0
    for call in 0..<command.calls {
      prepare(command, call: call)
      let start = granary_now()
      let status = kernel.call(command.placement)
      times[call] = Int(granary_now() - start)
      if result == 0 { result = status }
    }
    kernel.rest()
    return result
  }

  private func prepare(_ command: RunnerCommand, call: Int) {
    if command.poisons { buffers.outputs.poison(command.placement, with: Poison.output) }
    buffers.workspace.poison(
      command.placement, with: Poison.workspace(call: command.sequence &+ call))
    granary_scrub_stack()
  }
}
