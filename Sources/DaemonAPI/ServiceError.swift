/// What went wrong with a request, as the daemon says it: a code for programs, a message for people, and who
/// can do something about it.
public struct ServiceError: Error, Sendable, Hashable, Codable {
  public var code: Code
  public var message: String
  public var who: Responsible

  public init(_ code: Code, _ message: String, who: Responsible? = nil) {
    self.code = code
    self.message = message
    self.who = who ?? code.responsible
  }

  /// A code that programs can act on. A newer daemon may send one that this client does not know.
  public enum Code: Sendable, Hashable {
    /// The request is not well formed.
    case badRequest
    /// The spec cannot be parsed or does not type-check.
    case badSpec
    /// The spec is well formed, but no kernel can be made for it.
    case unsupported
    /// The server wants a token, and this is not it.
    case unauthorized
    /// The user may not do this.
    case forbidden
    /// There is no such key, artifact or route.
    case notFound
    /// The route exists, but not with this method.
    case methodNotAllowed
    /// A limit on the size of a request was passed.
    case tooLarge
    /// The entry is pinned, or another state forbids what was asked.
    case conflict
    /// The deadline passed first.
    case deadlineExceeded
    /// The daemon is stopping.
    case shuttingDown
    /// No daemon answers on the socket.
    case noDaemon
    /// A tool, a directory or a device that is needed is missing or refuses.
    case environment
    /// A fault of Granary itself.
    case internalError
    /// A code of a newer version.
    case unknown(String)
  }

  /// Who can act on an error.
  public enum Responsible: String, Sendable, Hashable, Codable {
    /// Whoever wrote the request.
    case input
    /// Whoever runs the machine.
    case environment
    /// Whoever develops Granary.
    case `internal`

    public init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      self = Self(rawValue: text) ?? .internal
    }
  }
}

extension ServiceError.Code: RawRepresentable, Codable {
  private static let known: [Self] = [
    .badRequest, .badSpec, .unsupported, .unauthorized, .forbidden, .notFound, .methodNotAllowed,
    .tooLarge, .conflict, .deadlineExceeded, .shuttingDown, .noDaemon, .environment, .internalError,
  ]

  public init(rawValue: String) {
    self = Self.known.first { $0.rawValue == rawValue } ?? .unknown(rawValue)
  }

  // Equality compares raw values: this must not itself compare codes.
  public var rawValue: String {
    switch self {
    case .badRequest: "bad-request"
    case .badSpec: "bad-spec"
    case .unsupported: "unsupported"
    case .unauthorized: "unauthorized"
    case .forbidden: "forbidden"
    case .notFound: "not-found"
    case .methodNotAllowed: "method-not-allowed"
    case .tooLarge: "too-large"
    case .conflict: "conflict"
    case .deadlineExceeded: "deadline-exceeded"
    case .shuttingDown: "shutting-down"
    case .noDaemon: "no-daemon"
    case .environment: "environment"
    case .internalError: "internal-error"
    case .unknown(let text): text
    }
  }

  public init(from decoder: any Decoder) throws {
    self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }

  /// Who can act on the code unless the error says otherwise.
  public var responsible: ServiceError.Responsible {
    switch self {
    case .badRequest, .badSpec, .unsupported, .unauthorized, .forbidden, .notFound,
      .methodNotAllowed, .tooLarge, .conflict, .deadlineExceeded:
      .input
    case .shuttingDown, .noDaemon, .environment: .environment
    case .internalError, .unknown: .internal
    }
  }

  /// The HTTP status that carries the code.
  package var httpStatus: Int {
    switch self {
    case .badRequest: 400
    case .badSpec, .unsupported: 422
    case .unauthorized: 401
    case .forbidden: 403
    case .notFound: 404
    case .methodNotAllowed: 405
    case .tooLarge: 413
    case .conflict: 409
    case .deadlineExceeded: 504
    case .shuttingDown, .noDaemon, .environment: 503
    case .internalError, .unknown: 500
    }
  }
}

extension ServiceError: CustomStringConvertible {
  public var description: String { message }
}
