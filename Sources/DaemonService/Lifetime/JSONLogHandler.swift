import DaemonAPI
import Glibc
package import Logging
import Synchronization

/// Writes each log message as one line of JSON on standard error.
///
/// Never waits for whoever reads it: a line for which there is no room is lost, and the next one that is written
/// says how many were.
package struct JSONLogHandler: LogHandler {
  package var metadata: Logger.Metadata = [:]
  package var logLevel: Logger.Level
  private let label: String

  private struct Line: Encodable {
    var time: Double
    var level: String
    var logger: String
    var message: String
    var fields: [String: String]?
    /// How many lines before this one were lost.
    var lost: Int?
  }

  /// Lines lost since the last one that was written, by all handlers: they share standard error. Held while a
  /// line is written, so that lines do not mix, and that the room that was seen is there.
  private static let lost = Mutex(0)

  package init(label: String, level: Logger.Level) {
    self.label = label
    logLevel = level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
    var line = Line(
      time: Double(now.tv_sec) + Double(now.tv_nsec / 1_000_000) / 1000,
      level: event.level.rawValue, logger: label, message: event.message.description,
      fields: all.isEmpty ? nil : all.mapValues(\.description))
    Self.lost.withLock { lost in
      var room = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
      guard poll(&room, 1, 0) > 0, room.revents & Int16(POLLOUT) != 0 else {
        lost += 1
        return
      }
      line.lost = lost > 0 ? lost : nil
      guard var bytes = try? WireJSON.encode(line) else { return }
      bytes.append(UInt8(ascii: "\n"))
      _ = write(STDERR_FILENO, bytes, bytes.count)
      lost = 0
    }
  }
}
