import Glibc

/// The name of a kernel's space, taken apart: `contraction 1024x512x64` is a kind and sizes.
struct KernelName: Hashable {
  var kind: String
  var sizes: [Double]

  /// Words whose parts between `x` are all numbers are sizes; the other words are the kind.
  init(_ text: String) {
    var kind: [Substring] = []
    var sizes: [Double] = []
    for word in text.split(separator: " ") {
      let numbers = word.split(separator: "x", omittingEmptySubsequences: false).map { UInt64($0) }
      if numbers.contains(nil) {
        kind.append(word)
      } else {
        sizes += numbers.compactMap { number in number.map { Double($0) } }
      }
    }
    self.kind = kind.joined(separator: " ")
    self.sizes = sizes
  }

  /// How many doublings the sizes differ by, summed over the dimensions; `nil` for another kind or another
  /// number of dimensions.
  func distance(to other: KernelName) -> Double? {
    guard kind == other.kind, sizes.count == other.sizes.count else { return nil }
    return zip(sizes, other.sizes).reduce(0) { $0 + abs(log2(max(1, $1.0) / max(1, $1.1))) }
  }
}
