package import KernelSpec
import RunnerProtocol

/// Inputs and what must come out.
package struct VerificationCase: Sendable, Hashable {
  package var distribution: InputDistribution
  /// What the inputs were multiplied by, so that the results say something.
  package var scale: Double
  package var seed: UInt64
  package var inputs: [[UInt8]]
  /// One for each output.
  package var expected: [ExpectedOutput]

  /// What the inputs are, for people.
  var name: String {
    distribution.rawValue + (scale == 1 ? "" : " times 2^\(scale.exponent)")
  }

  package init(
    distribution: InputDistribution, scale: Double = 1, seed: UInt64, inputs: [[UInt8]],
    expected: [ExpectedOutput]
  ) {
    self.distribution = distribution
    self.scale = scale
    self.seed = seed
    self.inputs = inputs
    self.expected = expected
  }
}

/// The expected values of a spec. Computed once in a process of their own, and kept where no
/// candidate runs.
package struct ReferenceValues: Sendable {
  package let cases: [VerificationCase]

  package init(cases: [VerificationCase]) { self.cases = cases }

  /// The same values for kernels that take `inputs` after the others, equal in every case.
  package func appending(_ inputs: [[UInt8]]) -> ReferenceValues {
    if inputs.isEmpty { return self }
    return ReferenceValues(
      cases: cases.map { test in
        var longer = test
        longer.inputs += inputs
        return longer
      })
  }

  /// Runs a reference kernel, with the inputs of the spec and every output as f64 or i64; after these it may give
  /// the possible errors of all elements of each output as f32.
  ///
  /// - Parameters:
  ///   - interface: the candidates' interface, which the inputs are made for.
  ///   - seed: the first case's; secret, so that no candidate can know its inputs.
  ///   - processes: how many cases are computed side by side.
  ///   - narrows: whether the inputs lose half of their digits.
  /// - Throws: `EvaluationError.referenceFailed`, or what opening a session throws.
  package static func compute(
    _ reference: Artifact, for interface: KernelInterface, runner: any KernelRunner,
    distributions: [InputDistribution] = InputDistribution.standard, seed: UInt64,
    processes: Int = 1, narrows: Bool = false,
    limits: RunnerLimits = RunnerLimits(time: .seconds(60))
  ) async throws -> ReferenceValues {
    let maker = CaseMaker(
      reference: reference, outputs: interface.outputs, generator: InputGenerator(interface),
      runner: runner, limits: limits, narrows: narrows)
    let shares = max(1, min(processes, distributions.count))
    let cases = try await withThrowingTaskGroup(of: [(Int, VerificationCase)].self) { group in
      for share in 0..<shares {
        group.addTask {
          let positions = stride(from: share, to: distributions.count, by: shares)
          return try await maker.make(
            positions.map { ($0, distributions[$0], seed &+ UInt64($0)) })
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    return ReferenceValues(cases: cases.sorted { $0.0 < $1.0 }.map(\.1))
  }
}

/// Makes cases one after the other in one process.
private struct CaseMaker: Sendable {
  let reference: Artifact
  /// The candidates' outputs.
  let outputs: [TensorType]
  let generator: InputGenerator
  let runner: any KernelRunner
  let limits: RunnerLimits
  let narrows: Bool

  func make(_ wanted: [(Int, InputDistribution, UInt64)]) async throws -> [(Int, VerificationCase)]
  {
    let session = try await runner.open(reference, threads: 1, limits: limits)
    do {
      var cases: [(Int, VerificationCase)] = []
      for (position, distribution, seed) in wanted {
        cases.append((position, try await makeTelling(distribution, seed, in: session)))
      }
      await session.close()
      return cases
    } catch {
      await session.close()
      throw error
    }
  }

  /// A case that tells right kernels from wrong ones, if smaller inputs help: what the layers of a deep network make
  /// of numbers of one magnitude may be beyond all numbers of the type, or hang on the last digit.
  private func makeTelling(
    _ distribution: InputDistribution, _ seed: UInt64, in session: any KernelSession
  ) async throws -> VerificationCase {
    var best = try await make(distribution, seed, scale: 1, in: session)
    var signal = CaseSignal(best, outputs)
    // Two steps at once first: most networks need them, and a case of a deep one takes long.
    for exponent in [-8, -4, -16, -12] where !signal.suffices {
      let scale = Double(sign: .plus, exponent: exponent, significand: 1)
      let smaller = try await make(distribution, seed, scale: scale, in: session)
      let other = CaseSignal(smaller, outputs)
      if other.share > signal.share { (best, signal) = (smaller, other) }
    }
    // The lost digits must be the only difference from the case as it is.
    return narrows
      ? try await make(distribution, seed, scale: best.scale, narrows: true, in: session) : best
  }

  private func make(
    _ distribution: InputDistribution, _ seed: UInt64, scale: Double, narrows: Bool = false,
    in session: any KernelSession
  ) async throws -> VerificationCase {
    let drawn = generator.inputs(distribution, seed: seed, scale: scale)
    let inputs = narrows ? generator.narrowed(drawn) : drawn
    let result = try await session.run(inputs: inputs, guards: .end)
    if let failure = result.status.failure {
      throw EvaluationError(.referenceFailed, "\(distribution.rawValue): \(failure)")
    }
    return VerificationCase(
      distribution: distribution, scale: scale, seed: seed, inputs: inputs,
      expected: expectations(result.outputs))
  }

  private func expectations(_ outputs: [[UInt8]]) -> [ExpectedOutput] {
    let all = zip(reference.manifest.interface.outputs, outputs).map { type, bytes in
      TensorElements(bytes, dtype: type.dtype, count: type.elementCount)
    }
    let errors = all.filter { $0.dtype == .f32 }
    return all.filter { $0.dtype != .f32 }.enumerated().map { position, values in
      ExpectedOutput(values, errors: position < errors.count ? errors[position] : nil)
    }
  }
}

/// How much the expected values of a case say of a kernel.
private struct CaseSignal {
  /// The share of floating-point values that are within the range of their type and certain; 1 where there are
  /// only integers. Less than any share where sums may leave the range on the way to values that are within it.
  let share: Double
  /// Whether smaller inputs need not be tried. Of values that are compared as such, enough must be within the range,
  /// and hardly any of them uncertain.
  let suffices: Bool

  init(_ made: VerificationCase, _ outputs: [TensorType]) {
    var all = 0.0
    var sum = ExpectedOutput.Certainty()
    for (type, expected) in zip(outputs, made.expected) where type.dtype.isFloatingPoint {
      let found = expected.certainty(as: type.dtype)
      all += Double(expected.values.count)
      sum.inRange += found.inRange
      sum.uncertain += found.uncertain
      sum.nearLimit += found.nearLimit
    }
    let certain = all > 0 ? Double(sum.inRange - sum.uncertain) / all : 1
    share = sum.nearLimit > 0 ? certain - 1 : certain
    let says =
      made.distribution.strictness != .values || all == 0
      || (Double(sum.inRange) >= all / 4 && Double(sum.uncertain) <= all / 64)
    suffices = says && sum.nearLimit == 0
  }
}
