import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary bench kernelbench`: becomes the runner of the Python package, for the problems are PyTorch programs.
struct KernelBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernelbench", abstract: "Run KernelBench's problems, and time PyTorch beside.",
    discussion: """
      Reads the problem files of a checkout as they are, checks each kernel by KernelBench's rule and against the
      model in f64, times it against PyTorch eager and torch.compile, and reports the pass rate, fast_p, the
      distribution of the speedups, and every failure. Needs a Python with PyTorch and the granary package, such as
      'make python' makes.

        granary bench kernelbench --path ~/KernelBench
        granary bench kernelbench --path ~/KernelBench --level 1 --problem 23 --mode both --json
        granary bench kernelbench --path ~/KernelBench --level 3 --scale small --no-compile
        granary bench kernelbench --path ~/KernelBench --mode both --import-only
        granary bench kernelbench --path ~/KernelBench --problem softmax --policy tuned --deadline 60

      Exits with 0 when all are correct (with --import-only: imported), 1 when one is not, 2 when there is no such problem.
      """)

  enum Scale: String, ExpressibleByArgument, CaseIterable { case small, full }
  enum Mode: String, ExpressibleByArgument, CaseIterable { case training, evaluation, both }
  enum KernelPolicy: String, ExpressibleByArgument, CaseIterable { case baseline, tuned }

  @Option(help: "A checkout of KernelBench.") var path: String
  @Option(help: "A level from 1 to 4; may be repeated. 1 to 3 unless told.") var level: [Int] = []
  @Option(help: "A problem's number, or a part of its name; may be repeated.")
  var problem: [String] = []
  @Option(help: "The shapes: the files' own, or reduced ones that run in little memory.")
  var scale = Scale.full
  @Option(help: "The models' mode; KernelBench leaves them in training mode.")
  var mode = Mode.training
  @Option(help: "baseline, or tuned to wait for a search.") var policy = KernelPolicy.baseline
  @Option(help: "How long to wait for one kernel, in seconds.") var deadline = 300.0
  @Option(help: "How many fresh inputs each kernel is checked on.") var trials = 5
  @Option(help: "Absolute and relative tolerance; KernelBench's for the dtype unless told.")
  var tolerance: Double?
  @Option(help: "Timed calls of each.") var rounds = 20
  @Flag(help: "Do not time torch.compile.") var noCompile = false
  @Flag(help: "Do not ask the daemon which wrong answers its verification would not see.")
  var noExamine = false
  @Option(help: "How long one problem may take, in seconds.") var limit = 900.0
  @Flag(help: "Export only, at any size: nothing runs, and tensors have no memory.")
  var importOnly = false
  @Option(help: "The Python to run; else GRANARY_PYTHON, that of 'make python', python3.")
  var python: String?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      guard access(path, R_OK) == 0 else {
        throw ServiceError(.badRequest, "there is no checkout of KernelBench at \(path)")
      }
      let interpreter = try PythonInterpreter.find(named: python)
      try interpreter.check()
      _ = try connection.connect().greeting()
      var locations = Locations(environment: processEnvironment())
      if let socket = connection.socket { locations.socket = socket }
      setenv("GRANARY_SOCKET", locations.socket, 1)
      throw interpreter.become(["-m", "granary.kernelbench"] + arguments)
    }
  }

  /// What the runner is told; its options have the same names.
  var arguments: [String] {
    var arguments = ["--path", path, "--scale", scale.rawValue, "--mode", mode.rawValue]
    arguments += ["--policy", policy.rawValue, "--deadline", "\(deadline)"]
    arguments += ["--trials", "\(trials)", "--rounds", "\(rounds)", "--limit", "\(limit)"]
    arguments += level.flatMap { ["--level", "\($0)"] } + problem.flatMap { ["--problem", $0] }
    if let tolerance { arguments += ["--tolerance", "\(tolerance)"] }
    if noCompile { arguments.append("--no-compile") }
    if noExamine { arguments.append("--no-examine") }
    if importOnly { arguments.append("--import-only") }
    if connection.json { arguments.append("--json") }
    return arguments
  }
}
