import CLinux
import Glibc

/// Says in words how a runner ended.
enum CrashDescription {
  static func text(_ crash: granary_crash) -> String {
    let name = signalName(crash.signal)
    guard crash.kind >= 0 else { return "the kernel crashed: \(name)" }
    let kinds = ["input", "output", "workspace"]
    let kind = kinds.indices.contains(Int(crash.kind)) ? kinds[Int(crash.kind)] : "buffer"
    let place =
      switch crash.side {
      case ..<0: "before"
      case 0: crash.kind == 0 ? "to (it is read-only)" : "in"
      default: "behind"
      }
    return "the kernel crashed: \(name) at an access \(place) \(kind) \(crash.index)"
  }

  /// - Parameter status: an exit status, or minus the number of a signal.
  static func ending(_ status: Int32) -> String {
    if status == -SIGSYS { return "the kernel made a forbidden system call" }
    if status == -SIGKILL { return "the kernel was killed at a limit" }
    if status < 0 { return "the kernel crashed: \(signalName(-status))" }
    return "the kernel ended the process with status \(status)"
  }

  private static func signalName(_ signal: Int32) -> String {
    switch signal {
    case SIGSEGV: "segmentation fault"
    case SIGBUS: "bus error"
    case SIGFPE: "arithmetic error"
    case SIGILL: "illegal instruction"
    case SIGTRAP: "trap"
    case SIGABRT: "abort"
    case SIGXCPU: "processor time used up"
    default: "signal \(signal)"
    }
  }
}
