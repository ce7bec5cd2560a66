import CodeGeneration
import Glibc
import KernelSpec
import TensorProgram
import TestSupport

/// Kernels compiled into one shared object that the test process calls, one block after the other.
final class ContractionBinary {
  private let handle: UnsafeMutableRawPointer
  private let kernels: [KernelText]

  struct BuildFailure: Error, CustomStringConvertible {
    var description: String
  }

  /// The source of all kernels, each with an entry point `run<position>`.
  static func source(_ kernels: [KernelText]) -> String {
    let library = kernels.reduce(into: Set<CLibrary.Item>()) { $0.formUnion($1.library) }
    var text = """
      #include <stdint.h>
      #include <string.h>
      typedef struct { void *buffer[8]; unsigned char *shared, *scratch; } granary_call;
      \(CLibrary.text(for: library))

      """
    for (position, kernel) in kernels.enumerated() {
      let calls = kernel.phases.map { phase in
        "for (int64_t i = 0; i < \(phase.blocks); i++) \(phase.function)(call, i, (int)(i & 1));"
      }
      text += """
        \(kernel.functions)
        void run\(position)(granary_call *call) { \(calls.joined(separator: " ")) }

        """
    }
    return text
  }

  init(_ kernels: [KernelText], compiler: String, options: String) throws {
    self.kernels = kernels
    let temporary = TemporaryFolder()
    let folder = temporary.path
    guard let file = fopen("\(folder)/k.c", "w") else { throw BuildFailure(description: folder) }
    fputs(Self.source(kernels), file)
    fclose(file)
    let arguments = [compiler, "-shared", "-fPIC", "-march=native", "-ffp-contract=fast", "-w"]
    let status = Self.run(
      arguments + options.split(separator: " ").map(String.init)
        + ["-o", "\(folder)/k.so", "\(folder)/k.c", "-lm"])
    guard status == 0, let handle = dlopen("\(folder)/k.so", RTLD_NOW) else {
      throw BuildFailure(description: "\(compiler) \(options): status \(status)")
    }
    self.handle = handle
  }

  deinit { dlclose(handle) }

  /// Whether the compiler is there.
  static func has(_ compiler: String) -> Bool { run(["which", compiler]) == 0 }

  private static func run(_ arguments: [String]) -> Int32 {
    var pid: pid_t = 0
    var pointers = arguments.map { strdup($0) } + [nil]
    defer { pointers.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    defer { posix_spawn_file_actions_destroy(&actions) }
    guard posix_spawnp(&pid, arguments[0], &actions, nil, &pointers, environ) == 0 else {
      return -1
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
    return status
  }

  /// Runs a kernel on `buffers`, and gives them back. Memory that a kernel must write starts as
  /// noise.
  func run(_ position: Int, buffers: [[Double]], program: TensorProgram) -> [[Double]]? {
    guard let symbol = dlsym(handle, "run\(position)") else { return nil }
    typealias Entry = @convention(c) (UnsafeMutableRawPointer) -> Void
    let entry = unsafeBitCast(symbol, to: Entry.self)
    var memory: [UnsafeMutableRawPointer] = []
    for (values, buffer) in zip(buffers, program.buffers) {
      memory.append(Self.memory(values, buffer.type.dtype))
    }
    let kernel = kernels[position]
    let workspace = [kernel.sharedBytes, kernel.threadBytes * 2].map { size in
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: size + 64, alignment: 64)
      memset(bytes, 0xff, size + 64)
      return bytes
    }
    defer { (memory + workspace).forEach { $0.deallocate() } }
    let call = UnsafeMutablePointer<UnsafeMutableRawPointer?>.allocate(capacity: 10)
    defer { call.deallocate() }
    for place in 0..<8 { call[place] = memory.indices.contains(place) ? memory[place] : nil }
    (call[8], call[9]) = (workspace[0], workspace[1])
    entry(UnsafeMutableRawPointer(call))
    return zip(memory, program.buffers).map { Self.values($0, $1.type) }
  }

  private static func memory(_ values: [Double], _ type: DType) -> UnsafeMutableRawPointer {
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: max(values.count * type.sizeBytes, 1), alignment: 64)
    for (position, value) in values.enumerated() {
      switch type {
      case .f64: bytes.storeBytes(of: value, toByteOffset: position * 8, as: Double.self)
      case .i32: bytes.storeBytes(of: Int32(value), toByteOffset: position * 4, as: Int32.self)
      case .i64: bytes.storeBytes(of: Int64(value), toByteOffset: position * 8, as: Int64.self)
      default: bytes.storeBytes(of: Float(value), toByteOffset: position * 4, as: Float.self)
      }
    }
    return bytes
  }

  private static func values(_ bytes: UnsafeMutableRawPointer, _ type: TensorType) -> [Double] {
    (0..<type.storageElementCount).map { position in
      switch type.dtype {
      case .f64: bytes.load(fromByteOffset: position * 8, as: Double.self)
      case .i32: Double(bytes.load(fromByteOffset: position * 4, as: Int32.self))
      case .i64: Double(bytes.load(fromByteOffset: position * 8, as: Int64.self))
      default: Double(bytes.load(fromByteOffset: position * 4, as: Float.self))
      }
    }
  }
}
