import Support

extension SeededRandom {
  /// A number in `0..<bound`; 0 when `bound` is not positive. The bias is below `bound / 2^64`.
  mutating func below(_ bound: Int) -> Int {
    let drawn = next()
    return bound > 0 ? Int(drawn.multipliedFullWidth(by: UInt64(bound)).high) : 0
  }

  /// An element chosen uniformly; `nil` when there is none.
  mutating func choice<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[below(elements.count)]
  }

  mutating func chance(_ probability: Double) -> Bool { uniform() < probability }
}
