package import KernelSpec

/// An answer that is not computed as asked, and that a spec without much to tell would let pass.
package enum WrongAnswer: String, Sendable, Hashable, CaseIterable {
  case zeros
  /// One number everywhere.
  case constant
  /// The right answer to other inputs.
  case stale
  /// The answer to inputs that have lost half of their digits.
  case narrow
}

/// Which wrong answers verification tells from right ones, for each output of a spec.
package struct SpecSignal: Sendable, Hashable {
  package struct Finding: Sendable, Hashable {
    package var answer: WrongAnswer
    /// The position of the output.
    package var output: Int
    /// The kinds of input on which the wrong answer is seen; none when it passes for right.
    package var seenOn: [InputDistribution]
  }

  package private(set) var findings: [Finding] = []

  /// What no kind of input tells from a right answer.
  package var passing: [Finding] { findings.filter(\.seenOn.isEmpty) }

  /// Judges wrong answers as a kernel's would be judged.
  ///
  /// - Parameters:
  ///   - cases: of one spec, with different seeds; stale answers are judged only when there are several.
  ///   - narrowed: those of `cases` whose answers are known for narrowed inputs, with these answers.
  ///   - types: of the outputs.
  ///   - findsAll: whether all kinds of input are named that show a wrong answer, instead of the first.
  package init(
    _ cases: [VerificationCase], narrowed: [VerificationCase] = [], types: [TensorType],
    numerics: NumericPolicy, findsAll: Bool = true
  ) {
    let first = cases.first { $0.distribution.strictness == .values }
    for (output, type) in types.enumerated() where type.elementCount > 0 {
      func note(_ answer: WrongAnswer, _ tries: [(VerificationCase, Comparison.Actual)]) {
        guard !tries.isEmpty else { return }
        var seen: [InputDistribution] = []
        for (test, actual) in tries where findsAll || seen.isEmpty {
          let comparison = Comparison(
            actual, test.expected[output], dtype: type.dtype, numerics: numerics,
            strictness: test.distribution.strictness)
          if comparison.mismatch != nil { seen.append(test.distribution) }
        }
        findings.append(Finding(answer: answer, output: output, seenOn: seen))
      }
      note(.zeros, cases.map { ($0, .all(0)) })
      guard let first else { continue }
      let values = first.expected[output].values
      let mean = values.mean
      note(.constant, cases.map { ($0, .all(mean)) })
      note(.stale, cases.filter { $0.seed != first.seed }.map { ($0, .elements(values)) })
      note(
        .narrow,
        narrowed.compactMap { answer in
          cases.first { $0.seed == answer.seed }
            .map { ($0, .elements(answer.expected[output].values)) }
        })
    }
  }
}

extension TensorElements {
  /// The mean of the finite values; of integers, a whole number.
  fileprivate var mean: Double {
    guard dtype.isFloatingPoint else {
      let mean = integers.reduce(0.0) { $0 + Double($1) } / Double(max(1, count))
      return mean.magnitude < 0x1p62 ? mean.rounded() : 0
    }
    let (sum, count) = reals.reduce((0.0, 0.0)) { $1.isFinite ? ($0.0 + $1, $0.1 + 1) : $0 }
    return count > 0 && sum.isFinite ? sum / count : 0
  }
}
