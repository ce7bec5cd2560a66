import CLinux
import Glibc
import Support

/// One run of a compiler: how it ended and what it printed.
struct ToolRun: Sendable {
  /// The exit status, minus a signal's number, or `nil` when it could not be started or ran out of
  /// time.
  var status: Int32?
  var output: String
  var timedOut = false

  private static let outputLimit = 64 << 10
  private static let limits = granary_limits(
    address_space_bytes: 8 << 30, cpu_seconds: 120, file_bytes: 64 << 20, open_files: 256,
    processes: .max, stack_bytes: .max)

  var failure: String {
    if timedOut { return "the compiler took too long\n\(output)" }
    guard let status else { return "the compiler could not be started" }
    return output.isEmpty ? "the compiler ended with status \(status)" : output
  }

  /// Runs a program without input; a confined one may change files in its directory alone. Past the
  /// time limit its whole process group is killed.
  static func run(
    _ arguments: [String],
    environment: [String] = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C"],
    directory: String = "/", confinement: Confinement? = nil, timeLimit: Duration
  ) async -> ToolRun {
    let run = try? await OwnThread.run {
      blockingRun(arguments, environment, directory, confinement, timeLimit)
    }
    return run
      ?? ToolRun(status: nil, output: "there is no thread to run \(arguments.first ?? "a tool") on")
  }

  private static func blockingRun(
    _ arguments: [String], _ environment: [String], _ directory: String,
    _ confinement: Confinement?, _ timeLimit: Duration
  ) -> ToolRun {
    var pipes: [Int32] = [-1, -1]
    guard granary_pipe(&pipes) == 0 else {
      return ToolRun(status: nil, output: "")
    }
    defer { close(pipes[0]) }
    let child = ChildProcess(
      arguments: arguments, environment: environment, directory: directory,
      descriptors: [-1, pipes[1], pipes[1]], limits: limits, confinement: confinement,
      writable: directory)
    close(pipes[1])
    guard let child else { return ToolRun(status: nil, output: "") }
    return collect(child, from: pipes[0], deadline: granary_now() + timeLimit.wholeNanoseconds)
  }

  private static func collect(_ child: ChildProcess, from pipe: Int32, deadline: UInt64) -> ToolRun
  {
    var output: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 14)
    var open = true
    while true {
      let now = granary_now()
      guard now < deadline else {
        child.end()
        return ToolRun(status: nil, output: String(decoding: output, as: UTF8.self), timedOut: true)
      }
      let ready = granary_await(open ? pipe : -1, child.descriptor, Int64(deadline - now))
      if ready & 1 != 0 {
        let count = read(pipe, &chunk, chunk.count)
        open = count > 0
        if count > 0 { output += chunk.prefix(min(count, outputLimit - output.count)) }
      } else if ready & 2 != 0 {
        break
      }
    }
    return ToolRun(status: child.end(), output: String(decoding: output, as: UTF8.self))
  }
}

extension Duration {
  /// The duration in nanoseconds; 0 for a negative one.
  package var wholeNanoseconds: UInt64 {
    let (seconds, attoseconds) = components
    return UInt64(Swift.max(0, seconds)) * 1_000_000_000 + UInt64(Swift.max(0, attoseconds))
      / 1_000_000_000
  }
}
