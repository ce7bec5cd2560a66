import ArgumentParser
import DaemonAPI
import DaemonClient

/// The options of every verb that talks to the daemon.
struct ConnectionOptions: ParsableArguments {
  @Option(help: "The daemon's Unix socket.") var socket: String?
  @Flag(help: "Fail with exit code 3 instead of starting a daemon when none runs.")
  var noStart = false
  @Option(help: "How long to wait for the daemon's answer, in seconds.") var timeout = 60.0
  @Flag(help: "Print JSON.") var json = false

  func connect() throws(ServiceError) -> DaemonClient {
    var locations = Locations(environment: processEnvironment())
    if let socket { locations.socket = socket }
    return try DaemonLauncher.connect(
      locations, mayStart: !noStart, timeoutSeconds: timeout
    ) { Terminal.complain("granary: \($0)") }
  }
}
