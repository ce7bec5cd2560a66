import Foundation
import PackagePlugin

/// Has the daemon make the kernels of a package's specs, and writes which they are to `granary.lock`.
///
/// What follows the verb goes to `granary get`, for example `--policy tuned --wait 60`.
@main struct GranaryPrewarm: CommandPlugin {
  func performCommand(context: PluginContext, arguments: [String]) throws {
    let specs = context.package.targets
      .flatMap { ($0 as? SourceModuleTarget)?.sourceFiles.map(\.url) ?? [] }
      .filter(SpecFile.isOne).map(\.path).sorted()
    guard !specs.isEmpty else {
      print("no target has a file NAME.granary.json or NAME.granary.txt")
      return
    }
    let program = try GranaryProgram.found()
    let lock = context.package.directoryURL.appending(path: "granary.lock").path
    try run(program, ["get"] + specs + arguments)
    try run(program, ["lock"] + specs + ["-o", lock])
  }

  private func run(_ program: URL, _ arguments: [String]) throws {
    let process = try Process.run(program, arguments: arguments)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Refused(status: process.terminationStatus) }
  }
}

/// What the program said why is on standard error.
struct Refused: Error, CustomStringConvertible {
  var status: Int32
  var description: String { "granary ended with status \(status)" }
}
