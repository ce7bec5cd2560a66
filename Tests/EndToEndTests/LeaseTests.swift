import Glibc
import TestSupport
import Testing

private let relu = "relu(x: f32[64,64])"
private let moto = installed("moto_server")
private let curl = installed("curl")

extension EndToEnd {
  @Suite("One search among machines") struct LeaseTests {
    /// Machines that write to one tier and trust one another.
    private func machines(
      _ count: Int, tier: String, searchSeconds: Double, leaseSeconds: Int
    ) throws -> [PrivateHome] {
      let homes = try (0..<count).map { _ in
        let home = try PrivateHome(searchSeconds: searchSeconds, searchCandidates: 1_000_000)
        home.environment["GRANARY_TIERS"] = tier
        home.environment["GRANARY_TIER_WRITES"] = "true"
        home.environment["GRANARY_TIER_TIMEOUT_SECONDS"] = "120"
        home.environment["GRANARY_SEARCH_LEASE_SECONDS"] = "\(leaseSeconds)"
        home.environment["AWS_ACCESS_KEY_ID"] = "granary"
        home.environment["AWS_SECRET_ACCESS_KEY"] = "hush"
        return home
      }
      for home in homes {
        let key = try home.granary("keys", "generate", "--name", "machine", "--json").json()
        let publicKey = try #require(key["public_key"].text)
        for other in homes where other.path != home.path {
          #expect(try other.granary("keys", "trust", publicKey).status == 0)
        }
      }
      return homes
    }

    private func started(_ home: PrivateHome) throws -> Double {
      try home.statistics()["searches_started"].number ?? 0
    }

    /// Both ask at the same time; one searches, and the other has what it found.
    private func share(tier: String) throws {
      let homes = try machines(2, tier: tier, searchSeconds: 4, leaseSeconds: 30)
      let daemons = try homes.map { try $0.daemon() }
      for home in homes { #expect(try home.granary("get", relu).status == 0) }
      let areMeasured = try eventually(within: hangLimit) {
        try homes.allSatisfy {
          try $0.granary("get", relu, "--json").json()[0]["speedup"].number != nil
        }
      }
      #expect(areMeasured)
      let counts = try homes.map(started)
      #expect(counts.reduce(0, +) == 1, "\(counts)")
      let waited = homes[counts[0] == 1 ? 1 : 0]
      let got = try waited.granary("get", relu, "--json").json()[0]
      let revision = try waited.granary("revisions", got["key"].text ?? "", "--json").json()[0]
      #expect(revision["origin"].text == "tier" && revision["verified"].number ?? 0 > 0)
      for daemon in daemons { _ = try daemon.stop() }
    }

    @Test("of two machines with a directory one searches, and the other takes what it found")
    func directory() throws {
      let place = try PrivateHome()
      try share(tier: place.file("tier"))
    }

    @Test(
      "of two machines with an S3 bucket one searches, and the other takes what it found",
      .enabled(if: moto != nil && curl != nil, "moto_server or curl is not installed"))
    func bucket() throws {
      let place = try PrivateHome()
      let port = try LoopbackPort.free()
      let server = try ChildProgram(
        try #require(moto), ["-H", "127.0.0.1", "-p", "\(port)"], environment: place.environment)
      let endpoint = "http://127.0.0.1:\(port)"
      let isMade = try eventually(within: hangLimit) {
        try ChildProgram(
          try #require(curl), ["-sf", "-X", "PUT", endpoint + "/kernels"],
          environment: place.environment
        ).finish(within: hangLimit).status == 0
      }
      #expect(isMade)
      try share(tier: "s3://kernels/team?endpoint=\(endpoint)")
      server.killNow()
    }

    @Test("when the machine that searches dies, another takes the search over")
    func takeover() throws {
      let place = try PrivateHome()
      let homes = try machines(
        2, tier: place.file("tier"), searchSeconds: 3000, leaseSeconds: 9)
      let first = try homes[0].daemon()
      let second = try homes[1].daemon()
      #expect(try homes[0].granary("get", relu).status == 0)
      #expect(try eventually(within: hangLimit) { try started(homes[0]) == 1 })
      #expect(try homes[1].granary("get", relu).status == 0)
      // The second one has asked for the lease, and waits.
      let waits = try eventually(within: hangLimit) {
        try homes[1].statistics()["searches_queued"].number == 1
      }
      #expect(waits)
      #expect(try started(homes[1]) == 0)
      first.killNow()
      #expect(try eventually(within: hangLimit) { try started(homes[1]) == 1 })
      second.killNow()
    }
  }
}
