extension TensorType {
  /// The type written as `f32[256,1024]` or `f32[256,1024]{1,256}`; `f32[]` or `f32` is a scalar.
  ///
  /// - Throws: `SpecError` whose position is relative to `text`.
  package init(parsing text: String) throws(SpecError) { try self.init(parsing: text, sizes: [:]) }

  /// - Parameter sizes: the values of names that extents may use.
  init(parsing text: String, sizes: [String: Int64]) throws(SpecError) {
    var lexer = TextLexer(Array(text.utf8))
    lexer.sizes = sizes
    self = try lexer.tensorType()
    guard lexer.current.kind == .end else {
      throw lexer.unexpected("nothing after the type")
    }
  }
}

extension TextLexer {
  /// Reads a tensor type.
  mutating func tensorType() throws(SpecError) -> TensorType {
    let start = current
    guard case .word(let word) = start.kind, let dtype = DType(rawValue: word) else {
      let names = DType.allCases.map(\.rawValue).joined(separator: ", ")
      throw unexpected("a dtype: \(names)")
    }
    try advance()
    let shape = try extents("[", "]") ?? []
    let strides = try extents("{", "}")
    do {
      try SpecLimits.check(dtype, shape, strides: strides)
    } catch {
      throw error.placed(at: position(of: start.offset))
    }
    return TensorType(dtype, shape, strides: strides)
  }

  /// Reads integers in brackets, if the opening one comes next.
  private mutating func extents(_ open: Character, _ close: Character) throws(SpecError) -> [Int]? {
    guard current.kind == .symbol(open) else { return nil }
    try advance()
    var values: [Int] = []
    while current.kind != .symbol(close) {
      if !values.isEmpty { try skip(",") }
      let place = current.offset
      let value: Int64
      if try beginsSize() {
        value = try size()
        guard value >= 0, value <= SpecLimits.integer else {
          throw SpecError(
            .limit, "a size is \(value)", at: position(of: place),
            expected: "0 to \(SpecLimits.integer)")
        }
      } else {
        guard case .integer(let number) = current.kind, number >= 0, number <= SpecLimits.integer
        else { throw unexpected("an integer from 0 to \(SpecLimits.integer)") }
        value = number
        try advance()
      }
      guard values.count < SpecLimits.rank else {
        throw SpecError(
          .limit, "too many dimensions", at: position(of: place),
          expected: "at most \(SpecLimits.rank)")
      }
      values.append(Int(value))
    }
    try advance()
    return values
  }
}

extension SpecError {
  /// The same error at `place`, unless it has one already.
  func placed(at place: Position) -> SpecError {
    var copy = self
    copy.position = position ?? place
    return copy
  }

  /// The same error, saying in what it was found.
  func within(_ context: String) -> SpecError {
    var copy = self
    copy.message = "\(context): \(message)"
    return copy
  }
}
