/// The names of axes and buffers in the text of one function.
enum LocalNames {
  private static let kinds = ["i", "b", "e", "from", "to"]

  /// The text with its numbered names numbered anew, in the order in which they appear: what comes of equal stages
  /// of a program becomes equal.
  static func renumbered(_ text: String) -> String {
    var numbers: [Substring: Int] = [:]
    var result = ""
    result.reserveCapacity(text.utf8.count)
    var rest = Substring(text)
    while let first = rest.first {
      let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
      guard !word.isEmpty else {
        result.append(first)
        rest.removeFirst()
        continue
      }
      rest = rest.dropFirst(word.count)
      let kind = word.prefix { $0.isLetter }
      let digits = word.dropFirst(kind.count)
      guard kinds.contains(where: { $0 == kind }), !digits.isEmpty,
        digits.allSatisfy(\.isNumber)
      else {
        result += word
        continue
      }
      // The bounds of a loop have the number of its axis.
      let name = kind == "from" || kind == "to" ? "i" + digits : word
      let number = numbers[name] ?? numbers.count
      numbers[name] = number
      result += "\(kind)\(number)"
    }
    return result
  }
}
