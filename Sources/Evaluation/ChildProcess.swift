import CLinux
import Glibc

/// A child that leads a process group of its own. Whatever is left of the group dies with this
/// value.
final class ChildProcess {
  private let child: granary_child
  private var result: Int32?

  /// Starts `arguments[0]`, an absolute path.
  ///
  /// - Parameter descriptors: become descriptors 0, 1, 2… of the child; -1 is `/dev/null`.
  /// - Returns: `nil` when the program cannot be started.
  init?(
    arguments: [String], environment: [String] = [], directory: String = "/",
    descriptors: [Int32], limits: granary_limits
  ) {
    guard let path = arguments.first else { return nil }
    var child = granary_child(pid: -1, pidfd: -1)
    let status = Self.withCStrings(arguments) { argv in
      Self.withCStrings(environment) { envp in
        withUnsafePointer(to: limits) { limits in
          granary_spawn(
            path, argv, envp, directory, descriptors, Int32(descriptors.count), limits, &child)
        }
      }
    }
    guard status == 0 else { return nil }
    self.child = child
  }

  deinit { end() }

  /// The number of the process, until it has been ended.
  var identifier: Int32 { child.pid }

  /// Becomes readable once the child has ended.
  var descriptor: Int32 { child.pidfd }

  /// Kills whatever is left of the group.
  ///
  /// - Returns: the exit status of the child, or minus the number of the signal that ended it.
  @discardableResult
  func end() -> Int32 {
    if let result { return result }
    let result = granary_end(child)
    self.result = result
    return result
  }

  private static func withCStrings<T>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> T
  ) -> T {
    var pointers = strings.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers)
  }
}
