import Glibc
import Hardware
import KernelSpec
import Testing

@testable import Evaluation

@Suite struct CCompilerTests {
  @Test("a kernel requires what the compiler may use, not all that the processor has")
  func instructionSet() {
    let features = InstructionSetMacros.features(
      in: "#define __AVX2__ 1\n#define __FMA__ 1\n#define __AES__ 1\n#define __SSE3__ 1\nint x;\n")
    #expect(features == ["avx2", "fma", "pni"])
  }

  @Test("a candidate may not be linked with a library, whoever wrote it")
  func library() async throws {
    #expect(
      try await log(of: Bench.source(Bench.honestBody, options: ["-lm"])).contains("not allowed"))
    #expect(
      try await log(of: Bench.source(Bench.honestBody, options: ["-mavx512f"]))
        .contains("not allowed"))
  }

  @Test("a compiler that hangs is killed at its time limit, and the log says so")
  func hanging() async throws {
    for confinement in await Bench.confinements() {
      let folder = try #require(PrivateDirectory())
      let text = "#!/bin/sh\n[ \"$1\" = --version ] && { echo cc 1; exit; }\nexec sleep 600\n"
      #expect(folder.write(Array(text.utf8), to: "cc"))
      chmod(folder.path + "/cc", 0o700)
      let compiler = try await CCompiler(
        host: host, environment: ["GRANARY_CC": folder.path + "/cc"], confinement: confinement,
        timeLimit: .milliseconds(300))
      guard case .failed(let log) = await compiler.compile(Bench.source(Bench.honestBody)) else {
        Issue.record("it compiled")
        return
      }
      #expect(log.contains("too long"))
    }
  }

  @Test("a compiler cannot change files outside its directory")
  func shutIn() async throws {
    for confinement in await Bench.confinements() {
      let folder = try #require(PrivateDirectory())
      let other = try #require(PrivateDirectory())
      let run = await ToolRun.run(
        [
          "/bin/sh", "-c",
          "echo x > \(folder.path)/inside; echo x > \(other.path)/outside; echo done",
        ],
        directory: folder.path, confinement: confinement, timeLimit: .seconds(60))
      #expect(run.output.contains("done"))
      #expect(folder.read("inside") != nil, "\(confinement)")
      #expect(other.read("outside") == nil, "\(confinement)")
    }
  }

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
    let host = try Bench.host
    let required = first.manifest.requiredFeatures
    #expect(host.permits(required: required, architecture: first.manifest.architecture))
    #expect(!required.isEmpty && required.count < host.features.count)
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

  @Test("when memory runs out, a tool or a kernel goes before the daemon")
  func goesFirst() async {
    let run = await ToolRun.run(
      ["/bin/cat", "/proc/self/oom_score_adj"], timeLimit: .seconds(60))
    #expect(run.output == "1000\n")
  }
}
