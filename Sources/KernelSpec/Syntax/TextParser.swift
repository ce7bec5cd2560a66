/// The text form: operators applied to declared inputs, for example
/// `gelu(linear(x: f32[256,1024], w: f32[1024,1024]))`.
///
///     spec      = { name "in" range ";" } { name ":" type ";" } { name "=" value ";" } outputs [ "with" keyword { "," keyword } ]
///     outputs   = value | "(" value { "," value } ")"
///     value     = name ":" type | name "(" arguments ")" | name [ "#" integer ] | literal | list
///     arguments = { [ name ":" ] value "," }
///     range     = integer "..." integer [ "by" integer ]
struct TextParser {
  private var lexer: TextLexer
  private var spec = Spec(inputs: [], nodes: [], outputs: [])
  private var types: [String: TensorType] = [:]
  private var bindings: [String: Spec.Reference] = [:]
  private var depth = 0
  private var sizes: OpenSizeValues

  /// - Parameter sizes: the values of open sizes; without them the spec is read at the smallest.
  static func parse(_ bytes: [UInt8], at sizes: [String: Int64]?) throws(SpecError) -> Spec {
    var parser = TextParser(lexer: TextLexer(bytes), sizes: OpenSizeValues(given: sizes))
    return try parser.parseSpec()
  }

  private init(lexer: TextLexer, sizes: OpenSizeValues) {
    self.lexer = lexer
    self.sizes = sizes
    spec.source.bytes = lexer.bytes
  }

  private mutating func parseSpec() throws(SpecError) -> Spec {
    try parseSizes()
    while lexer.isDeclaration {
      let input = try tensor("an input")
      if try lexer.skips(";"), lexer.current.kind != .end { continue }
      spec.outputs = [input]
      return try end()
    }
    while case .word(let name) = lexer.current.kind,
      try lexer.following().kind == .symbol("=")
    {
      let place = lexer.current.offset
      try lexer.advance()
      try lexer.advance()
      guard !Self.reserved.contains(name), types[name] == nil, bindings[name] == nil,
        lexer.sizes[name] == nil
      else {
        throw fault(.name, "the name \(name) is taken", at: place)
      }
      bindings[name] = try tensor("the value of \(name)")
      try lexer.skip(";")
    }
    if try lexer.skips("(") {
      repeat { spec.outputs.append(try tensor("an output")) } while try lexer.skips(",")
      try lexer.skip(")")
    } else {
      spec.outputs = [try tensor("an output")]
    }
    return try end()
  }

  /// Reads `name in lower...upper by step;`, as often as it comes.
  private mutating func parseSizes() throws(SpecError) {
    while case .word(let name) = lexer.current.kind, try lexer.following().kind == .word("in") {
      let place = lexer.current.offset
      try lexer.advance()
      try lexer.advance()
      let lower = try lexer.natural()
      try lexer.skip("…")
      let upper = try lexer.natural()
      var step: Int64 = 1
      if lexer.current.kind == .word("by") {
        try lexer.advance()
        step = try lexer.natural()
      }
      do throws(SpecError) {
        guard !Self.reserved.contains(name) else {
          throw SpecError(.name, "the name \(name) is taken")
        }
        try sizes.declare(name, (lower, upper, step))
      } catch {
        throw error.placed(at: lexer.position(of: place))
      }
      lexer.sizes = sizes.values
      try lexer.skip(";")
    }
    spec.symbols = sizes.open
  }

  private mutating func end() throws(SpecError) -> Spec {
    if lexer.current.kind == .word("with") { try parseNumerics() }
    _ = try lexer.skips(";")
    guard lexer.current.kind == .end else { throw lexer.unexpected("the end of the spec") }
    return spec
  }

  private mutating func parseNumerics() throws(SpecError) {
    repeat {
      try lexer.advance()
      let keyword = lexer.current.kind
      guard keyword == .word("rtol") || keyword == .word("atol") else {
        throw lexer.unexpected("rtol or atol")
      }
      try lexer.advance()
      try lexer.skip(":")
      let value: Double
      switch lexer.current.kind {
      case .integer(let integer) where integer >= 0: value = Double(integer)
      case .real(let real) where real >= 0: value = real
      default: throw lexer.unexpected("a number of at least 0")
      }
      if keyword == .word("rtol") { spec.numerics.rtol = value } else { spec.numerics.atol = value }
      try lexer.advance()
    } while lexer.current.kind == .symbol(",")
  }

  /// Names that mean something else.
  static let reserved: Set<String> = [
    "true", "false", "none", "True", "False", "None", "null", "inf", "nan", "with",
  ]

  private func fault(
    _ code: SpecError.Code, _ message: String, at offset: Int, expected: String? = nil
  ) -> SpecError {
    SpecError(code, message, at: lexer.position(of: offset), expected: expected)
  }

  private mutating func tensor(_ what: String) throws(SpecError) -> Spec.Reference {
    let place = lexer.current.offset
    let value = try self.value()
    guard case .reference(let reference) = value else {
      throw fault(
        .syntax, "\(what) is \(value.words)", at: place,
        expected: "an operator such as relu(x: f32[4]), or the name of a value")
    }
    return reference
  }

