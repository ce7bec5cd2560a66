package import ArgumentParser

/// `granary spec`: what a spec means, without a daemon.
package struct SpecCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "spec",
    abstract: "Check, format, key and compare specs. Needs no daemon.",
    discussion: """
      SPEC is a file, '-' for standard input, or a spec in the text form, for example
      'softmax(x: f32[333,777], dim: -1)'. A file that ends in .jsonl holds one spec a line.
      """,
    subcommands: [
      SpecCheckCommand.self, SpecFormatCommand.self, SpecKeyCommand.self, SpecDiffCommand.self,
    ])

  package init() {}
}
