import DaemonAPI
import DaemonClient
import FoundationEssentials
import Glibc
import Support
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
  /// Many clients for long, while kernels are searched for and collected and the daemon is restarted twice, with a socket
  /// that stays, as systemd's does. `GRANARY_SOAK_CLIENTS` and `GRANARY_SOAK_SECONDS` say how many and for how long.
  @Suite("Soak") struct SoakTests {
    private static let clients = Int(number("GRANARY_SOAK_CLIENTS") ?? 24)
    private static let seconds = number("GRANARY_SOAK_SECONDS") ?? 6

    private static func number(_ variable: String) -> Double? {
      getenv(variable).flatMap { Double(String(cString: $0)) }
    }

    @Test("no error reaches any client over two restarts, and memory stays flat")
    func soak() async throws {
      let home = try PrivateHome(searchSeconds: 0.5, searchCandidates: 2)
      home.environment["GRANARY_COLLECT_SECONDS"] = "1"
      home.environment["GRANARY_STORE_ENTRIES"] = "24"
      let path = home.file("soak.sock")
      home.environment["GRANARY_SOCKET"] = path
      let socket = try UnixSocket.listening(at: path)
      let load = Load(socket: path)
      let outcome = try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<Self.clients {
          group.addTask { try await OwnThread.run { load.run(UInt64(number)) } }
        }
        let descriptor = socket.descriptor
        let (program, environment) = (try Binaries.path("granaryd"), home.environment)
        group.addTask {
          try await OwnThread.run {
            defer { load.end() }
            for phase in 0..<3 {
              let daemon = try ChildProgram(
                "/bin/sh", ["-c", "LISTEN_PID=$$ LISTEN_FDS=1 exec \(program)"],
                environment: environment, descriptor3: descriptor)
              load.awaitAnswers(Self.clients)
              load.observe(daemon.processIdentifier, seconds: Self.seconds / 3)
              // The last one answers until the clients have what they asked for.
              if phase == 2 {
                load.end()
                load.awaitClients(Self.clients)
              }
              let ended = try daemon.stop()
              #expect(ended.status == 0, "\(ended)")
            }
          }
        }
        try await group.waitForAll()
        return load.outcome
      }
      print("soak: \(outcome)")
      #expect(outcome.errors.isEmpty && outcome.answers > Self.clients)
      // A short run ends before caches are full.
      for memory in outcome.memory where Self.seconds >= 300 {
        #expect(memory.last < memory.middle + memory.middle / 4, "\(outcome)")
      }
    }
  }
}

/// The clients, and what they saw.
private final class Load: Sendable {
  struct Memory: Sendable {
    var middle: Int
    var last: Int
  }

  struct Outcome: CustomStringConvertible, Sendable {
    var answers = 0
    var ended = 0
    var errors: [String] = []
    /// Of each daemon, in the middle of its time and at the end, in KiB.
    var memory: [Memory] = []
    var description: String {
      "\(answers) answers, \(errors.count) errors \(errors.prefix(5)), \(memory)"
    }
  }

  private let socket: String
  private let isOver = Atomic(false)
  private let seen = Mutex(Outcome())

  init(socket: String) { self.socket = socket }

  var outcome: Outcome { seen.withLock { $0 } }
  func end() { isOver.store(true, ordering: .relaxed) }

  /// One client: known specs and new ones, over a connection that is kept for some requests.
  func run(_ number: UInt64) {
    var random = SeededRandom(seed: number)
    var client: DaemonClient?
    while !isOver.load(ordering: .relaxed) {
      // Mostly what is known; one in a hundred may be new, or collected meanwhile.
      let isRare = Int.random(in: 0..<100, using: &random) == 0
      let size =
        isRare ? Int.random(in: 9...40, using: &random) : Int.random(in: 1...8, using: &random)
      do {
        let used = try client ?? DaemonClient(socketPath: socket, timeoutSeconds: hangLimit)
        client = Int.random(in: 0..<8, using: &random) == 0 ? nil : used
        let answers = try used.resolve(["relu(x: f32[\(size)])"], policy: .baseline)
        let isServed = answers.count == 1 && answers[0].artifact != nil
        seen.withLock {
          $0.answers += 1
          if !isServed { $0.errors.append("\(answers)") }
        }
      } catch {
        client = nil
        seen.withLock { $0.errors.append("\(error)") }
      }
      poll(nil, 0, Int32.random(in: 100...1000, using: &random))
    }
    seen.withLock { $0.ended += 1 }
  }

  func awaitClients(_ count: Int) { wait { $0.ended >= count } }

  /// Waits until so many more answers have come.
  func awaitAnswers(_ count: Int) {
    let goal = outcome.answers + count
    wait { $0.answers >= goal }
  }

  private func wait(_ condition: (Outcome) -> Bool) {
    let deadline = TestDeadline(seconds: hangLimit)
    while !condition(outcome), !deadline.hasPassed { poll(nil, 0, 20) }
  }

  /// Watches the memory of a daemon for some time.
  func observe(_ process: pid_t, seconds: Double) {
    wait(process, seconds: seconds / 2)
    let middle = Self.residentKibibytes(process)
    wait(process, seconds: seconds / 2)
    seen.withLock {
      $0.memory.append(Memory(middle: middle, last: Self.residentKibibytes(process)))
    }
  }

  private func wait(_ process: pid_t, seconds: Double) {
    let end = TestDeadline(seconds: seconds)
    while !end.hasPassed {
      poll(nil, 0, min(10_000, end.milliseconds))
      let now = outcome
      if seconds > 10 {
        tell(
          "soak: \(now.answers) answers, \(now.errors.count) errors, daemon \(process) "
            + "\(Self.residentKibibytes(process) >> 10) MiB")
      }
    }
  }

  private static func residentKibibytes(_ process: pid_t) -> Int {
    let bytes = FileManager.default.contents(atPath: "/proc/\(process)/statm") ?? Data()
    let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return words.count > 1 ? (Int(words[1]) ?? 0) * 4 : 0
  }
}
