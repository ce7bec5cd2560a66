import Foundation
import PackagePlugin

/// Makes a Swift function of each file `NAME.granary.json` or `NAME.granary.txt` of a target.
@main struct GranaryKernels: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let files = (target as? SourceModuleTarget)?.sourceFiles else { return [] }
    let specs = files.map(\.url).filter(SpecFile.isOne)
    if specs.isEmpty { return [] }
    let program = try GranaryProgram.found()
    return specs.map { spec in
      let name = spec.lastPathComponent.prefix { $0 != "." }
      let source = context.pluginWorkDirectoryURL.appending(path: "\(name).granary.swift")
      return .buildCommand(
        displayName: "Granary: \(spec.lastPathComponent)", executable: program,
        arguments: ["export-swift", spec.path, "-o", source.path],
        inputFiles: [spec], outputFiles: [source])
    }
  }
}
