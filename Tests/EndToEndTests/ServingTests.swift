import FoundationEssentials
import Glibc
import TestSupport
import Testing

private let relu = "relu(x: f32[11,17])"
private let secret = "a-token-of-the-test"
private let ccache = installed("ccache")
private let openssl = installed("openssl")
private let bazel = installed("bazel")

/// A home whose daemon serves its store on the loopback interface, with a token.
private struct Farm {
  let home: PrivateHome
  let port: Int

  init() throws {
    home = try PrivateHome()
    port = try LoopbackPort.free()
    let file = home.file("token")
    try Data((secret + "\n").utf8).write(to: URL(filePath: file))
    chmod(file, 0o600)
    home.environment["GRANARY_SERVE_ADDRESS"] = "127.0.0.1:\(port)"
    home.environment["GRANARY_SERVE_TOKEN_FILE"] = file
    home.environment["GRANARY_SERVE_WRITES"] = "true"
  }

  /// As other build tools write it.
  var url: String { "http://any:\(secret)@127.0.0.1:\(port)" }

  /// Another machine whose tier this is.
  func client() throws -> PrivateHome {
    let client = try PrivateHome()
    client.environment["GRANARY_TIERS"] = "http://127.0.0.1:\(port)"
    client.environment["GRANARY_TIER_TOKEN"] = secret
    // Other tests may hold both cores for long.
    client.environment["GRANARY_TIER_TIMEOUT_SECONDS"] = "120"
    return client
  }
}

extension EndToEnd {
  @Suite("The served store") struct ServingTests {
    @Test("a daemon's kernels are verified hits on a machine that trusts its key")
    func store() throws {
      let farm = try Farm()
      let daemon = try farm.home.daemon()
      let key = try farm.home.granary("keys", "generate", "--name", "farm", "--json").json()
      let made = try farm.home.granary("get", relu, "--json").json()[0]
      #expect(try HousekeepingTests.isIdle(farm.home))
      let reader = try farm.client()
      let publicKey = try #require(key["public_key"].text)
      #expect(try reader.granary("keys", "trust", publicKey).status == 0)
      let got = try reader.granary("get", relu, "--json").json()[0]
      #expect(got["status"].text == "hit" && got["key"] == made["key"], "\(got)")
      let revision = try reader.granary("revisions", got["key"].text ?? "", "--json").json()[0]
      #expect(revision["origin"].text == "tier" && revision["verified"].number ?? 0 > 0)
      // A machine without the token finds nothing, and makes its own.
      let stranger = try farm.client()
      stranger.environment["GRANARY_TIER_TOKEN"] = "another-token-is-wrong"
      #expect(try stranger.granary("keys", "trust", publicKey).status == 0)
      #expect(try stranger.granary("get", relu, "--json").json()[0]["status"].text == "baseline")
      let doctor = String(decoding: try stranger.granary("doctor").output, as: UTF8.self)
      #expect(doctor.contains("401"), "\(doctor)")
      let log = try daemon.stop()
      #expect(!log.complaint.contains(secret), "\(log)")
    }

