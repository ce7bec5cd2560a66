/// Why nothing can be evaluated here: the machine lacks something. A bad candidate is never an
/// error.
package struct EvaluationError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable {
    /// No C compiler was found, or it cannot be started.
    case compilerMissing = "compiler-missing"
    /// The program `granary-runner` was not found, or it cannot be started.
    case runnerMissing = "runner-missing"
    /// The system refused memory, a process or a descriptor.
    case systemRefused = "system-refused"
    /// The reference kernel failed, so that nothing can be compared with it.
    case referenceFailed = "reference-failed"
  }

  package let code: Code
  package let message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { "\(code.rawValue): \(message)" }
}
