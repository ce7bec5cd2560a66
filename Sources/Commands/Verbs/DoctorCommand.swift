import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary doctor`.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "Say what works on this machine and what does not.",
    discussion: """
        granary doctor
      """)

  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let answer = try client.doctor()
      if connection.json {
        try Terminal.say(json: answer)
      } else {
        Terminal.say(
          answer.findings.map { "\($0.state.rawValue)  \($0.subject): \($0.message)" }
            .joined(separator: "\n"))
      }
    }
  }
}
