import DaemonAPI
import DaemonClient
import FoundationEssentials
import Glibc
import Synchronization
import TestSupport

/// A private GRANARY_HOME with the real binaries. Its daemon is killed and its folder removed when
/// it is released.
final class PrivateHome {
  let path: String
  var environment: [String: String]
  var socket: String { environment["GRANARY_SOCKET"] ?? path + "/granary.sock" }
  var database: String { path + "/store/index.sqlite" }
  private let folder = TemporaryFolder()
  /// What a daemon of this run has measured of the machine: the next one need not.
  private static let ceilings = Mutex<Data?>(nil)
  private var ceilingsFile: String { path + "/store/ceilings.json" }

  /// - Parameters:
  ///   - searchSeconds: what one background search may take.
  ///   - place: the home itself, when it must not be a fresh folder.
  init(searchSeconds: Double = 0.01, searchCandidates: Int = 1, at place: String? = nil) throws {
    path = place ?? folder.file("home")
    environment = [
      // What a killed daemon leaves in TMPDIR goes with the folder.
      "GRANARY_HOME": path, "HOME": folder.path, "TMPDIR": folder.path,
      "PATH": "/usr/local/bin:/usr/bin:/bin",
      "GRANARY_SEARCH_SECONDS": "\(searchSeconds)",
      "GRANARY_SEARCH_CANDIDATES": "\(searchCandidates)",
    ]
    for name in ["PATH", "LD_LIBRARY_PATH", "GRANARY_CC"] {
      if let value = getenv(name) { environment[name] = String(cString: value) }
    }
    guard place == nil, let known = Self.ceilings.withLock({ $0 }) else { return }
    for folder in [path, path + "/store"] { mkdir(folder, 0o700) }
    try known.write(to: URL(filePath: ceilingsFile))
  }

  deinit {
    if let known = FileManager.default.contents(atPath: ceilingsFile) {
      Self.ceilings.withLock { $0 = known }
    }
    if let client = try? client(seconds: 2), let greeting = try? client.greeting() {
      kill(pid_t(greeting.processIdentifier), SIGKILL)
    }
  }

  /// A path for a file of the test, outside of the home.
  func file(_ name: String) -> String { folder.file(name) }

  /// Runs `granary` to its end.
  func granary(_ arguments: String..., within seconds: Double = hangLimit) throws -> ProgramResult {
    try ChildProgram(Binaries.path("granary"), arguments, environment: environment)
      .finish(within: seconds)
  }

  /// Starts `granaryd` and returns at once.
  func spawnDaemon(_ flags: String...) throws -> ChildProgram {
    try ChildProgram(Binaries.path("granaryd"), flags, environment: environment)
  }

  /// Starts `granaryd` and waits until it answers.
  func daemon(_ flags: String...) throws -> ChildProgram {
    let child = try ChildProgram(Binaries.path("granaryd"), flags, environment: environment)
    guard isServed(by: child) else {
      child.killNow()
      throw ProgramError(description: "granaryd does not answer: \(try child.finish(within: 5))")
    }
    return child
  }

  /// Waits until the daemon that answers is `child`, or `child` has ended.
  func isServed(by child: ChildProgram) -> Bool {
    var isServed = false
    _ = eventually(within: hangLimit) {
      let answering = try? client(seconds: 20).greeting().processIdentifier
      isServed = answering == Int(child.processIdentifier)
      return isServed || child.hasEnded
    }
    return isServed
  }

  /// A client of the daemon that runs.
  func client(seconds: Double = 60) throws -> DaemonClient {
    try DaemonClient(socketPath: socket, timeoutSeconds: seconds)
  }

  func statistics() throws -> JSON { try granary("stats", "--json", "--no-start").json() }
}

/// The binaries of this build.
enum Binaries {
  /// The path of one of them: beside the test bundle.
  static func path(_ name: String) throws -> String {
    let package = #filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 }
    var folders = [package + "/.build/debug", package + "/.build/release"]
    if let own = CommandLine.arguments.first(where: { $0.hasSuffix(".xctest") }) {
      folders.insert(
        own.split(separator: "/").dropLast().reduce(own.hasPrefix("/") ? "" : ".") {
          $0 + "/" + $1
        },
        at: 0)
    }
    guard let folder = folders.first(where: { access("\($0)/\(name)", X_OK) == 0 }) else {
      throw ProgramError(description: "\(name) is in none of \(folders)")
    }
    return "\(folder)/\(name)"
  }
}
