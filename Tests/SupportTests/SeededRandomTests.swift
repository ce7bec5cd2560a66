import Support
import Testing

@Suite struct SeededRandomTests {
  @Test("gives the published sequence of SplitMix64")
  func sequence() {
    var random = SeededRandom(seed: 1_234_567)
    let expected: [UInt64] = [
      6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
      4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
    ]
    let found = expected.map { _ in random.next() }
    #expect(found == expected)
  }

  @Test("goes on from its state as if it had not stopped")
  func checkpoint() {
    var random = SeededRandom(seed: 9)
    for _ in 0..<100 { _ = random.next() }
    var resumed = SeededRandom(seed: random.state)
    let (own, others) = (
      (0..<100).map { _ in random.next() }, (0..<100).map { _ in resumed.next() }
    )
    #expect(own == others)
  }

  @Test("uniform numbers lie in 0..<1 with the mean of a half")
  func uniform() {
    var random = SeededRandom(seed: 3)
    let values = (0..<10_000).map { _ in random.uniform() }
    #expect(values.allSatisfy { (0..<1).contains($0) })
    #expect(abs(values.reduce(0, +) / 10_000 - 0.5) < 0.02)
  }

  @Test("a split stream differs from the one it came from")
  func split() {
    var random = SeededRandom(seed: 4)
    var other = random.split()
    let (own, others) = ((0..<100).map { _ in random.next() }, (0..<100).map { _ in other.next() })
    #expect(Set(own).isDisjoint(with: others))
  }
}
