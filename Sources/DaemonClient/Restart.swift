import DaemonAPI
import Glibc

/// What a client knows of a daemon that seems to be replaced, and how long it waits for the next one.
struct Restart {
  /// A request that was cut off so often may be what ends the daemons.
  private static let mostCuts = 3
  private static let patienceSeconds = 5.0
  private static let longestPause: Int32 = 100

  /// Whether the request was sent to a daemon.
  var isConnected = false
  /// Whether a daemon said that it stops.
  var wasTold = false
  private var cuts = 0
  private var end: Deadline?
  private var pause: Int32 = 1

  /// Decides whether to ask again, and pauses when nobody is there to be asked.
  ///
  /// Where nobody has ever listened there is nothing to wait for.
  mutating func mayGoOn(after error: ServiceError) -> Bool {
    guard error.code == .noDaemon || error.code == .shuttingDown else { return false }
    if isConnected, error.code == .noDaemon {
      cuts += 1
      if cuts > Self.mostCuts { return false }
    }
    guard isConnected || end != nil else { return false }
    let end = end ?? Deadline(seconds: Self.patienceSeconds)
    self.end = end
    if end.hasPassed { return false }
    // A kept connection that was closed while nothing was asked tells nothing: the next attempt comes at once.
    if cuts > 1 || wasTold || !isConnected {
      poll(nil, 0, pause)
      pause = min(pause * 2, Self.longestPause)
    }
    return true
  }
}
