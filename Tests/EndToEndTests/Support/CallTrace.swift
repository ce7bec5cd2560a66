/// A system call that `strace -f -y -xx` recorded and that succeeded.
struct RecordedCall {
  enum Argument {
    /// A quoted string.
    case bytes([UInt8])
    /// A descriptor, as the path that it has.
    case descriptor(String)
    case word(String)
  }

  var name: String
  var arguments: [Argument]

  /// The paths that it names, of descriptors too.
  var paths: [String] {
    arguments.compactMap {
      switch $0 {
      case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
      case .descriptor(let path): path
      case .word: nil
      }
    }
  }

  var bytes: [UInt8] {
    for case .bytes(let bytes) in arguments { return bytes }
    return []
  }

  /// The last argument, when it is a number.
  var lastNumber: Int? {
    guard case .word(let word) = arguments.last else { return nil }
    return Int(word)
  }

  func says(_ flag: String) -> Bool {
    arguments.contains {
      if case .word(let word) = $0 { return word.contains(flag) }
      return false
    }
  }
}

extension RecordedCall {
  /// The calls of a trace in the order in which they ended.
  static func all(in trace: [UInt8]) -> [RecordedCall] {
    var begun: [Substring: [UInt8]] = [:]
    return trace.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { return nil }
      let thread = Substring(decoding: line[..<space], as: UTF8.self)
      var rest = Array(line[space...].drop { $0 == UInt8(ascii: " ") })
      if rest.starts(with: Array("<... ".utf8)), let end = rest.firstIndex(of: UInt8(ascii: ">")) {
        rest = (begun.removeValue(forKey: thread) ?? []) + rest[(end + 1)...]
      }
      let unfinished = Array(" <unfinished ...>".utf8)
      if rest.suffix(unfinished.count).elementsEqual(unfinished) {
        begun[thread] = Array(rest.dropLast(unfinished.count))
        return nil
      }
      return RecordedCall(rest)
    }
  }

  /// - Returns: `nil` for what is no call, or failed.
  private init?(_ line: [UInt8]) {
    guard let open = line.firstIndex(of: UInt8(ascii: "(")) else { return nil }
    name = String(decoding: line[..<open], as: UTF8.self)
    arguments = []
    var position = open + 1
    var word: [UInt8] = []
    func finished(_ word: [UInt8]) -> [Argument] {
      word.isEmpty ? [] : [.word(String(decoding: word, as: UTF8.self))]
    }
    while position < line.count, line[position] != UInt8(ascii: ")") {
      switch line[position] {
      case UInt8(ascii: "\""):
        arguments.append(.bytes(Self.unescaped(line, &position, until: UInt8(ascii: "\""))))
      case UInt8(ascii: "<"):
        let path = Self.unescaped(line, &position, until: UInt8(ascii: ">"))
        arguments.append(.descriptor(String(decoding: path, as: UTF8.self)))
        word = []
      case UInt8(ascii: ","):
        arguments += finished(word)
        word = []
      case UInt8(ascii: " "): break
      default: word.append(line[position])
      }
      position += 1
    }
    arguments += finished(word)
    let result = line[min(position, line.count)...]
    guard let equals = result.firstIndex(of: UInt8(ascii: "=")) else { return nil }
    if result[equals...].dropFirst(2).first == UInt8(ascii: "-") { return nil }
  }

  /// Reads `\x41\x42` up to a mark, and stands on it afterwards.
  private static func unescaped(_ line: [UInt8], _ position: inout Int, until mark: UInt8)
    -> [UInt8]
  {
    var bytes: [UInt8] = []
    position += 1
    while position < line.count, line[position] != mark {
      if line[position] == UInt8(ascii: "\\"), position + 3 < line.count {
        bytes.append(digit(line[position + 2]) << 4 | digit(line[position + 3]))
        position += 4
      } else {
        bytes.append(line[position])
        position += 1
      }
    }
    return bytes
  }

  private static func digit(_ byte: UInt8) -> UInt8 {
    byte <= UInt8(ascii: "9") ? byte &- UInt8(ascii: "0") : byte &- UInt8(ascii: "a") &+ 10
  }
}
