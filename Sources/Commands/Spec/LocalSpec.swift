import Glibc
import KernelSpec

/// The text of one spec, and where it came from.
struct LocalSpec {
  /// A file, possibly with a line; `nil` for a spec given as an argument.
  var origin: String?
  var bytes: [UInt8]

  /// - Throws: `SpecFailure` that names the file.
  func checked() throws(SpecFailure) -> CheckedSpec {
    do {
      return try Spec.parse(bytes: bytes).checked()
    } catch {
      throw SpecFailure(error, origin: origin)
    }
  }

  /// The specs that an argument means: those of a file, of standard input, or itself.
  static func read(_ argument: String) throws(SpecFailure) -> [LocalSpec] {
    if argument == "-" {
      return [LocalSpec(origin: "standard input", bytes: try contents(0, "-"))]
    }
    let file = open(argument, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      let reason = errno
      if argument.contains("(") || argument.contains("{") || argument.contains(":") {
        return [LocalSpec(origin: nil, bytes: Array(argument.utf8))]
      }
      throw SpecFailure(
        code: "file.unreadable", who: "input", exitCode: 2,
        message: "cannot read \(argument): \(String(cString: strerror(reason)))")
    }
    defer { close(file) }
    let bytes = try contents(file, argument)
    guard argument.hasSuffix(".jsonl") else {
      return [LocalSpec(origin: argument, bytes: bytes)]
    }
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.enumerated().filter { !$0.element.isEmpty }.map {
      LocalSpec(origin: "\(argument):\($0.offset + 1)", bytes: Array($0.element))
    }
  }

  /// The only spec that an argument means.
  static func one(_ argument: String) throws(SpecFailure) -> LocalSpec {
    let sources = try read(argument)
    guard let source = sources.first, sources.count == 1 else {
      throw SpecFailure(
        code: "usage", who: "input", exitCode: 2,
        message: "\(argument) holds \(sources.count) specs; expected one")
    }
    return source
  }

  /// All bytes of a file, up to what many specs of the largest size take.
  private static func contents(_ file: Int32, _ name: String) throws(SpecFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(file, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw SpecFailure(
          code: "file.unreadable", who: "input", exitCode: 2,
          message: "cannot read \(name): \(String(cString: strerror(errno)))")
      }
      if count == 0 { return bytes }
      bytes += buffer.prefix(count)
      guard bytes.count <= SpecLimits.textBytes * 8 else {
        throw SpecFailure(
          code: SpecError.Code.limit.rawValue, who: "input", exitCode: 2,
          message: "\(name) is larger than \(SpecLimits.textBytes * 8) bytes")
      }
    }
  }
}
