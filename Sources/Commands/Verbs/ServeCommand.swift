import ArgumentParser
import DaemonAPI
import DaemonClient
import Glibc

/// `granary serve`: becomes the daemon.
struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Run the daemon in the foreground; the same as granaryd.",
    discussion: """
        GRANARY_HOME=/tmp/granary granary serve --log-level debug
      """)

  @Argument(parsing: .captureForPassthrough, help: "Flags of granaryd.") var flags: [String] = []

  func run() throws {
    try CommandFailure.reporting(json: false) {
      guard let program = DaemonLauncher.findDaemon() else {
        throw ServiceError(
          .environment, "granaryd is neither beside this program nor in PATH")
      }
      var arguments = ([program] + flags).map { strdup($0) } + [nil]
      execv(program, &arguments)
      throw ServiceError(
        .environment, "cannot run \(program): \(String(cString: strerror(errno)))")
    }
  }
}
