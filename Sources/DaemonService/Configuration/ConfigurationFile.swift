import DaemonAPI
import FoundationEssentials

/// The configuration file: `name = value` lines, `#` for comments.
struct ConfigurationFile {
  let path: String
  var values: [Setting: (text: String, number: Int)] = [:]

  /// - Throws: `environment`. A file that does not exist is empty.
  init(path: String) throws(ServiceError) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else { return }
    let contents: Data
    do {
      contents = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw ServiceError(.environment, "cannot read the configuration file \(path)")
    }
    let lines = String(decoding: contents, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let text = line.prefix { $0 != "#" }
      if text.allSatisfy(\.isWhitespace) { continue }
      let sides = text.split(separator: "=", maxSplits: 1).map(Self.trimmed)
      guard sides.count == 2, let setting = Setting(rawValue: sides[0]), setting != .home else {
        throw ServiceError(
          .environment, "\(path):\(index + 1): expected 'name = value' with a known name")
      }
      values[setting] = (sides[1], index + 1)
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
