import CKernelHost
import CLinux
import Glibc

/// Something that can be called with the buffers of a setup.
protocol LoadedKernel {
  /// Calls the kernel once and returns its status. Allocates nothing.
  func call(_ placement: GuardPlacement) -> Int32
  /// Leaves the cores to others until the next call. Allocates nothing.
  func rest()
}

/// A kernel in a shared object.
struct SharedObjectKernel: LoadedKernel {
  private let function: granary_kernel_function
  private let pool: OpaquePointer
  private let context: UnsafePointer<granary_context>
  /// For each placement: the inputs, the outputs, the workspace.
  private let arguments: [Arguments]

  private struct Arguments {
    let inputs: UnsafeMutablePointer<UnsafeRawPointer?>
    let outputs: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    let workspace: UnsafeMutableRawPointer
  }

  /// Loads `entryPoint` from the shared object that `memory` holds. Constructors in it run now.
  init(
    memory: Int32, entryPoint: String, pool: OpaquePointer, buffers: KernelBuffers
  ) throws(RunnerFailure) {
    guard let handle = dlopen("/proc/self/fd/\(memory)", RTLD_NOW | RTLD_LOCAL) else {
      throw RunnerFailure("cannot load the kernel: \(Self.linkerError)")
    }
    guard let symbol = dlsym(handle, entryPoint) else {
      throw RunnerFailure("the kernel has no function \(entryPoint)")
    }
    function = unsafeBitCast(symbol, to: granary_kernel_function.self)
    self.pool = pool
    context = granary_pool_context(pool)
    arguments = GuardPlacement.allCases.map { Self.arguments(buffers, $0) }
  }

  private static func arguments(_ buffers: KernelBuffers, _ placement: GuardPlacement) -> Arguments
  {
    let inputs = buffers.inputs.pointers(placement)
    let outputs = buffers.outputs.pointers(placement)
    let inputTable = UnsafeMutablePointer<UnsafeRawPointer?>.allocate(capacity: inputs.count + 1)
    let outputTable = UnsafeMutablePointer<UnsafeMutableRawPointer?>
      .allocate(capacity: outputs.count + 1)
    for (index, pointer) in inputs.enumerated() { inputTable[index] = UnsafeRawPointer(pointer) }
    for (index, pointer) in outputs.enumerated() { outputTable[index] = pointer }
    return Arguments(
      inputs: inputTable, outputs: outputTable,
      workspace: buffers.workspace.pointer(0, placement))
  }

  private static var linkerError: String {
    dlerror().map { String(cString: $0) } ?? "no reason given"
  }

  func call(_ placement: GuardPlacement) -> Int32 {
    let arguments = arguments[placement.rawValue]
    return function(arguments.inputs, arguments.outputs, arguments.workspace, context)
  }

  func rest() { granary_pool_rest(pool) }
}

/// Every buffer that a kernel is called with.
struct KernelBuffers {
  let inputs: GuardedBuffers
  let outputs: GuardedBuffers
  let workspace: GuardedBuffers
}
