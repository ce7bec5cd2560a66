import FoundationEssentials
import Glibc
import TestSupport
import Testing

private let relu = "relu(x: f32[11,17])"

extension EndToEnd {
  @Suite("Bad environments") struct BadEnvironmentTests {
    @Test("a second daemon refuses to start, says why, and the first one serves on")
    func secondDaemonRefuses() throws {
      let home = try PrivateHome()
      let first = try home.daemon()
      let second = try home.spawnDaemon().finish(within: hangLimit)
      #expect(second.status == 1, "\(second)")
      #expect(second.complaint.contains("another daemon already serves \(home.socket)"))
      #expect(second.complaint.split(separator: "\n").count == 1)
      #expect(try home.granary("get", relu, "--no-start").status == 0)
      first.killNow()
    }

    @Test("a home that cannot be written gives one clear line")
    func unwritableHomesAreReported() throws {
      // Root may write anywhere, but nobody can make a folder below a device.
      let home = try PrivateHome(at: "/dev/null/granary")
      let daemon = try home.spawnDaemon().finish(within: hangLimit)
      #expect(daemon.status == 1, "\(daemon)")
      #expect(daemon.complaint.contains("/dev/null"), "\(daemon)")
      #expect(daemon.complaint.split(separator: "\n").count == 1)
      let client = try home.granary("get", relu, "--json")
      #expect(client.status == 1 || client.status == 3, "\(client)")
      let failure = try client.failure()
      #expect(failure["who"].text == "environment")
      #expect(failure["message"].text?.contains("/dev/null") == true, "\(client)")
    }

    @Test("a missing compiler is named by the daemon and by the client")
    func missingCompilersAreReported() throws {
      let home = try PrivateHome()
      home.environment["GRANARY_CC"] = "/nonexistent/cc"
      let daemon = try home.spawnDaemon().finish(within: hangLimit)
      #expect(daemon.status == 1, "\(daemon)")
      #expect(daemon.complaint.contains("/nonexistent/cc"), "\(daemon)")
      let client = try home.granary("get", relu, "--json")
      #expect(client.status == 3, "\(client)")
      #expect(try client.failure()["message"].text?.contains("/nonexistent/cc") == true)
    }

    @Test("a compiler that hangs is killed at its time limit, and the client is told so")
    func hangingCompilersAreKilled() throws {
      let home = try PrivateHome()
      let script = home.file("cc")
      let text =
        "#!/bin/sh\ncase \"$*\" in --version) echo cc 1;; *-dM*) exit 1;; *) exec sleep 600;; esac\n"
      try Data(text.utf8).write(to: URL(filePath: script))
      chmod(script, 0o700)
      home.environment["GRANARY_CC"] = script
      home.environment["GRANARY_CC_SECONDS"] = "1"
      let result = try home.granary("get", relu, "--json")
      #expect(result.status == 1, "\(result)")
      let message = try result.failure()["message"].text
      #expect(message?.contains("the compiler took too long") == true, "\(result)")
      #expect(try home.statistics()["entries"].number == 0)
    }

    @Test("a compiler that fails is quoted, and the daemon serves on")
    func failingCompilersAreQuoted() throws {
      let home = try PrivateHome()
      let script = home.file("cc")
      let text = "#!/bin/sh\n[ \"$1\" = --version ] && exec echo cc 1\necho no licence; exit 1\n"
      try Data(text.utf8)
        .write(to: URL(filePath: script))
      chmod(script, 0o700)
      home.environment["GRANARY_CC"] = script
      let result = try home.granary("get", relu, "--json")
      #expect(result.status == 1, "\(result)")
      #expect(try result.failure()["message"].text?.contains("no licence") == true, "\(result)")
      let counters = try home.statistics()
      #expect(counters["entries"].number == 0)
      #expect(counters["searches_started"].number == 0)
    }

    @Test("a setting that makes no sense is refused with its origin")
    func badSettingsAreRefused() throws {
      let home = try PrivateHome()
      home.environment["GRANARY_SEARCH_CANDIDATES"] = "many"
      let daemon = try home.spawnDaemon().finish(within: hangLimit)
      #expect(daemon.status == 2, "\(daemon)")
      #expect(daemon.complaint.contains("GRANARY_SEARCH_CANDIDATES"), "\(daemon)")
    }

    @Test(
      "a daemon whose database is damaged starts and serves", arguments: [0, 100, 4096, 20_000])
    func damagedDatabasesAreRebuilt(offset: Int) throws {
      let home = try PrivateHome()
      let first = try home.daemon()
      #expect(try home.granary("get", relu, "exp(x: f32[5])").status == 0)
      // A stop folds the write-ahead log into the database; a crash makes the next start look
      // closely.
      #expect(try first.stop().status == 0)
      try home.daemon().killNow()
      try Self.overwrite(home.database, at: offset, count: 512)
      let second = try home.daemon()
      let answer = try home.granary("get", relu, "--json", "--no-start")
      #expect(answer.status == 0, "\(answer)")
      let again = try home.granary("get", relu, "--json", "--no-start")
      #expect(try again.json()[0]["status"].text == "hit", "\(again)")
      #expect(try home.granary("doctor", "--no-start").status == 0)
      second.killNow()
    }

