import DaemonAPI
import FoundationEssentials
import Glibc
import KernelSpec

/// The text of one spec, and where it came from: a file, `-` for standard input, or the command line itself.
struct SpecSource {
  /// A file, with the line where the spec begins unless it is the first; `nil` for a spec given as an argument.
  var origin: String?
  var text: String

  /// What many specs of the largest size take; more is refused rather than read.
  private static let limitBytes = 64 * SpecLimits.textBytes

  /// The specs that an argument names.
  ///
  /// - Throws: `bad-spec` when the argument is neither a file nor a spec or names no spec, and `bad-request` for
  ///   a file that cannot be read.
  static func read(_ argument: String) throws(ServiceError) -> [SpecSource] {
    if argument == "-" {
      let bytes = try Files.contents(
        STDIN_FILENO, "standard input", limitBytes: limitBytes)
      return try split(bytes, "standard input")
    }
    if FileManager.default.fileExists(atPath: argument) {
      return try split(try Files.read(argument, limitBytes: limitBytes), argument)
    }
    // A text spec has a parenthesis or declares an input; a JSON spec has a brace.
    guard argument.contains(where: { "({:".contains($0) }) else {
      throw ServiceError(.badSpec, "'\(argument)' is neither a file nor a spec")
    }
    return [SpecSource(text: argument)]
  }

  static func read(_ arguments: [String]) throws(ServiceError) -> [SpecSource] {
    var all: [SpecSource] = []
    for argument in arguments { all += try read(argument) }
    return all
  }

  /// The only spec that an argument names.
  static func one(_ argument: String) throws(ServiceError) -> SpecSource {
    let sources = try read(argument)
    guard let source = sources.first, sources.count == 1 else {
      throw ServiceError(.badSpec, "\(argument) holds \(sources.count) specs; expected one")
    }
    return source
  }

  private static func split(_ bytes: [UInt8], _ origin: String) throws(ServiceError)
    -> [SpecSource]
  {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw ServiceError(.badSpec, "\(origin) is not UTF-8 text")
    }
    let specs: [SpecList.Placed]
    do {
      specs = try SpecList.split(bytes)
    } catch {
      throw ServiceError(error.code, "\(origin): \(error.message)")
    }
    guard !specs.isEmpty else { throw ServiceError(.badSpec, "\(origin) has no spec") }
    return specs.map {
      SpecSource(origin: $0.line == 1 ? origin : "\(origin):\($0.line)", text: $0.text)
    }
  }

  /// The spec or family, parsed and checked here.
  ///
  /// - Throws: an error with the code of the `SpecError`, that names the file.
  func checked() throws(ServiceError) -> SpecContent {
    do {
      return try SpecContent(text)
    } catch {
      throw placed(ServiceError(.init(rawValue: error.code.rawValue), "\(error)", who: .input))
    }
  }

  /// The same error, saying in which file.
  func placed(_ error: ServiceError) -> ServiceError {
    guard let origin else { return error }
    return ServiceError(error.code, "\(origin): \(error.message)", who: error.who)
  }

  /// The first failure among the answers for `sources`, saying in which file.
  static func failure(in answers: [KernelAnswer], for sources: [SpecSource]) -> ServiceError? {
    for (answer, source) in zip(answers, sources) {
      if let error = answer.error { return source.placed(error) }
    }
    return nil
  }
}

/// Reads and writes whole files, with errors that name them.
enum Files {
  static func read(_ path: String, limitBytes: Int = .max) throws(ServiceError) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw unreadable(path, errno) }
    defer { close(file) }
    return try contents(file, path, limitBytes: limitBytes)
  }

  /// All that is left to read of an open file, unless it is more than the limit.
  static func contents(_ file: Int32, _ name: String, limitBytes: Int) throws(ServiceError)
    -> [UInt8]
  {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &piece, piece.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw unreadable(name, errno) }
      if count == 0 { return bytes }
      bytes += piece[..<count]
      guard bytes.count <= limitBytes else {
        throw ServiceError(.badRequest, "\(name) is larger than \(limitBytes) bytes")
      }
    }
  }

  private static func unreadable(_ name: String, _ reason: Int32) -> ServiceError {
    ServiceError(.badRequest, "cannot read \(name): \(String(cString: strerror(reason)))")
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
