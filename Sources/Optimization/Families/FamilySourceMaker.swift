import CodeGeneration
import Evaluation
import Hardware
import KernelSpec
import Support
import TensorProgram

/// Generates the source of a family: that of every instance, made one.
struct FamilySourceMaker: Sendable {
  let family: SpecFamily
  private let hardware: HardwareDescription
  private let gate: MeasurementGate

  init(family: SpecFamily, workshop: Workshop) {
    self.family = family
    hardware = workshop.hardware
    gate = workshop.gate
  }

  /// - Parameter hardware: that the sources are for, beside which nothing is measured.
  init(family: SpecFamily, hardware: HardwareDescription) {
    self.family = family
    self.hardware = hardware
    gate = MeasurementGate()
  }

  /// What compiling one source may cost: sources with more definitions are made under plainer schedules.
  private static let definitions = 300

  struct Made: Sendable {
    var source: KernelSource
    /// The schedule of the sizes that have none of their own.
    var schedule: Schedule
    /// Where the source must be verified.
    var witnesses: [[Int]]
  }

  /// A schedule for some of the sizes.
  struct OwnSchedule: Sendable {
    var bucket: Evidence.Bucket
    var schedule: Schedule
  }

  /// The source under the default schedule of the largest sizes as far as that is legal.
  ///
  /// - Throws: ``OptimizationError``: `unsupported` when the instances have too little in common.
  func general() async throws(OptimizationError) -> Made {
    let largest = try plan(at: family.symbols.map(\.upper))
    for schedule in [largest.space.defaultSchedule, largest.space.plainestSchedule] {
      if let made = try await source(schedule, own: []) { return made }
    }
    throw OptimizationError(
      .unsupported,
      "\(family.name): the kernels of its sizes have too little in common for one artifact; "
        + "narrow the ranges, or give them a step")
  }

  /// The source under `schedule`, and under others at some sizes, as far as these are legal there.
  ///
  /// - Returns: `nil` when it has too many definitions.
  func source(_ schedule: Schedule, own: [OwnSchedule]) async throws(OptimizationError) -> Made? {
    do {
      return try await gate.work {
        try await OwnThread.run { try generate(schedule, own) }
      }
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(.unsupported, "\(family.name): \(error)")
    }
  }

  /// The same at once, on the caller's thread.
  func generate(_ schedule: Schedule, _ own: [OwnSchedule]) throws -> Made? {
    let generator = CodeGenerator(hardware: hardware, language: .c)
    var builder = FamilyBuilder(generator: generator, symbols: family.symbols)
    for sizes in family.combinations {
      let spec = try instance(at: sizes)
      guard spec.inputs.map(\.type) == family.inputs.map({ $0.type.type(at: sizes) }),
        spec.outputs.map(spec.type) == family.outputs.map({ $0.type(at: sizes) })
      else {
        throw OptimizationError(
          .badSpec,
          "\(family.name): at \(SpecFamily.describe(sizes, family.symbols)) the types do not follow "
            + "the polynomials of the other sizes")
      }
      let preferred = own.filter { $0.bucket.contains(sizes) }.map(\.schedule) + [schedule]
      try builder.add(sizes, TensorProgram(lowering: spec).fused(), preferring: preferred)
      if builder.definitionCount > Self.definitions { return nil }
    }
    return Made(
      source: try builder.source(openSizes), schedule: schedule, witnesses: builder.witnesses)
  }

  private var openSizes: KernelInterface.OpenSizes {
    KernelInterface.OpenSizes(
      symbols: family.symbols.enumerated().map { position, symbol in
        var canonical = symbol
        canonical.name = SizeExpression.canonicalName(position)
        return canonical
      }, places: family.places, inputs: family.inputs.map(\.type), outputs: family.outputs)
  }

  func instance(at sizes: [Int]) throws(OptimizationError) -> CheckedSpec {
    do {
      return try family.instance(at: sizes)
    } catch {
      throw OptimizationError(.badSpec, "\(family.name): \(error)")
    }
  }

  /// The plan of one instance, whose kernels take the sizes behind the inputs.
  func plan(at sizes: [Int]) throws(OptimizationError) -> KernelPlan {
    try KernelPlan(
      spec: try instance(at: sizes), hardware: hardware,
      trailingInputs: [sizes.map { Int64($0).littleEndian }.withUnsafeBytes { Array($0) }])
  }
}