    @Test("what one machine gives to a serving daemon, another finds there")
    func relay() throws {
      let farm = try Farm()
      let daemon = try farm.home.daemon()
      let maker = try farm.client()
      maker.environment["GRANARY_TIER_WRITES"] = "true"
      let key = try maker.granary("keys", "generate", "--name", "maker", "--json").json()
      _ = try maker.granary("get", relu)
      #expect(try HousekeepingTests.isIdle(maker))
      let isGiven = try eventually(within: hangLimit) {
        try maker.granary("doctor", "--json").json()["findings"].list.contains {
          $0["message"].text?.contains("; 0 uploads wait") == true
        }
      }
      #expect(isGiven)
      let reader = try farm.client()
      #expect(
        try reader.granary("keys", "trust", try #require(key["public_key"].text)).status == 0)
      #expect(try reader.granary("get", relu, "--json").json()[0]["status"].text == "hit")
      // The daemon in between believes none of it.
      let between = try farm.home.granary("get", relu, "--policy", "cached", "--json").json()[0]
      #expect(between["status"].text == "miss", "\(between)")
      _ = try daemon.stop()
    }

    @Test(
      "over TLS a daemon is believed when an authority of the configuration vouches for it",
      .enabled(if: openssl != nil, "openssl is not installed"))
    func encrypted() throws {
      let farm = try Farm()
      let names = ["server", "stranger"]
      for name in names {
        let made = try ChildProgram(
          try #require(openssl),
          [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", farm.home.file(name + ".key"), "-out", farm.home.file(name + ".pem"),
            "-days", "2", "-subj", "/CN=granary", "-addext", "subjectAltName=IP:127.0.0.1",
          ], environment: farm.home.environment
        ).finish(within: hangLimit)
        #expect(made.status == 0, "\(made)")
      }
      farm.home.environment["GRANARY_SERVE_CERTIFICATE"] = farm.home.file("server.pem")
      farm.home.environment["GRANARY_SERVE_KEY"] = farm.home.file("server.key")
      let daemon = try farm.home.daemon()
      let key = try farm.home.granary("keys", "generate", "--name", "farm", "--json").json()
      _ = try farm.home.granary("get", relu)
      #expect(try HousekeepingTests.isIdle(farm.home))
      var statuses: [String?] = []
      for name in names {
        let reader = try farm.client()
        reader.environment["GRANARY_TIERS"] = "https://127.0.0.1:\(farm.port)"
        reader.environment["GRANARY_TIER_AUTHORITIES"] = farm.home.file(name + ".pem")
        #expect(
          try reader.granary("keys", "trust", try #require(key["public_key"].text)).status == 0)
        statuses.append(try reader.granary("get", relu, "--json").json()[0]["status"].text)
      }
      #expect(statuses == ["hit", "baseline"])
      // A client without TLS gets nothing, and disturbs nobody.
      let plain = try farm.client()
      #expect(try plain.granary("get", relu, "--json").json()[0]["status"].text == "baseline")
      _ = try daemon.stop()
      // A key that is not the certificate's stops the start.
      farm.home.environment["GRANARY_SERVE_KEY"] = farm.home.file("stranger.key")
      let refused = try farm.home.spawnDaemon().finish(within: hangLimit)
      #expect(refused.status == 1 && refused.complaint.contains("server.pem"), "\(refused)")
    }

    @Test(
      "ccache stores and finds its objects", .enabled(if: ccache != nil, "ccache is not installed"))
    func ccacheClient() throws {
      let farm = try Farm()
      farm.home.environment["GRANARY_SERVE_ANY_RECORDS"] = "true"
      let daemon = try farm.home.daemon()
      let source = farm.home.file("a.c")
      try Data("int f(int x) { return x + 1; }\n".utf8).write(to: URL(filePath: source))
      var hits: [Bool] = []
      for folder in ["first", "second"] {
        var environment = farm.home.environment
        environment["CCACHE_DIR"] = farm.home.file(folder)
        environment["CCACHE_REMOTE_STORAGE"] = farm.url + "|layout=bazel|operation-timeout=60000"
        let program = try #require(ccache)
        let compiled = try ChildProgram(
          program, ["cc", "-c", source, "-o", farm.home.file("a.o")], environment: environment
        ).finish(within: hangLimit)
        #expect(compiled.status == 0, "\(compiled)")
        let counts = try ChildProgram(program, ["--print-stats"], environment: environment)
          .finish(within: hangLimit)
        hits.append(
          String(decoding: counts.output, as: UTF8.self).contains("remote_storage_hit\t1"))
      }
      #expect(hits == [false, true])
      _ = try daemon.stop()
    }

    @Test(
      "bazel stores and finds its actions, which are checked",
      .enabled(if: bazel != nil, "bazel is not installed"))
    func bazelClient() throws {
      let farm = try Farm()
      let daemon = try farm.home.daemon()
      let folder = farm.home.file("workspace")
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      let build = """
        genrule(name = "x", srcs = ["in.txt"], outs = ["out.txt"], cmd = "cat $< $< > $@")
        """
      for (name, text) in [("WORKSPACE", ""), ("BUILD", build), ("in.txt", "hello\n")] {
        try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
      }
      var logs: [String] = []
      for root in ["first", "second"] {
        let script = """
          cd '\(folder)' && exec '\(try #require(bazel))' --batch \
          --output_user_root='\(farm.home.file(root))' build --remote_cache='\(farm.url)' \
          --spawn_strategy=local --color=no --remote_timeout=120 //:x 2>&1
          """
        let built = try ChildProgram(
          "/bin/sh", ["-c", script], environment: farm.home.environment
        ).finish(within: 600)
        logs.append(String(decoding: built.output, as: UTF8.self))
        #expect(built.status == 0, "\(built)")
      }
      #expect(!logs[0].contains("remote cache hit"), "\(logs[0])")
      #expect(logs[1].contains("1 remote cache hit"), "\(logs[1])")
      #expect(FileManager.default.contents(atPath: folder + "/bazel-bin/out.txt")?.count == 12)
      _ = try daemon.stop()
      // bazel leaves folders that nobody may write.
      _ = try ChildProgram(
        "/bin/chmod", ["-R", "u+w", farm.home.file("first"), farm.home.file("second")],
        environment: farm.home.environment
      ).finish(within: hangLimit)
    }

    @Test("settings that would open the store to others stop the start")
    func openings() throws {
      let token = try Farm().home
      for (settings, word) in [
        (["GRANARY_SERVE_ADDRESS": "0.0.0.0:9"], "serve_certificate"),
        (["GRANARY_SERVE_ADDRESS": "127.0.0.1:9", "GRANARY_SERVE_WRITES": "true"], "token"),
        (["GRANARY_SERVE_ADDRESS": "example.org:9"], "IP:PORT"),
        (["GRANARY_ASK_USERS": "no-such-user"], "no-such-user"),
      ] {
        let home = try PrivateHome()
        home.environment.merge(settings) { _, new in new }
        let refused = try home.spawnDaemon().finish(within: hangLimit)
        #expect(refused.status == 2 && refused.complaint.contains(word), "\(refused)")
      }
      chmod(token.file("token"), 0o644)
      let refused = try token.spawnDaemon().finish(within: hangLimit)
      #expect(refused.status == 1 && refused.complaint.contains("chmod"), "\(refused)")
    }
  }

  @Suite("Roles of users") struct UserRoleTests {
    /// Another user than the one who runs the daemon.
    private func other(_ home: PrivateHome, _ arguments: String...) throws -> ProgramResult {
      try ChildProgram(
        try #require(installed("setpriv")),
        ["--reuid=65534", "--regid=65534", "--clear-groups", Binaries.path("granary")] + arguments,
        environment: home.environment
      ).finish(within: hangLimit)
    }

    @Test(
      "another user may do what the configuration says, and is told why not the rest",
      .enabled(if: geteuid() == 0 && installed("setpriv") != nil, "needs root and setpriv"))
    func users() throws {
      let home = try PrivateHome()
      // The folders above the socket are open to others; the home is not.
      let folder = home.file("run")
      chmod(String(folder.dropLast("/run".count)), 0o711)
      home.environment["GRANARY_SOCKET"] = folder + "/granary.sock"
      home.environment["GRANARY_ADMIN_USERS"] = "65533"
      var daemon = try home.daemon()
      let none = try other(home, "doctor", "--no-start")
      #expect(none.status != 0 && none.complaint.contains("may not ask"), "\(none)")
      _ = try daemon.stop()
      home.environment["GRANARY_ASK_GROUPS"] = "65534"
      daemon = try home.daemon()
      let got = try other(home, "get", relu, "--json", "--no-start")
      #expect(got.status == 0, "\(got)")
      let doctor = try other(home, "doctor", "--no-start")
      let text = String(decoding: doctor.output, as: UTF8.self)
      #expect(text.contains("user 65534") && text.contains("may not administer"), "\(doctor)")
      let lock = folder + "/granary.lock"
      chmod(folder, 0o777)
      let locked = try other(home, "lock", relu, "-o", lock, "--no-start")
      #expect(locked.status == 0 && locked.complaint.contains("admin_users"), "\(locked)")
      #expect(access(lock, F_OK) == 0)
      let collected = try other(home, "gc", "--no-start")
      #expect(collected.status != 0 && collected.complaint.contains("admin_users"), "\(collected)")
      _ = try daemon.stop()
      home.environment["GRANARY_ADMIN_USERS"] = "65534"
      daemon = try home.daemon()
      #expect(try other(home, "gc", "--no-start").status == 0)
      _ = try daemon.stop()
    }
  }

  @Suite("Offline") struct OfflineTests {
    @Test("no tier is asked or given anything, locked kernels are served, and later uploads happen")
    func offline() throws {
      let home = try PrivateHome()
      let tier = home.file("tier")
      home.environment["GRANARY_TIERS"] = tier
      home.environment["GRANARY_TIER_WRITES"] = "true"
      home.environment["GRANARY_SHARED_DIRECTORY"] = home.file("schedules")
      let lock = home.file("granary.lock")
      let daemon = try home.daemon("--offline")
      #expect(try home.granary("get", relu).status == 0)
      #expect(try HousekeepingTests.isIdle(home))
      #expect(try home.granary("lock", relu, "-o", lock).status == 0)
      #expect(try home.granary("get", relu, "--lock", lock).status == 0)
      let doctor = String(decoding: try home.granary("doctor").output, as: UTF8.self)
      #expect(doctor.contains("offline: 1 tiers are set"), "\(doctor)")
      #expect(access(tier, F_OK) != 0 && access(home.file("schedules"), F_OK) != 0)
      _ = try daemon.stop()
      // What was made meanwhile is given as soon as the machine is back.
      let online = try home.daemon()
      let isGiven = eventually(within: hangLimit) { access(tier + "/ac", F_OK) == 0 }
      #expect(isGiven)
      _ = try online.stop()
    }
  }
}
