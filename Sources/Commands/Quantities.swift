import ArgumentParser

/// A number of bytes, as people write it: `500M`, `1.5GiB`, `1000000`. Units count in steps of 1024.
struct ByteCount: ExpressibleByArgument, Equatable {
  var bytes: Int

  init(bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    guard let (value, unit) = Quantity.split(argument) else { return nil }
    let powers: [String: Int] = ["": 0, "k": 1, "m": 2, "g": 3, "t": 4]
    var prefix = unit
    if prefix.hasSuffix("b") { prefix.removeLast() }
    if prefix.hasSuffix("i") { prefix.removeLast() }
    guard let power = powers[prefix] else { return nil }
    let count: Double = value * Double(1 << (10 * power))
    guard count < 1e18 else { return nil }
    bytes = Int(count)
  }
}

/// A length of time, as people write it: `30d`, `12h`, `90m`, `45s`, `2w`; a bare number is seconds.
struct TimeSpan: ExpressibleByArgument, Equatable {
  var seconds: Double

  init(seconds: Double) { self.seconds = seconds }

  init?(argument: String) {
    guard let (value, unit) = Quantity.split(argument) else { return nil }
    let units = ["": 1.0, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
    guard let scale = units[unit], value * scale <= 1e9 else { return nil }
    seconds = value * scale
  }
}

private enum Quantity {
  /// A number that is not negative, and what follows it in lower case.
  static func split(_ text: String) -> (value: Double, unit: String)? {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    guard let value = Double(digits), value.isFinite else { return nil }
    return (value, text.dropFirst(digits.count).lowercased())
  }
}
