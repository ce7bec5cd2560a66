import KernelSpec

/// One of two kernels that are compared.
struct TimedSide {
  /// What was seen of one burst of calls.
  struct Burst {
    /// The fastest call that counts.
    var fastest: Double
    /// As the parent saw it.
    var elapsed: Double
    /// What the parent saw beyond the times that the runner claimed.
    var unclaimed: Double
    /// What the kernel's threads waited for a core.
    var waited: Double

    /// Whether other work took more than a twentieth of the time. The constant is what waking threads takes.
    var isDisturbed: Bool { waited > 0.05 * elapsed + 50e3 }
  }

  private let kernel: LoadedKernel
  private let check: OutputCheck
  /// The case whose inputs are loaded.
  private var loaded: Int?
  /// The outputs that were found right, for each case.
  private var accepted: [Int: [[UInt8]]] = [:]

  init(_ kernel: LoadedKernel, _ numerics: NumericPolicy) {
    self.kernel = kernel
    check = OutputCheck(interface: kernel.interface, numerics: numerics)
  }

  /// The bytes of all inputs and outputs.
  var bytes: Int {
    (kernel.interface.inputs + kernel.interface.outputs).reduce(0) { $0 + $1.storageBytes }
  }

  /// Calls the kernel on one case.
  ///
  /// - Parameters:
  ///   - reloads: whether the inputs are written again although they are there.
  ///   - inspects: whether outputs are checked although those of this case were right before.
  mutating func burst(
    _ number: Int, _ test: VerificationCase, calls: Int, reloads: Bool, inspects: Bool
  ) async throws -> Result<Burst, VerificationFailure> {
    let inspects = inspects || accepted[number] == nil
    let result = try await kernel.session.time(
      inputs: reloads || loaded != number ? test.inputs : nil, calls: calls, inspects: inspects)
    loaded = number
    if let reason = result.status.failure { return .failure(.init(kind: .run, reason: reason)) }
    if !result.inputsUnchanged {
      return .failure(.init(kind: .run, reason: "the kernel changed its inputs"))
    }
    if inspects, let failure = judge(result.outputs, number, test) { return .failure(failure) }
    return .success(
      Burst(
        fastest: result.nanoseconds.dropFirst(calls > 1 ? 1 : 0).min() ?? 0,
        elapsed: result.parentNanoseconds,
        unclaimed: result.parentNanoseconds - result.nanoseconds.reduce(0, +),
        waited: result.waitedNanoseconds ?? 0))
  }

  private mutating func judge(
    _ outputs: [[UInt8]], _ number: Int, _ test: VerificationCase
  ) -> VerificationFailure? {
    if let accepted = accepted[number] {
      return accepted.hold(outputs)
        ? nil : .init(kind: .incorrect, reason: "while timed: the result does not repeat")
    }
    if let mismatch = check.judge(outputs, test).mismatch {
      return .init(kind: .incorrect, reason: "while timed: \(mismatch)")
    }
    accepted[number] = outputs
    return nil
  }
}
