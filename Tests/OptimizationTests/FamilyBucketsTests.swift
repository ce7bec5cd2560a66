import KernelSpec
import Optimization
import Support
import Testing

@Suite("Buckets of open sizes") struct FamilyBucketsTests {
  @Test(
    "every combination of sizes is in one bucket, and there are few",
    arguments: 0..<40 as Range<UInt64>)
  func cover(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    let symbols = (0..<Int.random(in: 1...2, using: &random)).map { position in
      let lower = Int.random(in: 0...20, using: &random)
      let upper = lower + Int.random(in: 1...60, using: &random)
      return SizeSymbol(
        "s\(position)", lower...upper, step: Int.random(in: 1...5, using: &random))
    }
    let buckets = FamilyBuckets.of(symbols)
    #expect(!buckets.isEmpty && buckets.count <= 9, "seed \(seed): \(buckets.count)")
    let values = symbols.map { Array(stride(from: $0.lower, through: $0.upper, by: $0.step)) }
    let all = values.reduce([[]]) { all, next in all.flatMap { start in next.map { start + [$0] } }
    }
    for sizes in all {
      #expect(buckets.count { $0.contains(sizes) } == 1, "seed \(seed): \(sizes)")
    }
    for bucket in buckets {
      #expect(all.contains(bucket.lower) && all.contains(bucket.upper), "seed \(seed)")
    }
  }
}
