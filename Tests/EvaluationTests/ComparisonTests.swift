import KernelSpec
import Testing

@testable import Evaluation

/// Numbers as a reference gives them.
func expectation(_ values: [Double], _ errors: [Float]) -> ExpectedOutput {
  ExpectedOutput(.real(values), errors: errors.isEmpty ? nil : elements(errors))
}

func elements(_ values: [Float]) -> TensorElements {
  TensorElements(values.withUnsafeBytes { Array($0) }, dtype: .f32, count: values.count)
}

@Suite struct ComparisonTests {
  private func agrees(
    _ actual: [Double], _ expected: [Double], errors: [Float] = [], dtype: DType = .f32,
    strictness: Strictness = .values
  ) -> Bool {
    Comparison(
      .elements(.real(actual)), expectation(expected, errors), dtype: dtype,
      numerics: NumericPolicy(), strictness: strictness
    ).mismatch == nil
  }

  @Test("an element's tolerance follows the error that rounding may give it, and no other's")
  func possibleErrors() {
    #expect(agrees([1.00001, 5], [1, 5], errors: [0, 0]))
    #expect(!agrees([1.00003, 5], [1, 5], errors: [0, 1]))
    #expect(agrees([1.5, 5], [1, 5], errors: [0.5, 0]))
    #expect(agrees([1.00005], [1], errors: [.infinity]))
    #expect(!agrees([1.5], [1], errors: [.infinity]))
  }

  @Test("zeros are no answer where all values are small")
  func smallValues() {
    #expect(!agrees([0, 0], [1e-9, 2e-9], errors: [1e-15, 1e-15]))
  }

  @Test("an integer that rounding decides may be another, as far as rounding reaches")
  func decidedByRounding() {
    let policy = NumericPolicy()
    let expected = ExpectedOutput(.integers([3, 3]), errors: elements([1, 0]))
    let near = Comparison(
      .elements(.integers([4, 3])), expected, dtype: .i64, numerics: policy, strictness: .values)
    let wrong = Comparison(
      .elements(.integers([3, 4])), expected, dtype: .i64, numerics: policy, strictness: .values)
    #expect(near.mismatch == nil)
    #expect(wrong.mismatch != nil)
  }

  @Test("on equal inputs values may be rounding, but none may become infinite or NaN")
  func finiteness() {
    #expect(agrees([5, 3e-4], [1, 0], strictness: .finiteness))
    #expect(agrees([7], [.nan], strictness: .finiteness))
    #expect(agrees([.infinity], [1e33], strictness: .finiteness))
    #expect(!agrees([.nan], [0], strictness: .finiteness))
    #expect(!agrees([-.infinity], [1], strictness: .finiteness))
  }

  @Test("errors within the tolerance pass and those beyond it do not")
  func tolerance() {
    #expect(agrees([1.00005], [1]))
    #expect(!agrees([1.0002], [1]))
    #expect(!agrees([0, 0, 1], [0, 1, 1]))
  }

  @Test("only NaN meets NaN and only the same infinity meets an infinity")
  func classes() {
    #expect(agrees([.nan, .infinity], [.nan, .infinity]))
    #expect(!agrees([1], [.nan]))
    #expect(!agrees([.nan], [1]))
    #expect(!agrees([-.infinity], [.infinity]))
    #expect(!agrees([.infinity], [1]))
    #expect(!agrees([1e30], [.infinity]))
  }

  @Test("a value beyond the dtype's range may be an infinity")
  func overflow() {
    #expect(agrees([.infinity], [70000], dtype: .f16))
    #expect(agrees([65504], [65510], dtype: .f16))
    #expect(!agrees([100], [70000], dtype: .f16))
  }

  @Test("with special inputs the class of a finite value suffices")
  func classOnly() {
    #expect(agrees([5, .nan], [1, .nan], strictness: .classes))
    #expect(!agrees([.nan], [1], strictness: .classes))
  }

  @Test("integers must be equal and counts must agree")
  func integers() {
    let policy = NumericPolicy()
    let equal = Comparison(
      .elements(.integers([1, 2])), ExpectedOutput(.integers([1, 2])), dtype: .i32,
      numerics: policy,
      strictness: .values)
    let other = Comparison(
      .elements(.integers([1, 3])), ExpectedOutput(.integers([1, 2])), dtype: .i32,
      numerics: policy,
      strictness: .values)
    let short = Comparison(
      .elements(.integers([1])), ExpectedOutput(.integers([1, 2])), dtype: .i32, numerics: policy,
      strictness: .values)
    #expect(equal.mismatch == nil)
    #expect(other.mismatch != nil)
    #expect(short.mismatch != nil)
  }

  @Test("half floats survive the way there and back")
  func halfFloats() {
    let all = Array(UInt16.min...UInt16.max)
    let halves = TensorElements(
      all.withUnsafeBytes { Array($0) }, dtype: .f16, count: all.count)
    for bits in all {
      let value = halves.reals[Int(bits)]
      if value.isNaN { continue }
      #expect(HalfFloat.encode(Float(value)) == bits)
    }
  }

  @Test("every element counts, wherever it lies among those that are compared at once")
  func positions() {
    let count = 1300
    let expected = (0..<count).map { Double($0) - 600 }
    for wrong in [0, 1, 15, 511, 512, 513, 1023, 1024, 1279, 1299] {
      for value in [Double.nan, .infinity, expected[wrong] + 1] {
        var actual = expected
        actual[wrong] = value
        let comparison = Comparison(
          .elements(.real(actual)), expectation(expected, []), dtype: .f64,
          numerics: NumericPolicy(), strictness: .values)
        #expect(comparison.mismatch?.hasPrefix("element \(wrong) is") == true)
      }
    }
  }

  @Test("the largest error over its tolerance is reported")
  func worst() {
    let expected = expectation([1, 1, 1], [0.5, 0.25, 1])
    let comparison = Comparison(
      .elements(.real([1.1, 1.2, 0.9])), expected, dtype: .f64,
      numerics: NumericPolicy(rtol: 0, atol: 0), strictness: .values)
    #expect((comparison.worst - 0.8).magnitude < 1e-6)
  }

  @Test("one number for all elements is compared as a tensor of it would be")
  func constants() {
    let expected = expectation([2, 2.5], [0.1, 0.6])
    func agrees(_ value: Double) -> Bool {
      Comparison(
        .all(value), expected, dtype: .f32, numerics: NumericPolicy(), strictness: .values
      ).mismatch == nil
    }
    #expect(agrees(2.05))
    #expect(!agrees(2.2))
  }

  @Test("every dtype's elements are read as what they are", arguments: DType.allCases)
  func widening(dtype: DType) {
    let type = TensorType(dtype, [700])
    let interface = KernelInterface(
      entryPoint: "k", inputs: [type], outputs: [], inputDomains: [.index(2)], workspaceBytes: 0,
      alignmentBytes: 64)
    let bytes = InputGenerator(interface).inputs(.normal, seed: 3)[0]
    let values = TensorElements(bytes, dtype: dtype, count: 700)
    let read = dtype.isFloatingPoint ? values.reals : values.integers.map(Double.init)
    #expect(read.count == 700 && read.allSatisfy { $0 == 0 || $0 == 1 })
    #expect(read.contains(0) && read.contains(1))
  }
}