  private mutating func value() throws(SpecError) -> Spec.Argument {
    depth += 1
    defer { depth -= 1 }
    let token = lexer.current
    guard depth <= SpecLimits.nesting else {
      throw fault(
        .limit, "nested too deeply", at: token.offset, expected: "at most \(SpecLimits.nesting)")
    }
    if !lexer.isDeclaration, try lexer.beginsSize() { return .integer(try lexer.size()) }
    switch token.kind {
    case .word(let word):
      try lexer.advance()
      return try afterWord(word, token.offset)
    case .symbol("%"):
      try lexer.advance()
      guard case .word(let name) = lexer.current.kind else { throw lexer.unexpected("a name") }
      try lexer.advance()
      guard let value = try use(of: name, at: token.offset) else {
        throw fault(.name, "no value is named \(name)", at: token.offset)
      }
      return value
    case .symbol("["): return try list()
    case .integer(let value):
      try lexer.advance()
      return .integer(value)
    case .real(let value):
      try lexer.advance()
      return value.isFinite ? .real(value) : .string("-inf")
    case .string(let text):
      try lexer.advance()
      return .string(text)
    default: throw lexer.unexpected("a value")
    }
  }

  private mutating func list() throws(SpecError) -> Spec.Argument {
    try lexer.advance()
    var elements: [Spec.Argument] = []
    while lexer.current.kind != .symbol("]") {
      if !elements.isEmpty { try lexer.skip(",") }
      elements.append(try value())
    }
    try lexer.advance()
    return .list(elements)
  }

  private mutating func afterWord(_ word: String, _ place: Int) throws(SpecError) -> Spec.Argument {
    switch lexer.current.kind {
    case .symbol("("): return try application(of: word, at: place)
    case .symbol(":"): return try declaration(of: word, at: place)
    default: break
    }
    if let value = try use(of: word, at: place) { return value }
    switch word {
    case "true", "True": return .boolean(true)
    case "false", "False": return .boolean(false)
    case "none", "None", "null": return .none
    default: return .string(word)
    }
  }

  /// A use of a declared input or a binding, with the number of its result.
  private mutating func use(of name: String, at place: Int) throws(SpecError) -> Spec.Argument? {
    guard var reference = bindings[name] ?? (types[name] == nil ? nil : Spec.Reference(name))
    else { return nil }
    reference.place.offset = place
    if try lexer.skips("#") { reference.result = try resultNumber() }
    return .reference(reference)
  }

  private mutating func resultNumber() throws(SpecError) -> Int {
    guard case .integer(let result) = lexer.current.kind, result >= 0,
      result <= SpecLimits.listElements
    else { throw lexer.unexpected("the number of a result") }
    try lexer.advance()
    return Int(result)
  }

  private mutating func declaration(of name: String, at place: Int) throws(SpecError)
    -> Spec.Argument
  {
    try lexer.skip(":")
    let type = try lexer.tensorType()
    guard !Self.reserved.contains(name), bindings[name] == nil, lexer.sizes[name] == nil else {
      throw fault(.name, "the name \(name) is taken", at: place)
    }
    do { try SpecLimits.check(name: name) } catch {
      throw error.placed(at: lexer.position(of: place))
    }
    if let known = types[name] {
      guard known == type else {
        throw fault(
          .name, "\(name) is declared again as \(type)", at: place, expected: "\(known)")
      }
    } else {
      types[name] = type
      var input = Spec.Input(name: name, type: type)
      input.place.offset = place
      spec.inputs.append(input)
    }
    return .reference(.init(name))
  }

  private mutating func application(of operation: String, at place: Int) throws(SpecError)
    -> Spec.Argument
  {
    do { _ = try OperatorTable.candidates(operation) } catch {
      throw error.placed(at: lexer.position(of: place))
    }
    try lexer.skip("(")
    var positional: [Spec.Argument] = []
    var keywords: [String: Spec.Argument] = [:]
    while lexer.current.kind != .symbol(")") {
      if !positional.isEmpty || !keywords.isEmpty { try lexer.skip(",") }
      let start = lexer.current.offset
      guard let keyword = try keyword() else {
        let argument = try value()
        // Tensors find their parameters among tensors alone, so that they may follow attributes.
        if !keywords.isEmpty, argument.references.isEmpty {
          throw fault(
            .syntax, "a positional argument after one with a keyword", at: start,
            expected: "name: value")
        }
        positional.append(argument)
        continue
      }
      guard keywords[keyword] == nil else {
        throw fault(.argument, "\(keyword) is given twice", at: start)
      }
      keywords[keyword] = try value()
    }
    try lexer.advance()
    let id = "\(spec.nodes.count)"
    do {
      let (name, arguments) = try PositionalArguments.bind(operation, positional, keywords)
      var node = Spec.Node(id: id, op: name, arguments: arguments)
      node.place.offset = place
      spec.nodes.append(node)
    } catch {
      throw error.placed(at: lexer.position(of: place))
    }
    var reference = Spec.Reference(id)
    reference.place.offset = place
    if try lexer.skips("#") { reference.result = try resultNumber() }
    return .reference(reference)
  }

  /// Skips `name:` before the value of an attribute; `nil` before anything else.
  private mutating func keyword() throws(SpecError) -> String? {
    guard case .word(let word) = lexer.current.kind,
      try lexer.following().kind == .symbol(":"), !lexer.isDeclaration
    else { return nil }
    try lexer.advance()
    try lexer.advance()
    return word
  }
}

extension TextLexer {
  /// Whether the declaration of an input comes next: a name, a colon, a dtype (right or not) and a bracket.
  var isDeclaration: Bool {
    var copy = self
    guard case .word = copy.current.kind, (try? copy.advance()) != nil,
      copy.current.kind == .symbol(":"), (try? copy.advance()) != nil,
      case .word = copy.current.kind,
      (try? copy.advance()) != nil
    else { return false }
    return copy.current.kind == .symbol("[")
  }
}
