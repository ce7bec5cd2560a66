import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary tune`: searches in the foreground and shows how it goes.
struct TuneCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tune", abstract: "Search for a better kernel and show the progress.",
    discussion: """
        granary tune "linear(x: f32[256,1024], w: f32[1024,1024])" --seconds 30
      """)

  @Argument(help: "A file, - for standard input, or the text form of a spec.")
  var specs: [String]
  @Option(help: "The longest time to search, in seconds.") var seconds: Double?
  @Option(help: "The most candidates to evaluate.") var candidates: Int?
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let sources = try SpecSource.read(specs)
      let client = try connection.connect()
      for source in sources {
        let request = TuneRequest(spec: source.text, seconds: seconds, candidates: candidates)
        do throws(ServiceError) {
          try client.tune(request, progress: show)
        } catch {
          throw source.placed(error)
        }
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
