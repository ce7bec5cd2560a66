import FoundationEssentials
import Glibc
import TestSupport
import Testing

private let strace = installed("strace")

/// One system call in many that fails or never returns.
private struct Fault: CustomStringConvertible {
  var call: String
  /// As strace says it: `error=EIO` or `signal=KILL`.
  var effect: String
  var number: Int

  var description: String { "\(call) \(number): \(effect)" }
}

extension EndToEnd {
  /// A publication, a collection and an import, with each of their system calls failing in turn, or being the last.
  ///
  /// `GRANARY_FAULT_SWEEP=all` takes every call, otherwise every 29th is taken; `GRANARY_PART=2/4` a fourth of those.
  @Suite(
    "Faults at system calls", .enabled(if: strace != nil, "strace is not installed"))
  struct FaultSweepTests {
    private static let errors = [
      "openat": ["EMFILE", "EIO"], "pwrite64": ["ENOSPC", "EIO"], "write": ["ENOSPC", "EIO"],
      "fsync": ["EIO"], "fdatasync": ["EIO"], "rename": ["ENOSPC", "EIO"], "mkdir": ["ENOSPC"],
      "unlink": ["EIO"], "ftruncate": ["EIO"], "pread64": ["EIO"], "fcntl": ["ENOLCK"],
    ]
    private static let stride: Int = {
      getenv("GRANARY_FAULT_SWEEP").map { String(cString: $0) } == "all" ? 1 : 29
    }()

    @Test("an error of any call is told, nothing acknowledged is lost, and the store goes on")
    func errors() throws {
      let place = try SweptStore()
      var taken = 0
      var telling = Telling()
      for (call, errors) in Self.errors.sorted(by: { $0.key < $1.key }) {
        for number in try place.numbers(of: call, every: Self.stride) {
          for error in errors {
            let fault = Fault(call: call, effect: "error=\(error)", number: number)
            let run = try place.run(under: fault)
            #expect(run.status >= 0, "\(fault): \(run)")
            #expect(!run.text.contains("strange"), "\(fault): \(run)")
            // One failing call spoils one step, and never the last, unless the store did not open.
            let isOpen = !run.text.contains("failed open")
            let isLast = run.text.contains("failed again") || run.text.contains("failed close")
            #expect(!isOpen || isLast || run.text.contains("done again"), "\(fault): \(run)")
            try place.check(run, fault)
            taken += 1
            telling.tell("failing calls: \(taken), now \(fault)")
          }
        }
      }
      tell("failing calls: \(taken)")
      #expect(taken > 20)
    }

    @Test("whichever call is the last before the process is killed, nothing acknowledged is lost")
    func ends() throws {
      let place = try SweptStore()
      var taken = 0
      var telling = Telling()
      for call in [
        "openat", "pwrite64", "write", "fsync", "fdatasync", "rename", "unlink", "mkdir",
      ] {
        for number in try place.numbers(of: call, every: Self.stride) {
          let fault = Fault(call: call, effect: "signal=KILL", number: number)
          try place.check(try place.run(under: fault), fault)
          taken += 1
          telling.tell("last calls: \(taken), now \(fault)")
        }
      }
      tell("last calls: \(taken)")
      #expect(taken > 10)
    }
  }
}

/// A store that is made anew for each run.
private struct SweptStore {
  struct Run: CustomStringConvertible {
    var status: Int32
    var text: String
    var description: String { "status \(status): \(text)" }

    /// The names of what was acknowledged.
    var acknowledged: [String] {
      text.split(separator: "\n").filter { $0.hasPrefix("done ") }.map { String($0.dropFirst(5)) }
        .filter { !["collection", "close"].contains($0) }
    }
  }

  private let home: PrivateHome
  private let program: String
  private var template: String { home.file("template") }
  private var store: String { home.file("swept") }
  private var trace: String { home.file("trace") }

  init() throws {
    home = try PrivateHome()
    program = try Binaries.path("granary-store-exercise")
    let prepared = try ChildProgram(
      program, ["prepare", template], environment: home.environment
    ).finish(within: 300)
    #expect(prepared.status == 0 && prepared.output.isEmpty, "\(prepared)")
  }

  /// The numbers of the calls that have to do with the store: not those that load the program.
  func numbers(of call: String, every step: Int) throws -> [Int] {
    try renew()
    _ = try strace(["-e", "trace=\(call)"])
    let lines = String(
      decoding: FileManager.default.contents(atPath: trace) ?? Data(), as: UTF8.self
    ).split(separator: "\n").filter { $0.contains("\(call)(") }
    guard let first = lines.firstIndex(where: { $0.contains(store) }) else { return [] }
    let part = Part()
    return Swift.stride(from: first + 1, through: lines.count, by: step).filter(part.has)
  }

  func run(under fault: Fault) throws -> Run {
    try renew()
    return try strace([
      "-e", "trace=\(fault.call)",
      "-e", "inject=\(fault.call):\(fault.effect):when=\(fault.number)",
    ])
  }

  /// Whether the store is sound without faults, and has what was acknowledged.
  func check(_ run: Run, _ fault: Fault) throws {
    let found = try ChildProgram(
      program, ["check", store] + run.acknowledged, environment: home.environment
    ).finish(within: 300)
    #expect(found.status == 0 && found.output.isEmpty, "\(fault): \(run) and then \(found)")
  }

  private func strace(_ options: [String]) throws -> Run {
    let ended = try ChildProgram(
      try #require(installed("strace")),
      ["-f", "-qq", "-y", "-o", trace] + options + [program, "run", store],
      environment: home.environment
    ).finish(within: 300)
    return Run(status: ended.status, text: String(decoding: ended.output, as: UTF8.self))
  }

  private func renew() throws {
    let files = FileManager.default
    if files.fileExists(atPath: store) { try files.removeItem(atPath: store) }
    try files.copyItem(atPath: template, toPath: store)
  }
}
