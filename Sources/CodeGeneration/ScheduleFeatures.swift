import Glibc
package import Hardware
package import KernelSpec
package import TensorProgram

/// Describes the schedules of one program in numbers, for whoever learns what schedules cost.
///
/// Sizes and counts are logarithms to base 2. What a sketch does not have is absent. Numbers of the heaviest kernel
/// have plain names, those of the next two begin with `b.` and `c.`; further kernels are left out.
package struct ScheduleFeatures: Sendable {
  /// The sketches that fit the program's kernels, heaviest first: schedules of programs with equal structure have
  /// features that mean the same.
  package let structure: String
  private let kernels: [KernelNumbers]
  private let build: [ParameterDomain]

  /// - Parameter space: the program's, as the generator made it.
  package init(of program: FusedProgram, in space: ScheduleSpace, on hardware: HardwareDescription)
  {
    let heaviest = program.kernels.indices.sorted {
      (program.kernels[$0].iterations, $1) > (program.kernels[$1].iterations, $0)
    }.prefix(Self.prefixes.count)
    let spaces = space.kernels
    kernels = zip(heaviest, Self.prefixes).compactMap { position, prefix in
      guard spaces.indices.contains(position) else { return nil }
      return KernelNumbers(
        program.kernels[position], of: program.program, at: position, in: spaces[position],
        prefix: prefix, hardware: hardware.tuning)
    }
    structure = heaviest.filter(spaces.indices.contains).map { position in
      spaces[position].sketches.map(\.sketch).joined(separator: ",")
    }.joined(separator: " ")
    build = space.build
  }

  private static let prefixes = ["", "b.", "c."]

  /// The features of a schedule of the space.
  package func values(of schedule: Schedule) -> [String: Float] {
    var values: [String: Float] = [:]
    for kernel in kernels where schedule.kernels.indices.contains(kernel.position) {
      kernel.describe(schedule.kernels[kernel.position], in: &values)
    }
    for domain in build {
      values["build \(domain.name)"] = Float(schedule.build[domain.name] ?? domain.defaultValue)
    }
    return values
  }
}

/// What does not change with the schedule of one kernel.
private struct KernelNumbers: Sendable {
  let position: Int
  private let prefix: String
  private let program: [String: Float]
  private let contraction: Contraction?
  private let sketches: [String: [ParameterDomain]]
  private let hardware: TuningIdentity

  init(
    _ kernel: FusedKernel, of program: TensorProgram, at position: Int, in space: KernelSpace,
    prefix: String, hardware: TuningIdentity
  ) {
    self.position = position
    self.prefix = prefix
    self.hardware = hardware
    contraction = Contraction(kernel)
    sketches = Dictionary(space.sketches.map { ($0.sketch, $0.parameters) }) { first, _ in first }
    self.program = Self.describe(kernel, of: program, contraction, prefix: prefix)
  }

  private static func describe(
    _ kernel: FusedKernel, of program: TensorProgram, _ contraction: Contraction?, prefix: String
  ) -> [String: Float] {
    let outer = kernel.outer.extent
    let read = Set(kernel.stages.flatMap { $0.loads.map(\.buffer) })
    let written = Set(kernel.stages.map(\.output)).subtracting(kernel.locals)
    var numbers = [
      "iterations": kernel.iterations, "outer": outer,
      "inner": kernel.iterations / max(outer, 1), "last": kernel.outer.last?.extent ?? 1,
      "bytes": read.union(written).reduce(0) { $0 + program[$1].type.storageBytes },
      "stages": kernel.stages.count,
    ]
    if let contraction {
      numbers["rows"] = contraction.rows.extent
      numbers["columns"] = contraction.columns.extent
      numbers["depth"] = contraction.depth.extent
    }
    return numbers.reduce(into: [:]) { $0[prefix + $1.key] = logarithm($1.value) }
  }

  func describe(_ schedule: KernelSchedule, in values: inout [String: Float]) {
    values.merge(program) { $1 }
    let name = "\(prefix)\(schedule.sketch)"
    values["is \(name)"] = 1
    for domain in sketches[schedule.sketch] ?? [] {
      let value = logarithm(schedule.parameters[domain.name] ?? domain.defaultValue)
      values["\(name) \(domain.name)"] = value
      values["\(name) \(domain.name) over default"] = value - logarithm(domain.defaultValue)
    }
    if let contraction, schedule.parameters["mr"] != nil {
      describe(contraction, ContractionTuning(schedule.parameters), in: &values)
    }
  }

  /// What decides how fast a contraction is: how well tiles fill registers and the matrix, and which cache holds the
  /// panels and blocks.
  private func describe(
    _ contraction: Contraction, _ tuning: ContractionTuning, in values: inout [String: Float]
  ) {
    let shape = ContractionShape(contraction, tuning: tuning, vectorBytes: hardware.vectorBytes)
    let element = contraction.accumulator.sizeBytes
    let panel = shape.depthBlock * element
    let whole = Float(max(shape.rows * shape.columns, 1))
    let padded = ceilDivide(shape.rows, max(shape.tileRows, 1)) * shape.tileRows
    values["\(prefix)registers"] = Float(shape.tileRows * shape.tileVectors + shape.tileVectors + 1)
    values["\(prefix)blocks a thread"] = logarithm(shape.blocks / max(hardware.threads, 1))
    values["\(prefix)left panel"] = logarithm(panel * shape.tileRows)
    values["\(prefix)right panel"] = logarithm(panel * shape.tileColumns)
    values["\(prefix)left block"] = logarithm(panel * shape.rowBlock)
    values["\(prefix)right block"] = logarithm(panel * shape.columnBlock)
    values["\(prefix)padding"] = Float(padded * shape.paddedColumns) / whole
  }
}

/// The logarithm to base 2, with 0 in its own place below 1.
private func logarithm(_ value: Int) -> Float { log2f(1 + Float(max(value, 0))) }

extension FusedKernel {
  fileprivate var iterations: Int { stages.reduce(0) { $0 + $1.iterationCount } }
}
