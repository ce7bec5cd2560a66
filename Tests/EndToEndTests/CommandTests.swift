import DaemonAPI
import DaemonClient
import FoundationEssentials
import Glibc
import KernelSpec
import TestSupport
import Testing

private let relu = "relu(x: f32[11,17])"

extension EndToEnd {
  @Suite("The commands") struct CommandTests {
    @Test("the first get starts a daemon and makes a baseline, the second is a hit")
    func firstGetStartsADaemon() throws {
      let home = try PrivateHome()
      let first = try home.granary("get", relu, "--json")
      #expect(first.status == 0, "\(first)")
      #expect(first.complaint.contains("starting"), "\(first)")
      let made = try first.json()[0]
      #expect(made["status"].text == "baseline")
      #expect(made["verdict"].text == "baseline")
      #expect(made["revision"].number == 1)
      #expect(made["key"].text?.count == 64)
      #expect(made["artifact"].text?.count == 64)
      #expect(made["latency_microseconds"].number ?? 0 > 0)
      let second = try home.granary("get", relu, "--json", "--no-start")
      #expect(second.status == 0, "\(second)")
      let found = try second.json()[0]
      #expect(found["status"].text == "hit")
      #expect(found["key"] == made["key"])
    }

    @Test("several specs at once get one answer each, in their order")
    func severalSpecsAreOneBatch() throws {
      let home = try PrivateHome()
      let result = try home.granary(
        "get", relu, "exp(x: f32[5])", "nonsense(x: f32[5])", "--json")
      let answers = try result.json()
      #expect(answers.list.count == 3)
      #expect(answers[0]["status"].text == "baseline")
      #expect(answers[1]["status"].text == "baseline")
      #expect(answers[2]["error"]["code"].text == "bad-spec")
      #expect(result.status == 2)
    }

