/// A definition at the top of C text, in parts of which some are numbers.
struct CItem {
  enum Part {
    case text(String)
    /// A word: a name or a keyword.
    case word(String)
    /// A number whose value may depend on sizes.
    case number(CNumber)
    /// The length of a local array, which may be larger than it need be.
    case capacity(Int64)
  }

  var parts: [Part]
  /// What the item defines; `nil` for none.
  var name: String?
  var isFunction: Bool

  /// The definitions in the text that the renderer makes of a kernel. Macros that are other words for a name are
  /// gone: `#define T kernel0_element`.
  static func items(in text: String) -> [CItem] {
    var items: [CItem] = []
    var lines: [Substring] = []
    var depth = 0
    var conditions = 0
    var aliases: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if depth == 0, words.first == "#define", words.count == 3, isName(words[2]) {
        aliases[String(words[1])] = String(words[2])
        continue
      }
      if depth == 0, words.first == "#undef", words.count == 2,
        aliases.removeValue(forKey: String(words[1])) != nil
      {
        continue
      }
      lines.append(line)
      if line.hasPrefix("#if") { conditions += 1 }
      if line.hasPrefix("#endif") { conditions -= 1 }
      for character in line.utf8 {
        if "{(".utf8.contains(character) { depth += 1 }
        if "})".utf8.contains(character) { depth -= 1 }
      }
      let isEnd = line.hasSuffix("}") || line.hasSuffix(";")
      if depth == 0, conditions == 0, isEnd, !line.hasPrefix("#") {
        items.append(CItem(lines.joined(separator: "\n"), aliases))
        lines = []
      }
    }
    if !lines.isEmpty { items.append(CItem(lines.joined(separator: "\n"), aliases)) }
    return items
  }

  private static func isName(_ word: Substring) -> Bool {
    word.utf8.first.map(CScanner.isLetter) ?? false
  }

  /// - Parameter aliases: words that stand for others.
  init(_ text: String, _ aliases: [String: String] = [:]) {
    var scanner = CScanner(text, aliases: aliases)
    parts = scanner.parts()
    name = scanner.defined
    isFunction = scanner.isFunction
  }
}

/// Takes one definition apart.
struct CScanner {
  private let bytes: [UInt8]
  private let aliases: [String: String]
  private var position = 0
  private var text: [UInt8] = []
  private var found: [CItem.Part] = []
  private(set) var defined: String?
  private(set) var isFunction = false
  /// The depth of brackets and braces, and that at which arguments must be constants began.
  private var depth = 0
  private var constantDepth: Int?
  private var isBody = false
  private var isTypedef = false
  /// Whether the statement defines a table, whose values must be constants.
  private var isStatic = false
  private var isDirective = false
  /// The words and signs of the statement so far, as far as they tell a declaration of an array.
  private var statement: [String] = []
  private var lastWord = ""

  init(_ text: String, aliases: [String: String]) {
    bytes = Array(text.utf8)
    self.aliases = aliases
  }

  static func isLetter(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_") || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7A)
  }
  static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

  /// What takes constants only, so that numbers in it are part of the text.
  private static let constantCallers: Set<String> = [
    "__attribute__", "_Static_assert", "_Alignas", "__builtin_assume_aligned", "__builtin_memcpy",
    "__builtin_shufflevector", "__builtin_shuffle", "G_SHUFFLE",
  ]

  mutating func parts() -> [CItem.Part] {
    while position < bytes.count {
      let byte = bytes[position]
      if Self.isLetter(byte) {
        word()
      } else if Self.isDigit(byte) || isSign(byte) {
        number()
      } else if byte == UInt8(ascii: "\"") {
        string()
      } else {
        symbol(byte)
      }
    }
    flush()
    return found
  }

  private mutating func flush() {
    if !text.isEmpty { found.append(.text(String(decoding: text, as: UTF8.self))) }
    text = []
  }

  private mutating func word() {
    let start = position
    while position < bytes.count, Self.isLetter(bytes[position]) || Self.isDigit(bytes[position]) {
      position += 1
    }
    let written = String(decoding: bytes[start..<position], as: UTF8.self)
    let word = aliases[written] ?? written
    flush()
    found.append(.word(word))
    lastWord = word
    statement.append("w")
    if !isBody, depth == 0 { defines(word) }
    if isBody, word == "static" { isStatic = true }
    if constantDepth == nil, Self.constantCallers.contains(word) { constantDepth = depth }
  }