    @Test("what compilations of killed daemons left behind is removed")
    func abandonedFoldersAreRemoved() throws {
      let home = try PrivateHome()
      let abandoned = home.file("granary-build-ABCDEF")
      try FileManager.default.createDirectory(
        atPath: abandoned, withIntermediateDirectories: true)
      try Data("int x;".utf8).write(to: URL(filePath: abandoned + "/kernel.c"))
      let anHourAgo = timeval(tv_sec: time(nil) - 3600, tv_usec: 0)
      #expect(utimes(abandoned, [anHourAgo, anHourAgo]) == 0)
      let daemon = try home.daemon()
      #expect(access(abandoned, F_OK) != 0)
      #expect(try home.granary("get", relu, "--no-start").status == 0)
      daemon.killNow()
    }

    @Test("a disk without room for a store is named, with the room that is needed")
    func tinyDisksAreRefused() throws {
      let disk = try SmallDisk(bytes: 1 << 20)
      guard disk.isMounted else { return }
      let home = try PrivateHome(at: disk.path + "/home")
      let result = try home.spawnDaemon().finish(within: hangLimit)
      #expect(result.status == 1, "\(result)")
      #expect(result.complaint.contains("KiB free for the store"), "\(result)")
    }

    @Test("a daemon that may open too few files says so instead of failing later")
    func fewFilesAreRefused() throws {
      let home = try PrivateHome()
      let result = try ChildProgram(
        "/bin/sh", ["-c", "ulimit -n 64; exec \(Binaries.path("granaryd"))"],
        environment: home.environment
      ).finish(within: hangLimit)
      #expect(result.status == 1, "\(result)")
      #expect(result.complaint.contains("only 64 files may be open"), "\(result)")
    }

    @Test("a full disk fails what must be written, and nothing that was acknowledged")
    func fullDisksAreReported() throws {
      let disk = try SmallDisk(bytes: 8 << 20)
      guard disk.isMounted else { return }
      let home = try PrivateHome(at: disk.path + "/home")
      let daemon = try home.daemon()
      let kept = try home.granary("get", relu, "--json", "--no-start").json()[0]
      #expect(kept["status"].text == "baseline")
      let isIdle = try eventually(within: hangLimit) {
        try home.statistics()["searches_finished"].number == 1
      }
      #expect(isIdle)
      disk.fill()
      var refused: ProgramResult?
      for extent in 20..<60 where refused == nil {
        let result = try home.granary("get", "relu(x: f32[\(extent)])", "--json", "--no-start")
        if result.status != 0 { refused = result }
      }
      let failure = try #require(refused, "a full disk went unnoticed")
      #expect(failure.status == 1, "\(failure)")
      #expect(try failure.failure()["code"].text == "environment")
      #expect(try failure.failure()["message"].text?.contains("full") == true)
      let found = try home.granary("get", relu, "--json", "--no-start")
      #expect(try found.json()[0]["status"].text == "hit", "\(found)")
      disk.empty()
      let result = try home.granary("get", "relu(x: f32[77])", "--json", "--no-start")
      #expect(try result.json()[0]["status"].text == "baseline", "\(result)")
      daemon.killNow()
    }

    /// Writes garbage into a file.
    private static func overwrite(_ path: String, at offset: Int, count: Int) throws {
      let file = open(path, O_WRONLY)
      guard file >= 0 else { throw ProgramError(description: "there is no \(path)") }
      defer { close(file) }
      let garbage = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }
      guard pwrite(file, garbage, count, offset) == count else {
        throw ProgramError(description: "cannot damage \(path)")
      }
    }
  }
}

/// A file system of a few megabytes; only root can make one.
private final class SmallDisk {
  private let folder = TemporaryFolder()
  var path: String { folder.path }
  let isMounted: Bool
  private var filler: String { path + "/filler" }

  init(bytes: Int) throws {
    isMounted = mount("tmpfs", folder.path, "tmpfs", 0, "size=\(bytes)") == 0
  }

  deinit {
    // MNT_DETACH of sys/mount.h: the daemon may still have files open.
    if isMounted { umount2(path, 2) }
  }

  func fill() {
    let file = open(filler, O_WRONLY | O_CREAT, 0o600)
    let block = [UInt8](repeating: 1, count: 4096)
    while write(file, block, block.count) > 0 {}
    close(file)
  }

  func empty() { unlink(filler) }
}
