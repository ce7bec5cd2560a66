import DaemonAPI
import DaemonClient

/// Lets people write the beginning of a key.
enum KeyPrefix {
  /// The one key that begins like `text`.
  ///
  /// - Throws: `not-found`, or `bad-request` when several do.
  static func resolve(_ text: String, _ client: DaemonClient) throws(ServiceError) -> String {
    if text.count == 64 { return text }
    let matches = try client.entries().map(\.key).filter { $0.hasPrefix(text) }
    guard let key = matches.first else {
      throw ServiceError(.notFound, "no entry has a key that begins with \(text)")
    }
    guard matches.count == 1 else {
      throw ServiceError(.badRequest, "\(matches.count) keys begin with \(text)")
    }
    return key
  }
}
