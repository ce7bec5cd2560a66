import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary tune`: searches in the foreground and shows how it goes.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune", abstract: "Search for a better kernel and show the progress.")

  @Argument(help: "A file, - for standard input, or the text form of a spec.")
  var specs: [String]
  @Option(help: "The longest time to search, in seconds.") var seconds: Double?
  @Option(help: "The most candidates to evaluate.") var candidates: Int?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      for spec in try SpecSource.specs(specs) {
        let request = TuneRequest(spec: spec, seconds: seconds, candidates: candidates)
        try client.tune(request, progress: show)
      }
    }
  }

  private func show(_ event: TuneEvent) {
    if connection.json, let line = try? WireJSON.encode(event) {
      Terminal.say(String(decoding: line, as: UTF8.self))
    } else if Terminal.isInteractive {
      let end = event.state == .finished ? "\n" : ""
      Terminal.put("\r\u{1B}[K" + Format.progress(event) + end, 2)
    } else {
      Terminal.complain(Format.progress(event))
    }
    guard event.state == .finished, !connection.json else { return }
    if let answer = event.answer { Terminal.say(Format.answers([answer])) }
    if let reason = event.termination { Terminal.say("the search ended: \(reason)") }
  }
}
