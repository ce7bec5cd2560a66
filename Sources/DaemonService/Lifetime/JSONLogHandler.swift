import DaemonAPI
import Glibc
package import Logging

/// Writes each log message as one line of JSON on standard error.
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
  }

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
    let line = Line(
      time: Double(now.tv_sec) + Double(now.tv_nsec / 1_000_000) / 1000,
      level: event.level.rawValue, logger: label, message: event.message.description,
      fields: all.isEmpty ? nil : all.mapValues(\.description))
    guard var bytes = try? WireJSON.encode(line) else { return }
    bytes.append(UInt8(ascii: "\n"))
    // One write, so that lines of several threads do not mix.
    _ = write(STDERR_FILENO, bytes, bytes.count)
  }
}
