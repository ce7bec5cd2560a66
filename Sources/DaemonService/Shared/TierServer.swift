import DaemonAPI
package import Logging
package import Optimization
import RemoteTiers

/// The settings of the server of `/ac` and `/cas`.
package struct ServingConfiguration: Sendable {
  package var address: NetworkAddress
  /// Empty for a server that everybody on this machine may read.
  package var tokenFile: String
  /// Both empty without TLS.
  package var certificate: String
  package var key: String
  package var takesValues: Bool
  /// Of what clients put.
  package var limitBytes: Int
  package var takesAnyRecords: Bool
}

/// Puts the server of `/ac` and `/cas` together.
package struct TierServer: Sendable {
  package let server: HTTPServer
  private let configuration: ServingConfiguration
  private let router: TierRouter

  /// - Throws: `environment` when the address, the token, the certificate or the shelf is of no use.
  package init(
    _ configuration: ServingConfiguration, library: KernelLibrary, folder: String, logger: Logger
  ) throws {
    self.configuration = configuration
    let token =
      try configuration.tokenFile.isEmpty ? nil : AccessToken(file: configuration.tokenFile)
    let identity =
      try configuration.certificate.isEmpty
      ? nil : TLSIdentity(certificate: configuration.certificate, key: configuration.key)
    let shelf =
      try configuration.takesValues
      ? ValueShelf(root: folder, limitBytes: configuration.limitBytes) : nil
    router = TierRouter(
      source: { try library.sharedValue(at: $0) }, shelf: shelf,
      takesAnyRecords: configuration.takesAnyRecords)
    server = HTTPServer(
      listener: try ListeningSocket.open(configuration.address), responder: router,
      options: Self.options(token, identity), logger: logger)
  }

  /// Few connections, and larger bodies than on the socket, which may come over a slow network.
  private static func options(_ token: AccessToken?, _ identity: TLSIdentity?)
    -> HTTPServer.Options
  {
    var options = HTTPServer.Options()
    options.access = .network(token: token, identity: identity)
    options.connectionLimit = 256
    options.patience.request = .seconds(120)
    options.patience.idle = .seconds(120)
    options.limits.bodyBytes = ValueShelf.valueLimitBytes
    options.limits.allBodiesBytes = 2 * ValueShelf.valueLimitBytes
    return options
  }

  /// What `granary doctor` says of it.
  var finding: DoctorReport.Finding {
    let scheme = configuration.certificate.isEmpty ? "http" : "https"
    let kept = router.shelf?.statistics
    let shelf = kept.map { "keeps \($0.values) values of clients, \($0.bytes >> 10) KiB" }
    return .init(
      subject: "server", state: .good,
      message: "\(scheme)://\(configuration.address): \(router.traffic.text); "
        + (shelf ?? "takes nothing"))
  }
}
