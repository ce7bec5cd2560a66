import Support

/// How a collection cuts its work into transactions: each as long as a writer may be kept waiting.
///
/// A transaction writes every page that it changes once, so that a long one writes less for each entry: entries lie
/// together by their age, and their keys anywhere in the index of keys.
struct CollectionSteps {
  /// Whether there is so little room that the log of a transaction must stay small.
  var isTight: Bool
  private static let goalSeconds = 0.05
  private static let sizes = 16...8192
  private static let tightSize = 32

  /// Calls `body` with some values after the other, more of them at a time when a step was short.
  func each<Value>(
    _ values: [Value], _ time: any TimeSource, first: Int = 256,
    _ body: (ArraySlice<Value>) throws -> Void
  ) rethrows {
    var size = isTight ? min(first, Self.tightSize) : first
    var start = 0
    while start < values.count {
      let end = min(start + size, values.count)
      let begun = time.monotonicSeconds
      try body(values[start..<end])
      start = end
      if !isTight { size = Self.next(size, seconds: time.monotonicSeconds - begun) }
    }
  }

  /// Doubles or halves at most.
  static func next(_ size: Int, seconds: Double) -> Int {
    let factor = seconds > 0 ? min(2, max(0.5, goalSeconds / seconds)) : 2
    return min(sizes.upperBound, max(sizes.lowerBound, Int(Double(size) * factor)))
  }
}
