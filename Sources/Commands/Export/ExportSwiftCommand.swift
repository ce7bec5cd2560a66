import ArgumentParser
import DaemonAPI
import KernelSpec

/// `granary export-swift`: the typed Swift function of a spec.
struct ExportSwiftCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export-swift",
    abstract: "Write a Swift function that runs the kernel of a spec.",
    discussion: """
      The function is for programs that use the module Granary of integrations/swiftpm, whose build plugin calls this
      for each file NAME.granary.json of a target. It asks no daemon: which kernel runs is found when the program runs.

        granary export-swift softmax.granary.json -o Softmax.swift
        granary export-swift softmax.txt -o Softmax.swift --name rowSoftmax
      """)

  @Argument(help: "A file that holds one spec.") var spec: String
  @Option(name: .customShort("o"), help: "The file to write; standard output unless given.")
  var output: String?
  @Option(help: "The name of the function; the file's up to its first dot unless given.")
  var name: String?
  @Flag(help: "An error becomes an object.") var json = false

  private var file: Substring { spec.split(separator: "/").last ?? "" }

  private var function: String { name ?? String(file.prefix { $0 != "." }) }

  func validate() throws {
    guard PortableSource.isIdentifier(function) else {
      throw ValidationError("'\(function)' is no name of a Swift function; give one with --name")
    }
  }

  func run() throws {
    try CommandFailure.reporting(json: json) {
      guard case .spec(let checked) = try SpecSource.one(spec).checked() else {
        throw ServiceError(.unsupported, "\(spec) leaves sizes open; export it at one size")
      }
      let source = try SwiftSource(name: function, origin: String(file), checked: checked)
      guard let output else {
        Terminal.say(source.text)
        return
      }
      try Files.write(Array(source.text.utf8), to: output)
    }
  }
}
