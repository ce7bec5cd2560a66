import Glibc
import KernelSpec
import TestSupport

/// A folder for the files of one kernel, which go away with the value.
struct BuildFolder {
  private let folder = TemporaryFolder()
  var path: String { folder.path }

  /// Builds the source into a shared object.
  ///
  /// - Returns: the object's path.
  func compile(_ source: KernelSource, _ compiler: String, _ options: [String]) throws -> String {
    let (text, object) = (path + "/k.c", path + "/k.so")
    try write(Array(source.text.utf8), to: "k.c")
    let always = ["-std=gnu11", "-march=native", "-fPIC", "-shared", "-o", object, text]
    let (status, log) = try spawn(
      "/usr/bin/\(compiler)", always + source.compilerOptions + options)
    guard status == 0 else { throw HarnessError(description: "\(compiler) failed:\n\(log)") }
    return object
  }

  /// Runs a program to its end.
  ///
  /// - Returns: its status as `waitpid` gives it, and what it wrote to standard error.
  func spawn(_ program: String, _ arguments: [String], environment: [String] = []) throws -> (
    status: Int32, log: String
  ) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(
      &actions, 2, path + "/log", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    var pointers = ([program] + arguments).map { strdup($0) } + [nil]
    var variables = environment.map { strdup($0) } + [nil]
    defer { for pointer in pointers + variables { free(pointer) } }
    var process = pid_t()
    let started =
      environment.isEmpty
      ? posix_spawn(&process, program, &actions, nil, &pointers, environ)
      : posix_spawn(&process, program, &actions, nil, &pointers, &variables)
    guard started == 0 else { throw HarnessError(description: "cannot start \(program)") }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return (status, String(decoding: try contents("log").prefix(4000), as: UTF8.self))
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    guard let file = fopen("\(path)/\(name)", "w") else {
      throw HarnessError(description: "cannot write \(name)")
    }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
      throw HarnessError(description: "cannot write \(name)")
    }
  }

  func contents(_ name: String) throws -> [UInt8] {
    guard let file = fopen("\(path)/\(name)", "r") else {
      throw HarnessError(description: "cannot read \(name)")
    }
    defer { fclose(file) }
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
      all += buffer[..<count]
    }
    return all
  }
}
