/// Texts of one spec at several sizes, made one text in which numbers are expressions of the sizes.
struct OpenText {
  /// Where a number that depends on sizes may stand, and how it is written there.
  enum Form {
    /// The JSON form: `{"size":"12*s0"}`, and bare in a type within quotes.
    case json
    case text
  }

  let points: [[Int]]
  let form: Form
  let name: (Int) -> String

  /// Why the texts are not one.
  enum Difference: Error {
    /// The text at this point has another structure than the first one.
    case structure(at: Int)
    /// A number follows no polynomial; what stands before it.
    case number(after: String)
  }

  /// - Parameter texts: one for each point.
  func merged(_ texts: [String]) throws(Difference) -> String {
    let parts = texts.map(Self.parts)
    guard let first = parts.first else { return "" }
    for (position, other) in parts.enumerated() where other.fixed != first.fixed {
      throw .structure(at: position)
    }
    var text = first.fixed[0]
    for place in first.numbers.indices {
      let values = parts.map { $0.numbers[place] }
      if values.allSatisfy({ $0 == values[0] }) {
        text += values[0]
      } else {
        text += try expression(values, after: text)
      }
      text += first.fixed[place + 1]
    }
    return text
  }

  private func expression(_ values: [String], after text: String) throws(Difference) -> String {
    let integers = values.compactMap { Int($0) }
    let quote = text.lastIndex(of: "\"")
    let isQuoted = form == .json && text.count(where: { $0 == "\"" }) % 2 == 1
    // Of what is quoted only types have extents: numbers of nodes are names.
    let isType = quote.map { text[$0...].contains("[") } ?? false
    guard integers.count == values.count, !isQuoted || isType,
      let found = SizeFit.polynomial(integers, at: points)
    else { throw .number(after: String(text.suffix(40))) }
    let written = found.text(name)
    return form == .json && !isQuoted ? "{\"size\":\"\(written)\"}" : written
  }

  /// The integers of a text, and what stands before, between and behind them.
  private static func parts(_ text: String) -> (fixed: [String], numbers: [String]) {
    let bytes = Array(text.utf8)
    var fixed: [String] = []
    var numbers: [String] = []
    var start = 0
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      if TextLexer.isWordStart(byte) {
        while position < bytes.count, TextLexer.isWordPart(bytes[position]) { position += 1 }
        continue
      }
      let isSigned =
        byte == UInt8(ascii: "-") && position + 1 < bytes.count
        && TextLexer.isDigit(bytes[position + 1])
      guard TextLexer.isDigit(byte) || isSigned else {
        position += 1
        continue
      }
      var end = position + 1
      while end < bytes.count, TextLexer.isWordPart(bytes[end]) { end += 1 }
      fixed.append(String(decoding: bytes[start..<position], as: UTF8.self))
      numbers.append(String(decoding: bytes[position..<end], as: UTF8.self))
      start = end
      position = end
    }
    fixed.append(String(decoding: bytes[start...], as: UTF8.self))
    return (fixed, numbers)
  }
}
