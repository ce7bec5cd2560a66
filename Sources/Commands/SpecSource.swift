import DaemonAPI
import FoundationEssentials
import Glibc

/// Where specs come from on the command line: a file, `-` for standard input, or the text form itself.
enum SpecSource {
  /// The specs that an argument names. The daemon parses them.
  ///
  /// - Throws: `bad-spec` when the argument is neither a file nor a spec.
  static func specs(_ argument: String) throws(ServiceError) -> [String] {
    if argument == "-" { return try split(standardInput(), from: "standard input") }
    // A text spec has a parenthesis; a JSON spec has a brace; a path to a file has a file.
    if FileManager.default.fileExists(atPath: argument) {
      return try split(Files.read(argument), from: argument)
    }
    guard argument.contains("(") || argument.contains("{") else {
      throw ServiceError(.badSpec, "'\(argument)' is neither a file nor a spec")
    }
    return [argument]
  }

  static func specs(_ arguments: [String]) throws(ServiceError) -> [String] {
    var all: [String] = []
    for argument in arguments { all += try specs(argument) }
    return all
  }

  private static func split(_ bytes: [UInt8], from origin: String) throws(ServiceError) -> [String]
  {
    let specs = try SpecList.split(bytes)
    guard !specs.isEmpty else { throw ServiceError(.badSpec, "\(origin) has no spec") }
    return specs
  }

  private static func standardInput() -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = Glibc.read(STDIN_FILENO, &piece, piece.count)
      if count <= 0 { return bytes }
      bytes += piece[..<count]
    }
  }
}

/// Reads and writes whole files, with errors that name them.
enum Files {
  static func read(_ path: String) throws(ServiceError) -> [UInt8] {
    do {
      return [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
      throw ServiceError(.badRequest, "cannot read \(path)")
    }
  }

  static func write(_ bytes: [UInt8], to path: String) throws(ServiceError) {
    do {
      try Data(bytes).write(to: URL(filePath: path))
    } catch {
      throw ServiceError(.environment, "cannot write \(path)")
    }
  }

  static func makeFolder(_ path: String) throws(ServiceError) {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw ServiceError(.environment, "cannot make the folder \(path)")
    }
  }
}
