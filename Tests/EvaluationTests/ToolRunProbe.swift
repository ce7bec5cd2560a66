@testable import Evaluation

/// Runs a program the way compilers are run.
enum ToolRunProbe {
  static func run(_ arguments: [String], milliseconds: Int) async -> String {
    await ToolRun.run(arguments, timeLimit: .milliseconds(milliseconds)).failure
  }
}
