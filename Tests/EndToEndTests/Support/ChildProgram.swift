import Glibc
import TestSupport

/// Why a program could not be run.
struct ProgramError: Error, CustomStringConvertible {
  var description: String
}

/// What a program that ended has left.
struct ProgramResult: Sendable, CustomStringConvertible {
  /// The exit code; minus the signal for one that was ended by a signal.
  var status: Int32
  var output: [UInt8]
  var complaint: String

  var description: String {
    "status \(status)\n\(String(decoding: output, as: UTF8.self))\n\(complaint)"
  }

  func json() throws -> JSON { try JSON(parsing: output) }
  /// The object that `--json` writes to standard error: its last line.
  func failure() throws -> JSON {
    try JSON(parsing: Array((complaint.split(separator: "\n").last ?? "").utf8))
  }
}

/// A process of one of the real binaries, with pipes for what it writes. Killed when released.
final class ChildProgram {
  let processIdentifier: pid_t
  private var output: PipeReader
  private var complaint: PipeReader
  private var status: Int32?

  /// - Parameter descriptor3: what the program inherits as its descriptor 3, as from systemd.
  init(
    _ program: String, _ arguments: [String], environment: [String: String],
    descriptor3: Int32? = nil
  ) throws {
    let (output, complaint) = (try Pipe(), try Pipe())
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output.writeEnd, 1)
    posix_spawn_file_actions_adddup2(&actions, complaint.writeEnd, 2)
    if let descriptor3 { posix_spawn_file_actions_adddup2(&actions, descriptor3, 3) }
    var pointers = ([program] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in pointers + variables { free(pointer) } }
    var process = pid_t()
    let result = posix_spawn(&process, program, &actions, nil, &pointers, &variables)
    close(output.writeEnd)
    close(complaint.writeEnd)
    self.output = PipeReader(descriptor: output.readEnd)
    self.complaint = PipeReader(descriptor: complaint.readEnd)
    processIdentifier = process
    guard result == 0 else {
      status = -1
      throw ProgramError(description: "cannot run \(program): \(String(cString: strerror(result)))")
    }
  }

  deinit {
    if status == nil {
      kill(processIdentifier, SIGKILL)
      reap()
    }
    close(output.descriptor)
    close(complaint.descriptor)
  }

  /// Whether the process has ended; it is still to be waited for.
  var hasEnded: Bool {
    var change = siginfo_t()
    let options = WEXITED | WNOHANG | WNOWAIT
    return status != nil
      || waitid(P_PID, id_t(processIdentifier), &change, options) == 0 && change.si_signo == SIGCHLD
  }

  /// Ends the process as `kill -9` does, and waits until it is gone.
  func killNow() {
    guard status == nil else { return }
    kill(processIdentifier, SIGKILL)
    reap()
  }

  /// Asks the process to end, and waits until it has.
  func stop() throws -> ProgramResult {
    kill(processIdentifier, SIGTERM)
    return try finish(within: hangLimit)
  }

  /// Waits until the process has closed its pipes and ended.
  func finish(within seconds: Double) throws -> ProgramResult {
    let deadline = TestDeadline(seconds: seconds)
    while !(output.isAtEnd && complaint.isAtEnd) {
      guard !deadline.hasPassed else {
        killNow()
        throw ProgramError(
          description: "the program did not end in \(seconds) s; it wrote: \(complaint.text)")
      }
      var entries = [output.entry, complaint.entry]
      poll(&entries, 2, deadline.milliseconds)
      if entries[0].revents != 0 { output.read() }
      if entries[1].revents != 0 { complaint.read() }
    }
    reap()
    return ProgramResult(status: status ?? -1, output: output.bytes, complaint: complaint.text)
  }

  private func reap() {
    guard status == nil else { return }
    var code: Int32 = 0
    while waitpid(processIdentifier, &code, 0) < 0, errno == EINTR {}
    // The macros WIFEXITED, WEXITSTATUS and WTERMSIG of wait(2), which Swift does not import.
    status = code & 0x7F == 0 ? (code >> 8) & 0xFF : -(code & 0x7F)
  }
}

/// Both ends of a pipe that no other child inherits.
private struct Pipe {
  let readEnd: Int32
  let writeEnd: Int32

  init() throws {
    var ends: [Int32] = [0, 0]
    // A pair of sockets: Swift imports no pipe2, and a later fcntl would race with other tests.
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else {
      throw ProgramError(description: "cannot make a pipe: \(String(cString: strerror(errno)))")
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
  }
}

private struct PipeReader {
  let descriptor: Int32
  private(set) var bytes: [UInt8] = []
  private(set) var isAtEnd = false

  init(descriptor: Int32) { self.descriptor = descriptor }

  var text: String { String(decoding: bytes, as: UTF8.self) }
  /// poll(2) passes over negative descriptors.
  var entry: pollfd { pollfd(fd: isAtEnd ? -1 : descriptor, events: Int16(POLLIN), revents: 0) }

  mutating func read() {
    var piece = [UInt8](repeating: 0, count: 65536)
    let count = Glibc.read(descriptor, &piece, piece.count)
    if count > 0 {
      bytes += piece[..<count]
    } else if count == 0 || errno != EINTR {
      isAtEnd = true
    }
  }
}
