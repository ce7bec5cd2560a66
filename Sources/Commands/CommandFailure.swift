import ArgumentParser
import DaemonAPI
import Glibc

/// How a verb ends when it cannot do what was asked: one line on standard error, or a JSON object, and the exit code
/// that scripts rely on.
enum CommandFailure {
  /// Something is damaged, or failed when it was verified again.
  static let damageFound: Int32 = 4
  /// A repair could not remove all damage.
  static let damageLeft: Int32 = 5

  /// 1 the request failed, 2 bad usage or bad spec, 3 no daemon.
  static func exitCode(of error: ServiceError) -> Int32 {
    switch error.code {
    case .noDaemon: 3
    case .badSpec, .badRequest: 2
    case .unknown(let code) where code.hasPrefix("spec."): 2
    default: 1
    }
  }

  /// Says `error` and gives what the process exits with.
  static func report(_ error: ServiceError, json: Bool) -> ExitCode {
    if json, let bytes = try? WireJSON.encode(error) {
      Terminal.complain(String(decoding: bytes, as: UTF8.self))
    } else {
      let line = error.message.split(whereSeparator: \.isNewline).joined(separator: " ")
      Terminal.complain("granary: \(line)")
    }
    return ExitCode(exitCode(of: error))
  }

  /// Runs `body`, and turns its failure into a report.
  static func reporting(json: Bool, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as ServiceError {
      throw report(error, json: json)
    }
  }
}

/// Writes to the terminal.
enum Terminal {
  static func say(_ text: String) { put(text + "\n", STDOUT_FILENO) }

  static func complain(_ text: String) { put(text + "\n", STDERR_FILENO) }

  static func say(json value: some Encodable) throws {
    say(String(decoding: try WireJSON.encode(value, pretty: true), as: UTF8.self))
  }

  static func put(_ text: String, _ descriptor: Int32) {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
      }
      if count <= 0 { return }
      written += count
    }
  }

  static var isOutputInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

  static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }
}
