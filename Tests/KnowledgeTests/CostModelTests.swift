import Glibc
import KernelSpec
import Support
import Testing

@testable import Knowledge

@Suite struct CostModelTests {
  /// A made-up cost: a ridge over two sizes, and a sketch that lacks one of them.
  private static func samples(_ count: Int, seed: UInt64, shift: Float = 0) -> [CostSample] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in
      let (tile, depth) = (Float(random.next() % 8), Float(random.next() % 8))
      if random.next() % 4 == 0 {
        return CostSample(features: ["is plain": 1, "tile": tile], gain: -1 + tile / 16)
      }
      let gain = 1 - abs(tile + depth - 7 - shift) / 4
      return CostSample(
        features: ["is blocked": 1, "tile": tile, "depth": depth], gain: gain)
    }
  }

  private static var isInstalled: Bool {
    CostModel(own: samples(CostModel.fewestSamples, seed: 0)) != nil
  }

  private func meanError(_ model: CostModel, on samples: [CostSample]) -> Float {
    let gains = model.gains(of: samples.map(\.features))
    return zip(gains, samples).reduce(0) { $0 + abs($1.0 - $1.1.gain) } / Float(samples.count)
  }

  @Test("what was learned holds for schedules that were not seen", .enabled(if: isInstalled))
  func heldOut() throws {
    let model = try #require(CostModel(own: Self.samples(200, seed: 1)))
    let held = Self.samples(200, seed: 2)
    let mean = held.reduce(0) { $0 + $1.gain } / Float(held.count)
    let spread = held.reduce(0) { $0 + abs($1.gain - mean) } / Float(held.count)
    #expect(meanError(model, on: held) < spread / 4)
  }

  @Test("equal samples give equal predictions", .enabled(if: isInstalled))
  func deterministic() throws {
    let (own, others) = (Self.samples(40, seed: 3), Self.samples(100, seed: 4))
    let held = Self.samples(50, seed: 5).map(\.features)
    let first = try #require(CostModel(own: own, others: others))
    let second = try #require(CostModel(own: own, others: others))
    #expect(first.gains(of: held) == second.gains(of: held))
  }

  @Test("samples of the search itself outweigh those of others", .enabled(if: isInstalled))
  func ownSamples() throws {
    let others = Self.samples(100, seed: 6, shift: 4)
    let alone = try #require(CostModel(own: others))
    let both = try #require(CostModel(own: Self.samples(60, seed: 7), others: others))
    let held = Self.samples(200, seed: 8)
    #expect(meanError(both, on: held) < meanError(alone, on: held) / 2)
  }

  @Test("a few samples teach nothing, and no schedules have no predictions")
  func few() {
    #expect(CostModel(own: Self.samples(CostModel.fewestSamples - 1, seed: 9)) == nil)
    #expect(CostModel(own: Self.samples(40, seed: 9))?.gains(of: []) ?? [] == [])
  }

  @Test("features that were never seen do not matter", .enabled(if: isInstalled))
  func unknownFeatures() throws {
    let model = try #require(CostModel(own: Self.samples(100, seed: 10)))
    let known: [String: Float] = ["is blocked": 1, "tile": 3, "depth": 4]
    let more = known.merging(["of another version": 7]) { $1 }
    #expect(model.gains(of: [known]) == model.gains(of: [more]))
    #expect(model.gains(of: [[:]]).allSatisfy { $0.isFinite })
  }

  @Test("what failed and what is hopelessly slow are equally worthless")
  func worst() {
    for speedup in [0, -1, .nan, 1e-9, 0.125] {
      #expect(CostSample(features: [:], speedup: speedup).gain == CostSample.worst)
    }
    #expect(CostSample(features: [:], speedup: 2).gain == 1)
    #expect(CostSample(features: [:], speedup: 1e9).gain == -CostSample.worst)
  }
}
