import CKernelHost
import CodeGeneration
import Glibc
import Hardware
import KernelSpec
import TensorProgram

/// A machine for tests: two threads, 64-byte vectors.
let testHardware = HardwareDescription(
  compatibility: CompatibilityIdentity(architecture: "x86_64", features: [], libc: "glibc"),
  tuning: TuningIdentity(
    model: "test", architecture: "x86_64", vectorFeatures: [], vectorBytes: 64,
    vectorRegisters: 32, threads: 2, cacheBytes: [32 << 10, 1 << 20, 32 << 20]))

struct HarnessError: Error, CustomStringConvertible {
  var description: String
}

/// The bytes of one tensor.
struct Bytes: Equatable {
  var bytes: [UInt8]

  init(count: Int) { bytes = [UInt8](repeating: 0xA5, count: count) }

  init<Element>(_ elements: [Element]) {
    bytes = elements.withUnsafeBytes { Array($0) }
  }

  func elements<Element>(_ type: Element.Type) -> [Element] {
    bytes.withUnsafeBytes { raw in
      (0..<raw.count / MemoryLayout<Element>.stride).map {
        raw.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Element>.stride, as: Element.self)
      }
    }
  }
}

/// The compilers that tests run: those of gcc and clang that are installed.
let compilers = ["gcc", "clang"].filter { access("/usr/bin/\($0)", X_OK) == 0 }

/// Compiles `source` with `compiler`, calls it on a pool of `threads`, and gives its status and outputs.
///
/// Kernels are linked without any library, so that a call of libc or libm fails the link. In `make sanitize`
/// they are built with sanitizers instead, and run in a process of their own.
func run(
  _ source: KernelSource, _ inputs: [Bytes], compiler: String = compilers.first ?? "cc",
  threads: Int32 = 2
) throws -> (status: Int32, outputs: [Bytes]) {
  if let host = SanitizedHost(compiler: compiler) {
    return try host.run(source, inputs, threads: threads)
  }
  let folder = BuildFolder()
  let usesLibm = source.compilerOptions.contains("-lm")
  let object = try folder.compile(
    source, compiler, usesLibm ? [] : ["-nostdlib", "-Wl,--no-undefined"])
  guard let library = dlopen(object, RTLD_NOW) else {
    throw HarnessError(description: String(cString: dlerror()))
  }
  defer { dlclose(library) }
  guard let symbol = dlsym(library, source.interface.entryPoint) else {
    throw HarnessError(description: "no entry")
  }
  typealias Entry =
    @convention(c) (
      UnsafePointer<UnsafeRawPointer?>?, UnsafePointer<UnsafeMutableRawPointer?>?,
      UnsafeMutableRawPointer?, UnsafePointer<granary_context>?
    ) -> Int32
  return call(unsafeBitCast(symbol, to: Entry.self), source.interface, inputs, threads)
}

func call(
  _ entry:
    @convention(c) (
      UnsafePointer<UnsafeRawPointer?>?, UnsafePointer<UnsafeMutableRawPointer?>?,
      UnsafeMutableRawPointer?, UnsafePointer<granary_context>?
    ) -> Int32, _ interface: KernelInterface, _ inputs: [Bytes], _ threads: Int32
) -> (status: Int32, outputs: [Bytes]) {
  let allocate = { (count: Int) in
    UnsafeMutableRawPointer.allocate(byteCount: max(count, 1), alignment: 64)
  }
  let given = inputs.map { input -> UnsafeMutableRawPointer in
    let memory = allocate(input.bytes.count)
    memory.copyMemory(from: input.bytes, byteCount: input.bytes.count)
    return memory
  }
  let results = interface.outputs.map { allocate($0.storageBytes) }
  let workspace = allocate(interface.workspaceBytes)
  let pool = granary_pool_create(threads)
  defer {
    granary_pool_destroy(pool)
    for memory in given + results + [workspace] { memory.deallocate() }
  }
  let inputPointers = given.map { UnsafeRawPointer($0) as UnsafeRawPointer? }
  let outputPointers = results.map { $0 as UnsafeMutableRawPointer? }
  let status = entry(inputPointers, outputPointers, workspace, granary_pool_context(pool))
  let outputs = zip(results, interface.outputs).map { memory, type in
    var output = Bytes(count: 0)
    output.bytes = Array(UnsafeRawBufferPointer(start: memory, count: type.storageBytes))
    return output
  }
  return (status, outputs)
}
