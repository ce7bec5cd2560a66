import KernelSpec
import Testing

@testable import Evaluation

@Suite struct ComparisonTests {
  private func agrees(
    _ actual: [Double], _ expected: [Double], errors: [Float] = [], dtype: DType = .f32,
    strictness: Strictness = .values
  ) -> Bool {
    Comparison(
      .real(actual), ExpectedOutput(.real(expected), errors: errors), dtype: dtype,
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
    let expected = ExpectedOutput(.integers([3, 3]), errors: [1, 0])
    let near = Comparison(
      .integers([4, 3]), expected, dtype: .i64, numerics: policy, strictness: .values)
    let wrong = Comparison(
      .integers([3, 4]), expected, dtype: .i64, numerics: policy, strictness: .values)
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
      .integers([1, 2]), ExpectedOutput(.integers([1, 2])), dtype: .i32, numerics: policy,
      strictness: .values)
    let other = Comparison(
      .integers([1, 3]), ExpectedOutput(.integers([1, 2])), dtype: .i32, numerics: policy,
      strictness: .values)
    let short = Comparison(
      .integers([1]), ExpectedOutput(.integers([1, 2])), dtype: .i32, numerics: policy,
      strictness: .values)
    #expect(equal.mismatch == nil)
    #expect(other.mismatch != nil)
    #expect(short.mismatch != nil)
  }

  @Test("half floats survive the way there and back")
  func halfFloats() {
    for bits in UInt16.min...UInt16.max {
      let value = HalfFloat.decode(bits)
      if value.isNaN { continue }
      #expect(HalfFloat.encode(value) == bits)
    }
  }
}
