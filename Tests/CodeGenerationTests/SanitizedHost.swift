import Glibc
import KernelSpec

/// Runs kernels built with AddressSanitizer and UndefinedBehaviorSanitizer, each in a process of its own.
///
/// `make sanitize` builds the host of each compiler from `Sanitized/host.c`, for the runtimes of two compilers
/// do not mix, and names their folder in `GRANARY_SANITIZED_HOSTS`.
struct SanitizedHost {
  private var compiler: String
  private var program: String

  private static let folder = getenv("GRANARY_SANITIZED_HOSTS").map { String(cString: $0) }

  /// The host of `compiler`, or `nil` where kernels run without sanitizers.
  init?(compiler: String) {
    guard let folder = Self.folder else { return nil }
    self.compiler = compiler
    program = "\(folder)/\(compiler)"
  }

  /// - Throws: ``HarnessError`` with the sanitizer's report.
  func run(
    _ source: KernelSource, _ inputs: [Bytes], threads: Int32
  ) throws -> (status: Int32, outputs: [Bytes]) {
    let folder = BuildFolder()
    for (position, input) in inputs.enumerated() {
      try folder.write(input.bytes, to: "input\(position)")
    }
    let object = try folder.compile(
      source, compiler,
      [
        "-g1", "-fsanitize=address,undefined,float-cast-overflow", "-fno-sanitize-recover=all",
        "-fno-omit-frame-pointer",
      ])
    let interface = source.interface
    let arguments =
      [object, interface.entryPoint, "\(threads)", "\(max(interface.alignmentBytes, 8))"]
      + ["\(interface.workspaceBytes)", folder.path, "\(inputs.count)"]
      + interface.outputs.map { "\($0.storageBytes)" }
    let (status, log) = try folder.spawn(
      program, arguments,
      environment: ["ASAN_OPTIONS=detect_leaks=0", "UBSAN_OPTIONS=print_stacktrace=1"])
    guard status == 0 else { throw HarnessError(description: "\(compiler): \(log)") }
    let outputs = try interface.outputs.indices.map { position in
      Bytes(try folder.contents("output\(position)"))
    }
    let text = String(decoding: try folder.contents("status"), as: UTF8.self)
    return (Int32(text.dropLast()) ?? -1, outputs)
  }
}