    @Test("stats, ls, show, hardware, doctor and config print what scripts rely on")
    func reportsHaveTheirFields() throws {
      let home = try PrivateHome()
      let key = try #require(try home.granary("get", relu, "--json").json()[0]["key"].text)
      let counters = try home.statistics()
      #expect(
        counters.names.isSuperset(of: [
          "entries", "requests", "hits", "misses", "baselines_served", "searches_started",
          "searches_finished", "bytes_uncompressed", "bytes_compressed",
        ]))
      #expect(counters["entries"].number == 1)
      #expect(counters["baselines_served"].number == 1)
      #expect(counters["bytes_uncompressed"].number ?? 0 > 0)
      let entry = try home.granary("ls", "--json").json()[0]
      #expect(
        entry.names.isSuperset(of: [
          "key", "name", "hardware", "verdict", "revision", "bytes", "created", "last_used",
        ]))
      #expect(entry["key"].text == key)
      #expect(entry["bytes"].number ?? 0 > 0)
      let detail = try home.granary("show", String(key.prefix(12)), "--json").json()
      #expect(detail["entry"]["key"].text == key)
      #expect(detail["evidence"]["checks"].list.isEmpty == false)
      #expect(try home.granary("hardware", "--json").json()["threads"].number ?? 0 >= 1)
      let findings = try home.granary("doctor", "--json").json()["findings"].list
      #expect(findings.contains { $0["subject"].text == "compiler" })
      #expect(!findings.contains { $0["state"].text == "bad" })
      let settings = try home.granary("config", "--show-origin")
      #expect(settings.status == 0)
      let text = String(decoding: settings.output, as: UTF8.self)
      #expect(text.contains("search_candidates = 1  # environment GRANARY_SEARCH_CANDIDATES"))
    }

    @Test("explain names the part of the key in which a miss differs")
    func explainNamesTheDifferingPart() throws {
      let home = try PrivateHome()
      _ = try home.granary("get", relu)
      let miss = try home.granary("explain", "relu(x: f32[11,18])", "--json")
      #expect(miss.status == 0, "\(miss)")
      let explanation = try miss.json()
      #expect(explanation["present"] == .boolean(false))
      let parts = explanation["nearest"]["differences"].list.compactMap { $0["part"].text }
      #expect(parts == ["spec"])
      let hit = try home.granary("explain", relu, "--json").json()
      #expect(hit["present"] == .boolean(true))
    }

    @Test("spec key gives the key under which the daemon of this machine keeps the kernel")
    func specKeysAreThoseOfTheDaemon() throws {
      let home = try PrivateHome()
      let key = try home.granary("spec", "key", relu, "--json").json()[0]["key"].text
      let offline = try home.granary("stats", "--no-start")
      #expect(offline.status == 3, "it needs no daemon")
      #expect(try home.granary("get", relu, "--json").json()[0]["key"].text == key)
    }

    @Test("a fault in a file of specs is reported with the line where the spec begins")
    func faultsInFilesAreLocated() throws {
      let home = try PrivateHome()
      try Data("# two\n\n\(relu)\nrelu(x: f33[4])\n".utf8)
        .write(to: URL(filePath: home.file("specs")))
      for arguments in [["get"], ["spec", "check"]] {
        let child = try ChildProgram(
          Binaries.path("granary"), arguments + [home.file("specs")],
          environment: home.environment)
        let result = try child.finish(within: hangLimit)
        #expect(result.status == 2, "\(result)")
        #expect(
          result.complaint.contains("\(home.file("specs")):4: line 1, column 9: found 'f33'"),
          "\(result)")
      }
    }

    @Test("rm removes an entry, and the next get makes it again")
    func removedEntriesAreMadeAgain() throws {
      let home = try PrivateHome()
      let key = try #require(try home.granary("get", relu, "--json").json()[0]["key"].text)
      #expect(try home.granary("rm", key).status == 0)
      #expect(try home.statistics()["entries"].number == 0)
      #expect(try home.granary("show", key).status == 1)
      let cached = try home.granary("get", relu, "--policy", "cached", "--json")
      #expect(try cached.json()[0]["status"].text == "miss", "\(cached)")
      #expect(try home.granary("get", relu, "--json").json()[0]["status"].text == "baseline")
    }

    @Test("a daemon that a client starts keeps none of the client's files open")
    func daemonInheritsNothing() throws {
      let home = try PrivateHome()
      let script = """
        exec 9>"$1"; flock 9; "$0" stats >&2 || exit 9; exec 9>&-
        flock --nonblock "$1" true && "$0" stats --json --no-start
        """
      let shell = try ChildProgram(
        "/bin/sh", ["-c", script, try Binaries.path("granary"), home.file("lock")],
        environment: home.environment)
      let result = try shell.finish(within: hangLimit)
      #expect(result.status == 0, "\(result)")
      #expect(try result.json()["entries"].number == 0)
    }

    @Test("clients that start at the same time, without a daemon, share one")
    func simultaneousClientsShareOneDaemon() throws {
      let home = try PrivateHome()
      let children = try (0..<8).map { _ in
        try ChildProgram(
          Binaries.path("granary"), ["get", relu, "--json"], environment: home.environment)
      }
      let results = try children.map { try $0.finish(within: hangLimit) }
      #expect(results.allSatisfy { $0.status == 0 }, "\(results)")
      let counters = try home.statistics()
      #expect(counters["requests"].number == 8)
      #expect(counters["entries"].number == 1)
    }

    @Test("get -o writes the artifact under its digest, with its manifest")
    func getWritesArtifacts() throws {
      let home = try PrivateHome()
      let result = try home.granary("get", relu, "-o", home.file("out"), "--json")
      #expect(result.status == 0, "\(result)")
      let digest = try #require(try result.json()[0]["artifact"].text)
      let bytes = try Data(contentsOf: URL(filePath: home.file("out/\(digest).so")))
      #expect(Digest(of: [UInt8](bytes)).hex == digest)
      #expect(access(home.file("out/\(digest).json"), F_OK) == 0)
    }

    @Test("prewarm makes every kernel of a file")
    func prewarmFillsTheCache() throws {
      let home = try PrivateHome()
      try Data("# two specs\n\(relu)\nexp(x: f32[6])\n".utf8)
        .write(to: URL(filePath: home.file("specs")))
      #expect(try home.granary("prewarm", home.file("specs")).status == 0)
      #expect(try home.granary("ls", "--json").json().list.count == 2)
      let again = try home.granary("get", home.file("specs"), "--policy", "cached", "--json")
      #expect(try again.json().list.allSatisfy { $0["status"].text == "hit" }, "\(again)")
    }

    @Test(
      "completion scripts are right for each shell that is here",
      arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) throws {
      let home = try PrivateHome()
      let script = try home.granary("--generate-completion-script", shell)
      #expect(script.status == 0 && script.output.count > 1000, "\(script.complaint)")
      let folders = ["/usr/local/bin", "/usr/bin", "/bin"]
      guard let folder = folders.first(where: { access("\($0)/\(shell)", X_OK) == 0 }) else {
        return
      }
      try Data(script.output).write(to: URL(filePath: home.file("completion")))
      let check = try ChildProgram(
        "\(folder)/\(shell)", ["-n", home.file("completion")], environment: home.environment
      ).finish(within: hangLimit)
      #expect(check.status == 0, "\(check)")
    }

    @Test("every command has help, and says what it is for")
    func help() throws {
      let home = try PrivateHome()
      let top = String(decoding: try home.granary("--help").output, as: UTF8.self)
      let verbs = top.split(separator: "\n").drop { !$0.hasPrefix("SUBCOMMANDS") }.dropFirst()
        .filter { $0.hasPrefix("  ") && $0.dropFirst(2).first?.isLowercase == true }
        .compactMap { $0.split(separator: " ").first.map(String.init) }
      #expect(verbs.count >= 18, "\(top)")
      for verb in verbs {
        let help = try home.granary(verb, "--help")
        #expect(help.status == 0, "\(verb)")
        let text = String(decoding: help.output, as: UTF8.self)
        let name = verb == "serve" ? "granaryd" : "granary \(verb)"
        #expect(text.hasPrefix("OVERVIEW:") && text.contains("USAGE: \(name)"), "\(help)")
      }
    }

    @Test("the daemon says how long it may wait, so that a client does not give up before")
    func theDaemonSaysHowLongItWaits() throws {
      let home = try PrivateHome()
      let daemon = try home.daemon("--default-policy", "tuned", "--tuned-deadline-seconds", "7")
      let greeting = try home.client().greeting()
      #expect(greeting.defaultPolicy == .tuned && greeting.tunedDeadlineSeconds == 7)
      daemon.killNow()
    }

    @Test("granary serve is the daemon")
    func serveIsTheDaemon() throws {
      let home = try PrivateHome()
      let child = try ChildProgram(
        Binaries.path("granary"), ["serve"], environment: home.environment)
      #expect(home.isServed(by: child))
      #expect(try child.stop().status == 0)
    }
  }
}