  /// Notes the name that the item defines: before a parenthesis, a bracket or the end, or the attributes of a type.
  private mutating func defines(_ word: String) {
    isTypedef = isTypedef || word == "typedef"
    guard defined == nil, !Self.constantCallers.contains(word), let next = nextByte else { return }
    let rest = bytes[position...].drop { $0 == 0x20 || $0 == 0x0A }
    let isLast = "([;".utf8.contains(next) || isTypedef && rest.starts(with: "__attribute__".utf8)
    guard isLast else { return }
    defined = word
    isFunction = next == UInt8(ascii: "(")
  }

  /// The next byte that is no space.
  private var nextByte: UInt8? { bytes[position...].first { $0 != 0x20 && $0 != 0x0A } }

  /// Whether a minus is the sign of the number that follows: after an opening, a comma or an assignment.
  private func isSign(_ byte: UInt8) -> Bool {
    guard byte == UInt8(ascii: "-"), position + 1 < bytes.count, Self.isDigit(bytes[position + 1])
    else { return false }
    let before = bytes[..<position].last { $0 != 0x20 && $0 != 0x0A }
    return before.map { "{(,=[".utf8.contains($0) } ?? false
  }

  private mutating func number() {
    let start = position
    position += 1
    while position < bytes.count {
      let byte = bytes[position]
      let previous = bytes[position - 1] | 0x20
      let isExponentSign =
        (byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
        && (previous == UInt8(ascii: "p")
          || previous == UInt8(ascii: "e") && !bytes[start...].starts(with: "0x".utf8))
      guard Self.isLetter(byte) || Self.isDigit(byte) || byte == UInt8(ascii: ".") || isExponentSign
      else { break }
      position += 1
    }
    let written = String(decoding: bytes[start..<position], as: UTF8.self)
    statement.append("n")
    // Numbers outside of functions are parts of types and tables.
    guard isFunction, isBody, !isDirective, !isStatic, constantDepth == nil,
      let number = CNumber(written[...])
    else {
      text += Array(written.utf8)
      return
    }
    if isArrayLength {
      flush()
      found.append(.capacity(number.value))
    } else if isLaterArrayLength {
      text += Array(written.utf8)
    } else {
      flush()
      found.append(.number(number))
    }
  }

  /// Whether the number is the length in `float x[192];` or `float x[192] __attribute__(…);`.
  private var isArrayLength: Bool {
    guard isDeclaration(["w", "w", "[", "n"]) || isDeclaration(["w", "*", "w", "[", "n"]),
      bytes[position...].starts(with: "]".utf8)
    else { return false }
    let after = bytes[(position + 1)...].first { $0 != 0x20 }
    return after == UInt8(ascii: ";") || bytes[position...].starts(with: "] __attribute__".utf8)
  }

  /// Whether the number is a length in a declaration with several, or with values.
  private var isLaterArrayLength: Bool {
    statement.count >= 4 && statement[0] == "w" && statement[1] == "w" && statement[2] == "["
      && bytes[position...].starts(with: "]".utf8) && !isAssigned
  }

  private var isAssigned: Bool { statement.contains("=") }

  private func isDeclaration(_ pattern: [String]) -> Bool { statement == pattern }

  private mutating func string() {
    repeat {
      text.append(bytes[position])
      position += 1
    } while position < bytes.count && bytes[position] != UInt8(ascii: "\"")
    if position < bytes.count { text.append(bytes[position]) }
    position += 1
  }

  private mutating func symbol(_ byte: UInt8) {
    if byte == UInt8(ascii: "#") { isDirective = true }
    if byte == 0x0A { isDirective = false }
    switch byte {
    case UInt8(ascii: "("), UInt8(ascii: "{"):
      if byte == UInt8(ascii: "{"), depth == 0 { isBody = true }
      depth += 1
    case UInt8(ascii: ")"), UInt8(ascii: "}"):
      depth -= 1
      if let start = constantDepth, depth <= start { constantDepth = nil }
    default: break
    }
    if byte == UInt8(ascii: ";") { isStatic = false }
    if ";{}".utf8.contains(byte) {
      statement = []
    } else if byte != 0x20, byte != 0x0A {
      statement.append(String(UnicodeScalar(byte)))
    }
    // `return x[0]` is no declaration, and the qualifiers of one are no types.
    if statement == ["w"], ["return", "else", "case", "goto"].contains(lastWord) {
      statement = ["-"]
    }
    if ["const", "static"].contains(lastWord), statement == ["w"], byte == 0x20 { statement = [] }
    text.append(byte)
    position += 1
  }
}
