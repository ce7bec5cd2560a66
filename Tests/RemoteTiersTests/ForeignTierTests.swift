import Glibc
import KernelSpec
import Support
import Testing

@testable import RemoteTiers

private let nginx = ForeignServer.find("nginx")
private let moto = ForeignServer.find("moto_server")
private let curl = CurlTransport()

/// Real servers of others. What is not installed is skipped, which the output says.
@Suite(.serialized) struct ForeignTierTests {
  @Test(
    "nginx with its DAV module keeps what every tier promises",
    .enabled(if: nginx != nil, "nginx is not installed"))
  func nginxServer() async throws {
    let server = try ForeignServer(try #require(nginx)) { port, folder in
      let text = """
        daemon off; master_process off; pid \(folder)/pid; error_log \(folder)/error;
        \(getuid() == 0 ? "user root;" : "")
        events {}
        http {
          access_log off; client_max_body_size 300m; client_body_temp_path \(folder)/body;
          proxy_temp_path \(folder)/p; fastcgi_temp_path \(folder)/f; uwsgi_temp_path \(folder)/u;
          scgi_temp_path \(folder)/s;
          server {
            listen 127.0.0.1:\(port); root \(folder)/files;
            location / { dav_methods PUT DELETE; create_full_put_path on; }
            location /moved/ { return 302 http://127.0.0.1:\(port)/cas/; }
          }
        }
        """
      mkdir(folder + "/files", 0o755)
      try LocalFileSystem().write(Array(text.utf8), atomicallyTo: folder + "/nginx.conf")
      return ["-c", folder + "/nginx.conf", "-e", folder + "/error"]
    }
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
      environment: ["AWS_ACCESS_KEY_ID": "granary", "AWS_SECRET_ACCESS_KEY": "hush"],
      timeoutSeconds: 60)
    try await TierConformance(tier: tier).run()
  }
}
