import CKernelHost
import CLinux
public import DaemonAPI
import Glibc
public import KernelSpec

/// A kernel that is loaded into this process, ready to be called.
///
/// Owns the shared object and its workspace. Not safe to call from two threads at once.
public final class LoadedKernel {
  public let manifest: Artifact.Manifest
  private let handle: UnsafeMutableRawPointer
  /// Stays open as long as the object is loaded: the linker knows objects by path, and the path has this number. A
  /// number used again would give the old object for the new bytes.
  private let descriptor: Int32
  private let function: granary_kernel_function
  private let threads: KernelThreads
  private let workspace: UnsafeMutableRawPointer
  /// On how many threads it can run, as far as calls have shown: one that was made where there are fewer processors
  /// has room for no more than those.
  private var mostThreads = Int32.max

  /// Loads the bytes of an artifact.
  ///
  /// - Parameter threads: what calls run on, or on fewer of them where the kernel has no room for as many.
  /// - Throws: `unsupported` for a kernel of another architecture, language or ABI; `environment` when the system
  ///   refuses to load it.
  public init(_ artifact: Artifact, on threads: KernelThreads) throws(ServiceError) {
    manifest = artifact.manifest
    self.threads = threads
    try Self.check(artifact)
    let (handle, descriptor) = try Self.load(artifact.bytes)
    guard let symbol = dlsym(handle, manifest.interface.entryPoint) else {
      Self.unload(handle, descriptor)
      throw ServiceError(
        .internalError, "the artifact has no symbol \(manifest.interface.entryPoint)")
    }
    self.handle = handle
    self.descriptor = descriptor
    function = unsafeBitCast(symbol, to: granary_kernel_function.self)
    workspace = UnsafeMutableRawPointer.allocate(
      byteCount: max(1, manifest.interface.workspaceBytes),
      alignment: max(64, manifest.interface.alignmentBytes))
  }

  deinit {
    workspace.deallocate()
    Self.unload(handle, descriptor)
  }

  /// Runs the kernel.
  ///
  /// - Parameters:
  ///   - inputs: one buffer for each input of the manifest, laid out by the strides of its type and aligned as the
  ///     manifest asks.
  ///   - outputs: one buffer for each output, contiguous and as aligned; written completely.
  /// - Throws: `bad-request` when buffers are missing or an index of an input lies outside its table.
  ///   - sizes: for a kernel of a family, its open sizes; the buffers are then those of the types at them.
  public func call(
    inputs: [UnsafeRawPointer], outputs: [UnsafeMutableRawPointer], sizes: [Int] = []
  ) throws(ServiceError) {
    guard inputs.count == manifest.interface.inputs.count,
      outputs.count == manifest.interface.outputs.count
    else {
      throw ServiceError(
        .badRequest,
        "the kernel takes \(manifest.interface.inputs.count) inputs and "
          + "\(manifest.interface.outputs.count) outputs")
    }
    guard sizes.count == manifest.interface.openSizes?.symbols.count ?? 0 else {
      throw ServiceError(
        .badRequest,
        "the kernel takes \(manifest.interface.openSizes?.symbols.count ?? 0) sizes, not "
          + "\(sizes.count)")
    }
    let status = run(inputs, outputs, sizes.map(Int64.init))
    switch status {
    case GRANARY_OK: return
    case GRANARY_INDEX_OUT_OF_RANGE:
      throw ServiceError(.badRequest, "an index in an input lies outside its table")
    case GRANARY_SIZE_REFUSED:
      throw ServiceError(.badRequest, "the kernel was not made for the sizes \(sizes)")
    default: throw ServiceError(.internalError, "the kernel failed with status \(status)")
    }
  }

  private func run(
    _ inputs: [UnsafeRawPointer], _ outputs: [UnsafeMutableRawPointer], _ sizes: [Int64]
  ) -> Int32 {
    sizes.withUnsafeBytes { sizePointer in
      let all = inputs.map(Optional.some) + (sizes.isEmpty ? [] : [sizePointer.baseAddress])
      return all.withUnsafeBufferPointer { inputPointers in
        outputs.map(Optional.some).withUnsafeBufferPointer { outputPointers in
          granary_call_within(
            function, inputPointers.baseAddress, outputPointers.baseAddress, workspace,
            threads.context, &mostThreads)
        }
      }
    }
  }

  private static func check(_ artifact: Artifact) throws(ServiceError) {
    let manifest = artifact.manifest
    guard manifest.language == .c, manifest.interface.isCallable else {
      throw ServiceError(
        .unsupported,
        "a \(manifest.language.rawValue) kernel of ABI \(manifest.interface.abi) cannot be "
          + "loaded into this process")
    }
    #if arch(x86_64)
      let here = "x86_64"
    #else
      let here = "aarch64"
    #endif
    guard manifest.architecture == here else {
      throw ServiceError(
        .unsupported, "the kernel is for \(manifest.architecture), this process is \(here)")
    }
    guard Digest(of: artifact.bytes) == manifest.digest else {
      throw ServiceError(.internalError, "the artifact's bytes do not match its digest")
    }
  }

  private static func unload(_ handle: UnsafeMutableRawPointer, _ descriptor: Int32) {
    dlclose(handle)
    close(descriptor)
  }

  /// Opens a shared object from memory: no file, so nothing to clean up and nothing to swap.
  private static func load(_ bytes: [UInt8]) throws(ServiceError)
    -> (handle: UnsafeMutableRawPointer, descriptor: Int32)
  {
    let descriptor = granary_memory_file("granary-kernel")
    guard descriptor >= 0 else {
      throw ServiceError(.environment, "cannot make a file in memory for the kernel")
    }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
      }
      guard count > 0 else {
        close(descriptor)
        throw ServiceError(.environment, "cannot write the kernel into memory")
      }
      written += count
    }
    guard let handle = dlopen("/proc/self/fd/\(descriptor)", RTLD_NOW | RTLD_LOCAL) else {
      let reason = dlerror().map { String(cString: $0) } ?? ""
      close(descriptor)
      throw ServiceError(.environment, "cannot load the kernel: \(reason)")
    }
    return (handle, descriptor)
  }
}
