import KernelSpec
import Support

/// A server that keeps values at `ac/` and `cas/`: bazel-remote, nginx with its DAV module, another daemon, or with
/// signed requests an S3 bucket.
package struct HTTPTier: ConditionalTier {
  /// How addresses become paths below the base.
  package enum Layout: Sendable {
    /// `cas/abcd…`, as bazel-remote has it.
    case flat
    /// `cas/ab/abcd…`, for stores that list by prefix.
    case sharded
  }

  package let name: String
  private let base: String
  private let layout: Layout
  private let headers: [String]
  private let signing: AWSSigning?
  private let timeoutSeconds: Double
  private let transport: any HTTPTransport

  /// - Parameters:
  ///   - base: a URL without credentials.
  ///   - token: goes with each request as a bearer token, and is never printed.
  package init(
    base: String, layout: Layout = .flat, token: String? = nil, signing: AWSSigning? = nil,
    timeoutSeconds: Double = 5, transport: any HTTPTransport = CurlTransport()
  ) {
    self.base = base.hasSuffix("/") ? String(base.dropLast()) : base
    self.layout = layout
    self.signing = signing
    self.timeoutSeconds = timeoutSeconds
    self.transport = transport
    name = self.base
    headers =
      ["Expect:", "Content-Type: application/octet-stream"]
      + (token.map { ["Authorization: Bearer \($0)"] } ?? [])
  }

  package func get(_ address: RemoteAddress) async throws -> [UInt8]? {
    let answer = try await exchange("GET", address, limitBytes: address.limitBytes)
    switch answer.status {
    case 200: return address.admits(answer.body) ? answer.body : nil
    case 404, 410: return nil
    default: throw unexpected("GET", answer.status)
    }
  }

  package func put(_ bytes: [UInt8], at address: RemoteAddress) async throws {
    try address.check(bytes)
    // A blob never changes, so one that is there need not be written again.
    let condition = address.space == .blobs && signing != nil ? ["If-None-Match: *"] : []
    let answer = try await exchange("PUT", address, body: bytes, extra: condition)
    let isThere = address.space == .blobs && answer.status == 412
    guard [200, 201, 204].contains(answer.status) || isThere else {
      throw unexpected("PUT", answer.status)
    }
  }

  package func contains(_ address: RemoteAddress) async throws -> Bool {
    let answer = try await exchange("HEAD", address)
    switch answer.status {
    case 200: return true
    case 404, 410: return false
    default: throw unexpected("HEAD", answer.status)
    }
  }

  package func see(_ address: RemoteAddress) async throws -> SeenRecord {
    let answer = try await exchange("GET", address, limitBytes: address.limitBytes)
    switch answer.status {
    case 200: return SeenRecord(bytes: answer.body, version: answer.tag)
    case 404, 410: return SeenRecord(bytes: nil, version: nil)
    default: throw unexpected("GET", answer.status)
    }
  }

  package func replace(_ seen: SeenRecord, with bytes: [UInt8], at address: RemoteAddress)
    async throws -> Bool
  {
    try address.check(bytes)
    let condition =
      seen.bytes == nil ? ["If-None-Match: *"] : seen.version.map { ["If-Match: \($0)"] } ?? []
    let answer = try await exchange("PUT", address, body: bytes, extra: condition)
    switch answer.status {
    case 200, 201, 204: return true
    // S3 answers 409 while somebody else is at it, and 404 when what was seen is gone.
    case 404, 409, 412: return false
    default: throw unexpected("PUT", answer.status)
    }
  }

  private func exchange(
    _ method: String, _ address: RemoteAddress, body: [UInt8]? = nil, extra: [String] = [],
    limitBytes: Int = 1 << 16
  ) async throws -> TierAnswer {
    let path =
      layout == .sharded ? address.path : "\(address.space.rawValue)/\(address.digest.hex)"
    let request = TierRequest(
      method: method, url: "\(base)/\(path)", headers: headers + extra, body: body,
      limitBytes: limitBytes, timeoutSeconds: timeoutSeconds, signing: signing)
    let transport = transport
    return try await OwnThread.run { try transport.exchange(request) }
  }

  private func unexpected(_ method: String, _ status: Int) -> GranaryError {
    GranaryError(
      .tierFailed, "\(name) answered \(method) with status \(status)", responsible: .environment)
  }
}
