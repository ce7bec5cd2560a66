package import Support

/// Where a tier is, as a setting says it.
///
/// - a directory: `/mnt/kernels` or `file:///mnt/kernels`
/// - a server of `/ac` and `/cas`: `http://cache:8080` or `https://cache.example/granary`
/// - an S3 bucket: `s3://BUCKET/PREFIX?endpoint=http://host:9000&region=eu-west-1&style=path`; without an endpoint it
///   is AWS, and the style `virtual`, which puts the bucket into the name of the host.
package enum TierLocation: Sendable, Hashable {
  case directory(String)
  case server(String)
  case bucket(base: String, region: String)

  /// - Throws: `bad-tier` that says what is expected. Credentials in a URL are refused: it is shown in listings.
  package init(parsing text: String) throws {
    if text.hasPrefix("/") {
      self = .directory(text)
    } else if text.hasPrefix("file:///") {
      self = .directory(String(text.dropFirst(7)))
    } else if text.hasPrefix("http://") || text.hasPrefix("https://") {
      guard !text.contains("@") else {
        throw Self.refusal("\(text.prefix(8))… has credentials; set GRANARY_TIER_TOKEN instead")
      }
      self = .server(text)
    } else if text.hasPrefix("s3://") {
      self = try Self.bucket(String(text.dropFirst(5)))
    } else {
      throw Self.refusal("'\(text)' is neither a directory nor a URL of http, https or s3")
    }
  }

  private static func bucket(_ text: String) throws -> TierLocation {
    let parts = text.split(separator: "?", maxSplits: 1)
    let path = (parts.first ?? "").split(separator: "/").map(String.init)
    guard let bucket = path.first, !text.contains("@") else {
      throw refusal("an S3 tier is written s3://BUCKET/PREFIX?endpoint=…&region=…&style=path")
    }
    var options: [String: String] = [:]
    for pair in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let sides = pair.split(separator: "=", maxSplits: 1)
      guard sides.count == 2, ["endpoint", "region", "style"].contains(sides[0]) else {
        throw refusal("'\(pair)' is none of endpoint, region and style")
      }
      options[String(sides[0])] = String(sides[1])
    }
    let region = options["region"] ?? "us-east-1"
    let endpoint = options["endpoint"] ?? "https://s3.\(region).amazonaws.com"
    let halves = endpoint.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: true)
    guard endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://"), halves.count == 2 else {
      throw refusal("the endpoint '\(endpoint)' is no URL of http or https")
    }
    let style = options["style"] ?? (options["endpoint"] == nil ? "virtual" : "path")
    let host = halves[1].drop { $0 == "/" }
    let root: String
    switch style {
    case "path": root = "\(halves[0])//\(host)/\(bucket)"
    case "virtual": root = "\(halves[0])//\(bucket).\(host)"
    default: throw refusal("the style is 'path' or 'virtual', not '\(style)'")
    }
    return .bucket(base: ([root] + path.dropFirst()).joined(separator: "/"), region: region)
  }

  private static func refusal(_ what: String) -> GranaryError {
    GranaryError(.badTier, what, responsible: .input)
  }

  /// The tier at this place.
  package func tier(_ access: TierAccess) -> any RemoteTier {
    let environment = access.environment
    let transport = CurlTransport(authorities: access.authorities)
    switch self {
    case .directory(let root): return SharedDirectoryTier(root: root)
    case .server(let base):
      return HTTPTier(
        base: base, token: environment["GRANARY_TIER_TOKEN"],
        timeoutSeconds: access.timeoutSeconds, transport: transport)
    case .bucket(let base, let region):
      let signing = environment["AWS_ACCESS_KEY_ID"].map {
        AWSSigning(
          region: region, accessKey: $0, secret: environment["AWS_SECRET_ACCESS_KEY"] ?? "")
      }
      return HTTPTier(
        base: base, layout: .sharded, signing: signing, timeoutSeconds: access.timeoutSeconds,
        transport: transport)
    }
  }
}

/// How tiers are reached.
package struct TierAccess: Sendable {
  /// Whether kernels that this machine made are given to them.
  package var isWritable: Bool
  /// Whether they are left alone.
  package var isOffline: Bool
  package var timeoutSeconds: Double
  /// A PEM file of who vouches for them; `nil` for those of the system.
  package var authorities: String?
  /// Has `GRANARY_TIER_TOKEN` for servers, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` for buckets.
  package var environment: [String: String]

  package init(
    isWritable: Bool = true, isOffline: Bool = false, timeoutSeconds: Double = 5,
    authorities: String? = nil, environment: [String: String] = [:]
  ) {
    self.isWritable = isWritable
    self.isOffline = isOffline
    self.timeoutSeconds = timeoutSeconds
    self.authorities = authorities
    self.environment = environment
  }
}

extension GranaryError.Code {
  /// The place of a tier is not one.
  package static let badTier = Self(rawValue: "bad-tier")
}
