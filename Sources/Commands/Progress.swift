/// One line on a terminal's standard error that says how far a long verb has come; nothing elsewhere.
enum Progress {
  static func show(_ done: Int, of all: Int, key: String, json: Bool) {
    guard Terminal.isInteractive, !json else { return }
    Terminal.put("\r\u{1B}[K\(bar(done, of: all)) \(key.prefix(12))", 2)
  }

  static func end(json: Bool) {
    if Terminal.isInteractive, !json { Terminal.put("\r\u{1B}[K", 2) }
  }

  /// For example `[#####-----] 5/10`.
  static func bar(_ done: Int, of all: Int, width: Int = 30) -> String {
    let filled = all > 0 ? min(width, done * width / all) : width
    let marks = String(repeating: "#", count: filled)
    return "[\(marks)\(String(repeating: "-", count: width - filled))] \(done)/\(all)"
  }
}
