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
  ///   - cases: of one spec, all different; stale answers are judged only when there are several.
  ///   - narrowed: those of `cases` whose answers are known for narrowed inputs, with these answers.
  ///   - types: of the outputs.
  package init(
    _ cases: [VerificationCase], narrowed: [VerificationCase] = [], types: [TensorType],
    numerics: NumericPolicy
  ) {
    let first = cases.first { $0.distribution.strictness == .values }
    for (output, type) in types.enumerated() where type.elementCount > 0 {
      func note(_ answer: WrongAnswer, _ tries: [(VerificationCase, TensorElements)]) {
        guard !tries.isEmpty else { return }
        let seen = tries.filter { test, elements in
          Comparison(
            elements, test.expected[output], dtype: type.dtype, numerics: numerics,
            strictness: test.distribution.strictness
          ).mismatch != nil
        }
        findings.append(
          Finding(answer: answer, output: output, seenOn: seen.map(\.0.distribution)))
      }
      note(.zeros, cases.map { ($0, $0.expected[output].values.filled(with: 0)) })
      guard let first else { continue }
      let values = first.expected[output].values
      note(.constant, cases.map { ($0, $0.expected[output].values.filled(with: values.mean)) })
      note(.stale, cases.filter { $0 != first }.map { ($0, values) })
      note(
        .narrow,
        narrowed.compactMap { answer in
          cases.first { $0.seed == answer.seed }.map { ($0, answer.expected[output].values) }
        })
    }
  }
}

extension TensorElements {
  fileprivate func filled(with value: Double) -> TensorElements {
    switch self {
    case .real(let values): .real([Double](repeating: value, count: values.count))
    case .integers(let values): .integers([Int64](repeating: Int64(value), count: values.count))
    }
  }

  /// The mean of the finite values; of integers, a whole number.
  fileprivate var mean: Double {
    switch self {
    case .real(let values):
      let finite = values.lazy.filter(\.isFinite)
      let (sum, count) = finite.reduce((0.0, 0.0)) { ($0.0 + $1, $0.1 + 1) }
      return count > 0 && sum.isFinite ? sum / count : 0
    case .integers(let values):
      let mean = values.reduce(0.0) { $0 + Double($1) } / Double(max(1, values.count))
      return mean.magnitude < 0x1p62 ? mean.rounded() : 0
    }
  }
}
