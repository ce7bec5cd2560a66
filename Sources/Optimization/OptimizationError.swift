/// Why there is no kernel for a request.
package struct OptimizationError: Error, Sendable, Hashable, CustomStringConvertible {
  package enum Code: String, Sendable, Hashable {
    /// The spec cannot be parsed or does not type-check.
    case badSpec = "bad-spec"
    /// The spec is right, but no kernel can be made for it.
    case unsupported
    /// There is no such key.
    case notFound = "not-found"
    /// A lock names something else than what is stored.
    case conflict
    /// A compiler, a directory or another part of the machine is missing or refuses.
    case environment
    /// The daemon is stopping.
    case shuttingDown = "shutting-down"
    /// A fault of Granary itself: for example a default kernel that fails verification.
    case internalError = "internal-error"
  }

  package var code: Code
  package var message: String

  package init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  package var description: String { message }
}
