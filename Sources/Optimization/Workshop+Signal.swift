package import Evaluation
import KernelSpec
import TensorProgram

extension Workshop {
  /// Which wrong answers verification would tell from right ones for the plan's spec.
  ///
  /// Tries the kinds of input that kernels are verified on, and the others when these leave some wrong answer
  /// unseen.
  ///
  /// - Throws: ``OptimizationError`` when the reference cannot be compiled or run.
  package func examine(_ plan: KernelPlan) async throws -> SpecSignal {
    let bytes = VerificationNeeds(plan).publicationBytes(cases: examined.count + 1)
    guard bytes <= memory.totalBytes else {
      throw OptimizationError(
        .environment,
        "\(plan.spec.name): examining it takes about \(bytes >> 20) MiB of memory, and this process may "
          + "use \(memory.totalBytes >> 20) MiB for that")
    }
    return try await memory.run(bytes) {
      var random = SystemRandomNumberGenerator()
      let seed = random.next()
      let values = try await referenceValues(of: plan, on: examined, seed: seed)
      let narrowed = try await referenceValues(
        of: plan, on: [examined[0]], seed: seed, narrows: true)
      let signal = signal(of: plan, in: values, narrowed: narrowed)
      if signal.passing.isEmpty { return signal }
      let other = random.next()
      let more = try await referenceValues(of: plan, on: revealingDistributions, seed: other)
      let moreNarrowed = try await referenceValues(
        of: plan, on: revealingDistributions, seed: other, narrows: true)
      return self.signal(
        of: plan, in: ReferenceValues(cases: values.cases + more.cases),
        narrowed: ReferenceValues(cases: narrowed.cases + moreNarrowed.cases))
    }
  }

  func signal(
    of plan: KernelPlan, in values: ReferenceValues,
    narrowed: ReferenceValues = ReferenceValues(cases: []), findsAll: Bool = true
  ) -> SpecSignal {
    let program = plan.program
    let hasDigits = program.inputs.contains { [.f32, .f64].contains(program[$0].type.dtype) }
    return SpecSignal(
      values.cases, narrowed: hasDigits ? narrowed.cases : [],
      types: program.outputs.map { program[$0].type }, numerics: plan.spec.numerics,
      findsAll: findsAll)
  }
}

extension KernelLibrary {
  /// Which wrong answers verification would tell from right ones for a spec.
  package func examine(_ text: String) async throws(OptimizationError) -> (
    name: String, signal: SpecSignal
  ) {
    let spec = try check(text)
    let plan = try KernelPlan(spec: spec, hardware: workshop.hardware)
    do {
      return (spec.name, try await workshop.examine(plan))
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(.environment, "\(spec.name): \(error)")
    }
  }
}

/// The kinds of input that a spec is examined on.
private let examined: [InputDistribution] = [.normal, .large, .integers]
/// What is tried when others do not tell wrong answers from right ones.
let revealingDistributions: [InputDistribution] = [.wide, .positive]
