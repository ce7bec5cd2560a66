import KernelSpec
import TensorProgram
import Testing

@Suite("Random operators")
struct RandomTests {
  private let count = 20_000

  private func values(_ operation: String, seed: Int64, offset: Int = 0) throws -> [Double] {
    let text = "\(operation)(seed: s: i64[], size: [\(count)], offset: \(offset))"
    let checked = try Spec.parse(text).checked()
    let seed = TensorValue(.i64, [], integers: [seed])
    let program = try TensorProgram(lowering: checked)
    return try ReferenceEvaluator(program).evaluate([seed])[0].reals
  }

  private func correlation(_ first: some Collection<Double>, _ second: some Collection<Double>)
    -> Double
  {
    let size = Double(first.count)
    let means = (first.reduce(0, +) / size, second.reduce(0, +) / size)
    var (product, squares) = (0.0, (0.0, 0.0))
    for (x, y) in zip(first, second) {
      product += (x - means.0) * (y - means.1)
      squares.0 += (x - means.0) * (x - means.0)
      squares.1 += (y - means.1) * (y - means.1)
    }
    return product / (squares.0 * squares.1).squareRoot()
  }

  @Test("the generator gives the answer that its authors publish")
  func knownAnswer() {
    #expect(UInt64(bitPattern: Philox.bits(key: 0, counter: 0)) == 0xE169_C58D_6627_E8D5)
  }

  @Test("uniform numbers fill every part of their range equally", arguments: [0, 1, -7] as [Int64])
  func uniformity(_ seed: Int64) throws {
    let values = try values("rand", seed: seed)
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    var bins = [Double](repeating: 0, count: 64)
    for value in values { bins[Int(value * 64)] += 1 }
    let expected = Double(count) / 64
    let statistic = bins.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
    // Chi-squared of 63 degrees of freedom: mean 63, deviation 11.2.
    #expect(abs(statistic - 63) < 5 * 11.2)
  }

  @Test("normal numbers have the moments of their distribution", arguments: [0, 1, -7] as [Int64])
  func moments(_ seed: Int64) throws {
    let values = try values("randn", seed: seed)
    let size = Double(count)
    let mean = values.reduce(0, +) / size
    let variance = values.reduce(0) { $0 + $1 * $1 } / size
    let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / size
    let within = Double(values.filter { abs($0) < 1 }.count) / size
    #expect(abs(mean) < 5 / size.squareRoot())
    #expect(abs(variance - 1) < 5 * (2 / size).squareRoot())
    #expect(abs(fourth - 3) < 5 * (96 / size).squareRoot())
    #expect(abs(within - 0.6827) < 5 * (0.2166 / size).squareRoot())
  }

  @Test("neighbours, offsets and seeds are independent, and equal ones give equal numbers")
  func independence() throws {
    let limit = 5 / Double(count).squareRoot()
    for operation in ["rand", "randn"] {
      let first = try values(operation, seed: 5)
      #expect(try values(operation, seed: 5) == first)
      #expect(abs(correlation(first.dropLast(), first.dropFirst())) < limit)
      #expect(abs(correlation(first, try values(operation, seed: 6))) < limit)
      #expect(abs(correlation(first, try values(operation, seed: 5, offset: 1))) < limit)
    }
  }

  @Test("a permutation has every number once, and puts each anywhere alike")
  func permutations() throws {
    let (length, rounds) = (16, 2_000)
    var counts = [[Int]](repeating: [Int](repeating: 0, count: length), count: length)
    let text = "randperm(seed: s: i64[], n: \(length))"
    let evaluator = ReferenceEvaluator(try TensorProgram(lowering: Spec.parse(text).checked()))
    for round in 0..<rounds {
      let seed = TensorValue(.i64, [], integers: [Int64(round)])
      guard case .integers(let order) = try evaluator.evaluate([seed])[0].storage else {
        throw EmptyResult()
      }
      #expect(order.sorted() == (0..<Int64(length)).map { $0 })
      for (place, number) in order.enumerated() { counts[place][Int(number)] += 1 }
    }
    let expected = Double(rounds) / Double(length)
    for place in counts {
      let statistic = place.reduce(0) {
        $0 + (Double($1) - expected) * (Double($1) - expected) / expected
      }
      // Chi-squared of 15 degrees of freedom: mean 15, deviation 5.5.
      #expect(abs(statistic - 15) < 5 * 5.5)
    }
  }

  @Test(
    "dropout keeps the share that it should, scaled, and says which", arguments: [0.1, 0.5, 0.9])
  func dropout(_ chance: Double) throws {
    let text =
      "native_dropout(x: f32[\(count)], p: \(chance), train: true, seed: s: i64[], offset: 3)"
    let program = try TensorProgram(
      lowering: Spec.parse("d = \(text); (d, d#1)").checked())
    let inputs = [
      TensorValue(.f32, [count], reals: [Double](repeating: 1, count: count)),
      TensorValue(.i64, [], integers: [9]),
    ]
    let results = try ReferenceEvaluator(program).evaluate(inputs)
    let kept = results[0].reals.filter { $0 != 0 }
    #expect(kept.allSatisfy { abs($0 - 1 / (1 - chance)) < 1e-6 })
    guard case .integers(let mask) = results[1].storage else { throw EmptyResult() }
    #expect(mask.map { $0 != 0 } == results[0].reals.map { $0 != 0 })
    let deviation = (chance * (1 - chance) / Double(count)).squareRoot()
    #expect(abs(Double(kept.count) / Double(count) - (1 - chance)) < 5 * deviation)
  }

  private struct EmptyResult: Error {}
}
