import Glibc
import KernelSpec
import Support
import TestSupport
import Testing

@testable import RemoteTiers

private let nginx = ForeignServer.find("nginx")
private let moto = ForeignServer.find("moto_server")
private let openssl = ForeignServer.find("openssl")
private let curl = CurlTransport()

/// Real servers of others. What is not installed is skipped, which the output says.
@Suite(.serialized) struct ForeignTierTests {
  @Test(
    "nginx with its DAV module keeps what every tier promises",
    .enabled(if: nginx != nil, "nginx is not installed"))
  func nginxServer() async throws {
    let server = try nginxServer(listening: "")
    let base = "http://127.0.0.1:\(server.port)"
    let tier = HTTPTier(base: base)
    try await TierConformance(tier: tier).run()
    // Somebody changes a file under a digest: it is missing, and can be put again.
    let address = RemoteAddress.blob(Digest(of: [1, 2, 3]))
    try await tier.put([1, 2, 3], at: address)
    try LocalFileSystem().write(
      [6, 6, 6], atomicallyTo: "\(server.folder)/files/cas/\(address.digest.hex)")
    #expect(try await tier.get(address) == nil)
    try await tier.put([1, 2, 3], at: address)
    #expect(try await tier.get(address) == [1, 2, 3])
    // A redirect is followed nowhere.
    let moved = HTTPTier(base: base + "/moved")
    await #expect(throws: GranaryError.self) { try await moved.get(address) }
  }

  /// Keeps values below its folder, in `files`.
  private func nginxServer(listening options: String) throws -> ForeignServer {
    try ForeignServer(try #require(nginx)) { port, folder in
      let text = """
        daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/error;
        \(getuid() == 0 ? "user root;" : "")
        events {}
        http {
          access_log off; client_max_body_size 300m; client_body_temp_path \(folder)/body;
          proxy_temp_path \(folder)/p; fastcgi_temp_path \(folder)/f; uwsgi_temp_path \(folder)/u;
          scgi_temp_path \(folder)/s;
          server {
            listen 127.0.0.1:\(port) \(options); root \(folder)/files;
            location / { dav_methods PUT DELETE; create_full_put_path on; }
            location /moved/ { return 302 http://127.0.0.1:\(port)/cas/; }
          }
        }
        """
      mkdir(folder + "/files", 0o755)
      try LocalFileSystem().write(Array(text.utf8), atomicallyTo: folder + "/nginx.conf")
      return ["-c", folder + "/nginx.conf", "-e", folder + "/error"]
    }
  }

  /// Makes a certificate for the loopback interface that vouches for itself.
  private func certificate(in folder: String, _ name: String) throws -> String {
    let status = ForeignServer.run(
      try #require(openssl),
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-keyout", "\(folder)/\(name).key", "-out", "\(folder)/\(name).pem", "-days", "2",
        "-subj", "/CN=granary", "-addext", "subjectAltName=IP:127.0.0.1",
      ])
    try #require(status == 0)
    return "\(folder)/\(name).pem"
  }

  @Test(
    "over TLS nginx is believed when a chosen authority vouches for its address, and not otherwise",
    .enabled(if: nginx != nil && openssl != nil, "nginx or openssl is not installed"))
  func encrypted() async throws {
    let temporary = TemporaryFolder()
    let folder = temporary.path
    let own = try certificate(in: folder, "own")
    let other = try certificate(in: folder, "other")
    let server = try nginxServer(
      listening: "ssl; ssl_certificate \(own); ssl_certificate_key \(folder)/own.key")
    let access = { (authorities: String?) in
      TierAccess(timeoutSeconds: 60, authorities: authorities)
    }
    let location = try TierLocation(parsing: "https://127.0.0.1:\(server.port)")
    try await TierConformance(tier: location.tier(access(own))).run()
    let blob = RemoteAddress.blob(Digest(of: [7]))
    for authorities in [nil, other] {
      let error = await #expect(throws: GranaryError.self) {
        try await location.tier(access(authorities)).get(blob)
      }
      #expect(error?.description.lowercased().contains("certificate") == true)
    }
    // The name that is asked for must be in the certificate.
    let name = try TierLocation(parsing: "https://localhost:\(server.port)")
    await #expect(throws: GranaryError.self) { try await name.tier(access(own)).get(blob) }
  }

  @Test(
    "moto's S3 keeps what every tier promises, with signatures that it checks",
    .enabled(if: moto != nil, "moto_server is not installed (pip install 'moto[server,s3]')"))
  func motoServer() async throws {
    let server = try ForeignServer(try #require(moto)) { port, _ in
      ["-H", "127.0.0.1", "-p", "\(port)"]
    }
    let endpoint = "http://127.0.0.1:\(server.port)"
    let signing = AWSSigning(region: "us-east-1", accessKey: "granary", secret: "hush")
    let made = try await OwnThread.run {
      try curl.exchange(
        TierRequest(
          method: "PUT", url: endpoint + "/kernels", headers: ["Expect:"], body: [],
          limitBytes: 1 << 20, timeoutSeconds: 60, signing: signing))
    }
    #expect(made.status == 200)
    let location = try TierLocation(parsing: "s3://kernels/team?endpoint=\(endpoint)")
    let tier = location.tier(
      TierAccess(
        timeoutSeconds: 60,
        environment: ["AWS_ACCESS_KEY_ID": "granary", "AWS_SECRET_ACCESS_KEY": "hush"]))
    try await TierConformance(tier: tier).run()
    try await LeaseConformance(tier: try #require(tier as? any ConditionalTier)).run()
  }
}
