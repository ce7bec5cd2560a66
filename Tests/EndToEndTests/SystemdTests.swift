import DaemonAPI
import DaemonClient
import Glibc
import Testing

private let canBecomeAnother =
  geteuid() == 0 && access("/usr/bin/setpriv", X_OK) == 0 && access("/usr/bin/perl", X_OK) == 0

extension EndToEnd {
  @Suite("Under systemd") struct SystemdTests {
    @Test("the daemon serves the socket that it was started with, and leaves it behind")
    func activation() throws {
      let home = try PrivateHome()
      let path = home.file("activated.sock")
      let socket = try UnixSocket.listening(at: path)
      // It waits in the queue: systemd starts the service because of it.
      let early = try RawConnection(path)
      early.send("GET /v1/greeting HTTP/1.1\r\n\r\n".utf8)
      let daemon = try activated(home, by: socket.descriptor)
      let greeting = early.answer(within: 300)
      #expect(
        greeting.contains("\"process_identifier\":\(daemon.processIdentifier)"), "\(greeting)")
      #expect(access(home.socket, F_OK) != 0)
      #expect(try daemon.stop().status == 0)
      #expect(access(path, F_OK) == 0)
    }

    @Test("an inherited descriptor that is no listening socket is refused with one line")
    func badActivation() throws {
      let home = try PrivateHome()
      let nothing = open("/dev/null", O_RDONLY | O_CLOEXEC)
      defer { close(nothing) }
      let result = try activated(home, by: nothing).finish(within: 300)
      #expect(result.status == 1)
      #expect(result.complaint.contains("LISTEN_FDS"), "\(result)")
      #expect(result.complaint.split(separator: "\n").count == 1)
    }

    @Test("descriptors for another process are left alone")
    func othersDescriptors() throws {
      let home = try PrivateHome()
      home.environment["LISTEN_PID"] = "1"
      home.environment["LISTEN_FDS"] = "1"
      let daemon = try home.daemon()
      #expect(access(home.socket, F_OK) == 0)
      daemon.killNow()
    }

    @Test(
      "another user is refused with a reason, even where the mode of the socket lets him connect",
      .enabled(if: canBecomeAnother))
    func anotherUser() throws {
      let home = try PrivateHome()
      let path = home.file("activated.sock")
      let socket = try UnixSocket.listening(at: path)
      chmod(path, 0o666)
      chmod(home.file(""), 0o711)
      let daemon = try activated(home, by: socket.descriptor)
      #expect(try answer(to: "nobody", at: path).hasPrefix("HTTP/1.1 403"))
      #expect(try answer(to: "root", at: path).hasPrefix("HTTP/1.1 200"))
      daemon.killNow()
    }

    @Test("systemd is told when the daemon is ready, that it lives, and when it stops")
    func notification() throws {
      let home = try PrivateHome()
      let path = home.file("notify.sock")
      let socket = try UnixSocket.receiving(at: path)
      home.environment["NOTIFY_SOCKET"] = path
      home.environment["WATCHDOG_USEC"] = "100000"
      let daemon = try home.spawnDaemon()
      #expect(socket.message() == "READY=1")
      #expect(try home.client().greeting().processIdentifier == Int(daemon.processIdentifier))
      #expect(socket.message() == "WATCHDOG=1")
      #expect(try daemon.stop().status == 0)
      var last = socket.message()
      while last == "WATCHDOG=1" { last = socket.message() }
      #expect(last == "STOPPING=1")
    }

    /// Starts the daemon as systemd does: with a descriptor 3, and the number of the process itself.
    private func activated(_ home: PrivateHome, by descriptor: Int32) throws -> ChildProgram {
      try ChildProgram(
        "/bin/sh", ["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \(Binaries.path("granaryd"))"],
        environment: home.environment, descriptor3: descriptor)
    }

    /// What a client that runs as `user` is answered.
    private func answer(to user: String, at path: String) throws -> String {
      let script = """
        use Socket; $SIG{PIPE} = 'IGNORE'; socket(S, AF_UNIX, SOCK_STREAM, 0);
        connect(S, pack_sockaddr_un($ARGV[0])) or die "connect: $!";
        syswrite S, "GET /v1/greeting HTTP/1.1\\r\\n\\r\\n";
        print sysread(S, $b, 100) ? $b : "refused";
        """
      let result = try ChildProgram(
        "/usr/bin/setpriv",
        ["--reuid", user, "--clear-groups", "--", "/usr/bin/perl", "-e", script, path],
        environment: [:]
      ).finish(within: 300)
      guard result.status == 0 else { throw ProgramError(description: "\(result)") }
      return String(decoding: result.output, as: UTF8.self)
    }
  }
}
