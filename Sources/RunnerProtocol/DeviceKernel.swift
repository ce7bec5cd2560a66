import CLinux
import Glibc

/// A kernel that a device's driver builds from its text, as a list of launches.
///
/// Guards and poison work as for shared objects as long as the device uses the host's memory in
/// place, as a processor's driver does.
struct DeviceKernel: LoadedKernel {
  private let device: OpaquePointer
  /// The launches for each placement of the buffers.
  private let plans: [Plan]

  private struct Plan {
    var inputs: [(buffer: UnsafeMutableRawPointer, size: Int)] = []
    var outputs: [(buffer: UnsafeMutableRawPointer, size: Int)] = []
    var launches: [(function: UnsafeMutableRawPointer, global: [Int], local: [Int])] = []
  }

  /// Builds the text that `memory` holds and prepares its launches.
  init(memory: Int32, setup: RunnerSetup, buffers: KernelBuffers) throws(RunnerFailure) {
    var log = [CChar](repeating: 0, count: 8192)
    guard let device = granary_device_open(&log, log.count) else {
      throw RunnerFailure(Self.text(log))
    }
    self.device = device
    var status = stat()
    guard fstat(memory, &status) == 0, status.st_size > 0,
      let text = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, memory, 0),
      text != MAP_FAILED
    else { throw RunnerFailure("the kernel's text cannot be read") }
    let built = granary_device_build(
      device, text.assumingMemoryBound(to: CChar.self), Int(status.st_size), setup.buildOptions,
      &log, log.count)
    munmap(text, Int(status.st_size))
    guard built == 0 else {
      throw RunnerFailure("the driver refuses the kernel: \(Self.text(log))")
    }
    var plans: [Plan] = []
    for placement in GuardPlacement.allCases {
      plans.append(try Self.plan(setup, buffers, placement, device))
    }
    self.plans = plans
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private static func plan(
    _ setup: RunnerSetup, _ buffers: KernelBuffers, _ placement: GuardPlacement,
    _ device: OpaquePointer
  ) throws(RunnerFailure) -> Plan {
    var plan = Plan()
    plan.inputs = try wrap(buffers.inputs, placement, device, writable: false)
    plan.outputs = try wrap(buffers.outputs, placement, device, writable: true)
    let workspace = try wrap(buffers.workspace, placement, device, writable: true)[0]
    for launch in setup.launches {
      var arguments: [UnsafeMutableRawPointer?] = []
      for argument in launch.arguments {
        arguments.append(try buffer(for: argument, plan, workspace))
      }
      guard (1...3).contains(launch.global.count), launch.local.count == launch.global.count,
        let function = granary_device_function(
          device, launch.function, arguments, UInt32(arguments.count))
      else { throw RunnerFailure("the function \(launch.function) cannot be launched") }
      plan.launches.append((function, launch.global, launch.local))
    }
    return plan
  }

  private static func wrap(
    _ buffers: GuardedBuffers, _ placement: GuardPlacement, _ device: OpaquePointer, writable: Bool
  ) throws(RunnerFailure) -> [(buffer: UnsafeMutableRawPointer, size: Int)] {
    var wrapped: [(buffer: UnsafeMutableRawPointer, size: Int)] = []
    for (index, region) in buffers.layout.regions.enumerated() {
      let size = max(1, region.count)
      guard
        let buffer = granary_device_buffer(
          device, buffers.pointer(index, placement), size, writable ? 1 : 0)
      else { throw RunnerFailure("the device takes no buffer of \(size) bytes") }
      wrapped.append((buffer, size))
    }
    return wrapped
  }

  private static func buffer(
    for argument: RunnerSetup.Launch.Argument, _ plan: Plan,
    _ workspace: (buffer: UnsafeMutableRawPointer, size: Int)
  ) throws(RunnerFailure) -> UnsafeMutableRawPointer {
    switch argument {
    case .input(let index) where plan.inputs.indices.contains(index):
      return plan.inputs[index].buffer
    case .output(let index) where plan.outputs.indices.contains(index):
      return plan.outputs[index].buffer
    case .workspace(0):
      return workspace.buffer
    case .workspace(let offset) where (1..<workspace.size).contains(offset):
      if let part = granary_device_part(workspace.buffer, offset, workspace.size - offset) {
        return part
      }
      throw RunnerFailure("the device takes no buffer at offset \(offset) of the workspace")
    default:
      throw RunnerFailure("a launch names a buffer that does not exist")
    }
  }

  func call(_ placement: GuardPlacement) -> Int32 {
    let plan = plans[placement.rawValue]
    var status: Int32 = 0
    for input in plan.inputs {
      status |= granary_device_exchange(device, input.buffer, input.size, 1)
    }
    for launch in plan.launches {
      status |= granary_device_launch(
        device, launch.function, UInt32(launch.global.count),
        launch.global.map { $0 }, launch.local.map { $0 })
    }
    for output in plan.outputs {
      status |= granary_device_exchange(device, output.buffer, output.size, 0)
    }
    return status | granary_device_finish(device)
  }

  /// Threads belong to the driver.
  func rest() {}
}
