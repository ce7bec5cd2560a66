import CLinux
import Glibc

/// A child that leads a process group of its own. Whatever is left of the group dies with this
/// value.
final class ChildProcess {
  private let child: granary_child
  private let confinement: Confinement?
  private var result: Int32?

  /// Starts `arguments[0]`, an absolute path.
  ///
  /// - Parameters:
  ///   - descriptors: become descriptors 0, 1, 2… of the child; -1 is `/dev/null`.
  ///   - confinement: `nil` for a program that is trusted.
  ///   - writable: the only directory in which a confined program may change files.
  ///   - restrictsFiles: whether Landlock takes the place of bubblewrap's view of the files; not for a program that
  ///     does so itself.
  /// - Returns: `nil` when the program cannot be started.
  init?(
    arguments: [String], environment: [String] = [], directory: String = "/",
    descriptors: [Int32], limits: granary_limits, confinement: Confinement? = nil,
    writable: String? = nil, restrictsFiles: Bool = true
  ) {
    let arguments =
      confinement?.arguments(arguments, directory: directory, writable: writable) ?? arguments
    guard let path = arguments.first else { return nil }
    let byKernel = confinement?.isKernel ?? false
    self.confinement = confinement
    var child = granary_child(pid: -1, pidfd: -1, namespaces: 0)
    let status = Self.withCStrings(arguments) { argv in
      Self.withCStrings(environment) { envp in
        Self.withOptionalCString(byKernel && restrictsFiles ? writable : nil) { writable in
          withUnsafePointer(to: limits) { limits in
            var shutIn = granary_confinement(namespaces: byKernel ? 1 : 0, writable: writable)
            return granary_spawn(
              path, argv, envp, directory, descriptors, Int32(descriptors.count), limits, &shutIn,
              &child)
          }
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

  /// Whether it has processes, users and a network of its own.
  var hasNamespaces: Bool {
    if case .bubblewrap = confinement { true } else { child.namespaces != 0 }
  }

  /// Kills whatever is left of the group.
  ///
  /// - Returns: the exit status of the child, or minus the number of the signal that ended it.
  @discardableResult
  func end() -> Int32 {
    if let result { return result }
    let status = granary_end(child)
    let result = confinement?.status(status) ?? status
    self.result = result
    return result
  }

  private static func withOptionalCString<T>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> T
  ) -> T {
    if let text { text.withCString { body($0) } } else { body(nil) }
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
