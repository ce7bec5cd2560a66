import DaemonAPI
import DaemonClient
import Glibc

/// A Python that runs parts of the Python package.
struct PythonInterpreter {
  var path: String

  /// The named one, that of `GRANARY_PYTHON`, that of `make python` beside this build, or `python3` in PATH.
  ///
  /// - Throws: `ServiceError` `environment` when it is not there.
  static func find(named name: String?) throws(ServiceError) -> PythonInterpreter {
    let environment = processEnvironment()
    if let named = name ?? environment["GRANARY_PYTHON"] {
      guard let path = executable(named, environment["PATH"]) else {
        throw ServiceError(.environment, "there is no Python at \(named)")
      }
      return PythonInterpreter(path: path)
    }
    let built = folders(above: "/proc/self/exe").map { $0 + "/python/bin/python" }
    if let path = built.first(where: { access($0, X_OK) == 0 }) {
      return PythonInterpreter(path: path)
    }
    guard let path = executable("python3", environment["PATH"]) else {
      throw ServiceError(
        .environment, "there is no python3 in PATH; install it, or name one with --python")
    }
    return PythonInterpreter(path: path)
  }

  /// Looks whether PyTorch and the package are there, without loading them.
  ///
  /// - Throws: `ServiceError` `environment` that says what is missing and how to get it.
  func check() throws(ServiceError) {
    let script = """
      import importlib.util as u, sys
      sys.exit(10 if not u.find_spec("torch") else 11 if not u.find_spec("granary") else 0)
      """
    let advice =
      "'make python' in Granary's source makes one that has it; name another with --python"
    switch status(["-c", script]) {
    case 0: return
    case 10: throw ServiceError(.environment, "\(path) has no PyTorch; \(advice)")
    case 11: throw ServiceError(.environment, "\(path) has no package granary; \(advice)")
    default: throw ServiceError(.environment, "\(path) is no Python that runs")
    }
  }

  /// Replaces this process.
  ///
  /// - Returns: why it could not be replaced.
  func become(_ arguments: [String]) -> ServiceError {
    var pointers = ([path] + arguments).map { strdup($0) } + [nil]
    execv(path, &pointers)
    return ServiceError(.environment, "cannot run \(path): \(String(cString: strerror(errno)))")
  }

  private func status(_ arguments: [String]) -> Int32 {
    var pointers = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    guard posix_spawn(&process, path, nil, nil, &pointers, environ) == 0 else { return -1 }
    var code: Int32 = 0
    while waitpid(process, &code, 0) < 0, errno == EINTR {}
    return code & 0x7F == 0 ? (code >> 8) & 0xFF : -1
  }

  private static func executable(_ name: String, _ searchPath: String?) -> String? {
    let folders = (searchPath ?? "").split(separator: ":")
    let candidates = name.contains("/") ? [name] : folders.map { "\($0)/\(name)" }
    return candidates.first { access($0, X_OK) == 0 }
  }

  /// The folders that a linked file lies in, the innermost first.
  private static func folders(above link: String) -> [String] {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(link, &buffer, buffer.count)
    guard count > 0 else { return [] }
    let bytes = buffer[..<count].map { UInt8(bitPattern: $0) }
    let parts = String(decoding: bytes, as: UTF8.self).split(separator: "/")
    return (1..<max(parts.count, 1)).reversed().map { length in
      parts.prefix(length).reduce("") { $0 + "/" + $1 }
    }
  }
}
