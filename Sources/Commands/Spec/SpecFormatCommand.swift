package import ArgumentParser
import DaemonAPI
import KernelSpec

/// `granary spec format`: a spec in one of its forms.
package struct SpecFormatCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "format", abstract: "Print a spec in another form.")

  @Argument(help: "A file, '-', or a spec in the text form.")
  var spec: String

  @Option(
    help: "text: what people write; json: the same with overloads; canonical: what the key hashes.")
  var form: Form?

  @Flag(help: "The same as --form json; errors become an object.")
  var json = false

  enum Form: String, ExpressibleByArgument, CaseIterable {
    case text, json, canonical
  }

  package init() {}

  package func run() throws {
    try CommandFailure.reporting(json: json) {
      let form = form ?? (json ? .json : .text)
      for source in try SpecSource.read(spec) {
        Terminal.say(Self.text(try source.checked(), form))
      }
    }
  }

  /// A family has one JSON form, the canonical one.
  static func text(_ content: SpecContent, _ form: Form) -> String {
    switch (form, content) {
    case (.text, _): content.textForm
    case (.json, .spec(let spec)): spec.spec.formatJSON()
    case (.json, .family), (.canonical, _): content.canonicalText
    }
  }
}
