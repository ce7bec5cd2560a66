import ArgumentParser
import Glibc
import KernelSpec

/// Why a `spec` command failed, as it is told to people and to scripts.
struct SpecFailure: Error {
  var code: String
  /// Who can act: `input`, `environment` or `internal`.
  var who: String
  /// 1: the request failed; 2: bad usage or a bad spec.
  var exitCode: Int32
  var message: String

  init(code: String, who: String, exitCode: Int32, message: String) {
    self.code = code
    self.who = who
    self.exitCode = exitCode
    self.message = message
  }

  init(_ error: SpecError, origin: String?) {
    let place = origin.map { "\($0): " } ?? ""
    self.init(
      code: error.code.rawValue, who: "input", exitCode: 2, message: place + error.description)
  }

  /// One line, or an object with `code`, `message` and `who`.
  func report(json: Bool) -> String {
    guard json else {
      return "error: " + message.split(separator: "\n").joined(separator: " ")
    }
    return """
      {"code":\(JSONText.string(code)),"message":\(JSONText.string(message)),\
      "who":\(JSONText.string(who))}
      """
  }

  /// Runs `body`, and turns its failure into a line on standard error and an exit code.
  static func reporting(json: Bool, _ body: () throws(SpecFailure) -> Void) throws {
    do { try body() } catch {
      let line = Array((error.report(json: json) + "\n").utf8)
      _ = write(STDERR_FILENO, line, line.count)
      throw ExitCode(error.exitCode)
    }
  }
}
