import ArgumentParser

/// `granary bench`: what kernels reach on others' benchmarks.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Run others' benchmarks with kernels of the daemon.",
    discussion: """
        granary bench kernelbench --path ~/KernelBench --level 1 --scale small
        granary bench specs kernelbench.jsonl --search 20
      """,
    subcommands: [KernelBenchCommand.self, SpecBenchCommand.self])
}
