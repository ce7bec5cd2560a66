/// Every route of the protocol: its method, its path, and what it is for.
public enum Route: String, Sendable, Hashable, CaseIterable {
  case greeting = "GET /v1/greeting"
  case resolve = "POST /v1/kernels"
  case kernel = "GET /v1/kernels/{key}"
  case artifact = "GET /v1/artifacts/{digest}"
  case artifacts = "POST /v1/artifacts"
  case source = "GET /v1/artifacts/{digest}/source"
  case entries = "GET /v1/entries"
  case remove = "DELETE /v1/entries/{key}"
  case pin = "POST /v1/entries/{key}/pin"
  case revisions = "GET /v1/entries/{key}/revisions"
  case rollback = "POST /v1/entries/{key}/rollback"
  case refresh = "POST /v1/entries/{key}/refresh"
  case repeatEvidence = "POST /v1/entries/{key}/evidence"
  case lease = "POST /v1/entries/{key}/lease"
  case lockFiles = "GET /v1/lock-files"
  case addLockFile = "POST /v1/lock-files"
  case stale = "GET /v1/stale"
  case export = "POST /v1/export"
  case importBundle = "POST /v1/import"
  case collect = "POST /v1/collect"
  case statistics = "GET /v1/stats"
  case metrics = "GET /metrics"
  case explainKey = "GET /v1/explain/{key}"
  case explainSpec = "POST /v1/explain"
  case explainRequest = "GET /v1/requests/{request}"
  case tune = "POST /v1/tune"
  case searches = "GET /v1/searches"
  case verify = "POST /v1/verify"
  case examine = "POST /v1/examine"
  case hardware = "GET /v1/hardware"
  case doctor = "GET /v1/doctor"
  case configuration = "GET /v1/config"
  case foreign = "GET /v1/foreign/{name}"
  case keepForeign = "POST /v1/foreign/{name}"
  case removeForeign = "DELETE /v1/foreign/{name}"

  /// Whether it changes what others are served, or gives away what is stored: not for those who may only ask.
  package var isForAdministrators: Bool {
    switch self {
    case .remove, .pin, .rollback, .refresh, .repeatEvidence, .lease, .addLockFile, .export,
      .importBundle, .collect, .verify, .keepForeign, .removeForeign:
      true
    case .greeting, .resolve, .kernel, .artifact, .artifacts, .entries, .revisions, .lockFiles,
      .stale, .statistics, .metrics, .explainKey, .explainSpec, .explainRequest, .tune, .searches,
      .examine, .hardware, .doctor, .configuration, .source, .foreign:
      false
    }
  }

  /// `GET`, `POST` or `DELETE`.
  public var method: String { String(rawValue.prefix { $0 != " " }) }

  /// The path, with the name of its parameter in braces.
  public var path: String { String(rawValue.drop { $0 != " " }.dropFirst()) }

  /// The path with `parameter` in place of the braces.
  public func path(_ parameter: String = "") -> String {
    path.split(separator: "/", omittingEmptySubsequences: false)
      .map { $0.hasPrefix("{") ? parameter : String($0) }.joined(separator: "/")
  }

  /// The route of a request, and the text in place of the braces.
  ///
  /// - Throws: `not-found`, or `method-not-allowed` when the path is served with another method.
  package static func match(method: String, path: String) throws(ServiceError)
    -> (route: Route, parameter: String)
  {
    var pathIsKnown = false
    for (route, template) in templates {
      guard let parameter = parameter(of: path, in: template) else { continue }
      if route.method == method { return (route, parameter) }
      pathIsKnown = true
    }
    throw pathIsKnown
      ? ServiceError(.methodNotAllowed, "\(path) does not take \(method)")
      : ServiceError(.notFound, "there is no \(path); the routes are in the OpenAPI document")
  }

  private static let templates = allCases.map { ($0, $0.path.split(separator: "/")) }

  private static func parameter(of path: String, in template: [Substring]) -> String? {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard parts.count == template.count else { return nil }
    var parameter = ""
    for (part, expected) in zip(parts, template) {
      if expected.hasPrefix("{") {
        guard !part.isEmpty else { return nil }
        parameter = String(part)
      } else if part != expected {
        return nil
      }
    }
    return parameter
  }
}
