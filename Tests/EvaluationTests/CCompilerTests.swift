import Evaluation
import Hardware
import KernelSpec
import Testing

@Suite struct CCompilerTests {
  private let host = CompatibilityIdentity(architecture: "x86_64", features: ["fma"], libc: "glibc")

  private func log(of source: KernelSource) async throws -> String {
    switch try await Bench().compiler.compile(source) {
    case .artifact: "compiled"
    case .failed(let log): log
    }
  }

  @Test("a machine without a compiler gives an error that says what to do")
  func missing() async {
    let error = await #expect(throws: EvaluationError.self) {
      try await CCompiler(host: host, environment: ["PATH": "/nowhere"])
    }
    #expect(error?.code == .compilerMissing)
    #expect(error?.message.contains("GRANARY_CC") == true)
  }

  @Test("GRANARY_CC must name a program")
  func override() async {
    let error = await #expect(throws: EvaluationError.self) {
      try await CCompiler(host: host, environment: ["GRANARY_CC": "/nowhere/cc"])
    }
    #expect(error?.code == .compilerMissing)
  }

  @Test("equal sources give equal bytes, and the manifest tells what they need")
  func deterministic() async throws {
    let bench = try await Bench()
    let first = try await bench.compile(Bench.source(Bench.honestBody))
    let second = try await bench.compile(Bench.source(Bench.honestBody))
    #expect(first == second)
    #expect(first.manifest.digest == Digest(of: first.bytes))
    #expect(first.manifest.requiredFeatures == ["avx2"])
    #expect(first.manifest.toolchain.hasPrefix(bench.compiler.identity))
  }

  @Test("a source with an error gives the compiler's words")
  func syntaxError() async throws {
    #expect(try await log(of: Bench.source("nonsense")).contains("error"))
  }

  @Test(
    "options that reach files or other programs are refused",
    arguments: [
      "-fplugin=x.so", "-include/etc/passwd", "-Wl,-T,x", "-B/tmp", "-fuse-ld=/tmp/x", "@file",
    ])
  func options(option: String) async throws {
    let source = Bench.source(Bench.honestBody, options: [option])
    #expect(try await log(of: source).contains("not allowed"))
  }

  @Test("options of the language and of warnings are accepted")
  func harmlessOptions() async throws {
    let options = ["-O3", "-fno-trapping-math", "-fwrapv", "-fno-builtin", "-Wno-psabi", "-DX=1"]
    let source = Bench.source(Bench.honestBody, options: options)
    #expect(try await log(of: source) == "compiled")
  }

  @Test("a compiler that does not end is killed with all that it started")
  func endless() async throws {
    let run = await ToolRunProbe.run(["/bin/sh", "-c", "sleep 60 & sleep 60"], milliseconds: 50)
    #expect(run.contains("too long"))
  }
}
