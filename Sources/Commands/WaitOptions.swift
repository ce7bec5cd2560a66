import ArgumentParser

/// Whether a request waits for a search, and how long: `--wait`, or `--wait SECONDS`.
struct WaitOptions: ParsableArguments {
  @Flag(
    name: .customLong("wait"),
    help: "Wait for the search, at most as long as --timeout; --wait SECONDS sets the limit.")
  var isFlagged = false
  @Option(name: .customLong("wait-seconds"), help: .hidden) var seconds: Double?

  /// Whether the request waits.
  var isAsked: Bool { isFlagged || seconds != nil }

  /// The longest wait; `nil` for the daemon's own.
  func milliseconds(timeout: Double) -> Int? {
    guard isAsked else { return nil }
    return Int(min(max(seconds ?? timeout, 0), 1e6) * 1000)
  }

  /// The arguments with each `--wait SECONDS` written as the option that takes a value.
  static func normalized(_ arguments: [String]) -> [String] {
    var result: [String] = []
    for argument in arguments {
      if result.last == "--wait", Double(argument) != nil { result[result.count - 1] += "-seconds" }
      result.append(argument)
    }
    return result
  }
}
