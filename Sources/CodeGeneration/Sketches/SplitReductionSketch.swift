import Hardware
import KernelSpec
import TensorProgram

/// A reduction of many values to one, split among threads: each reduces a part, and one combines the parts and
/// goes on with the maps that follow.
///
/// Parameters: `parts` is how many parts for each thread; `lanes` and `accumulators` are those of a
/// ``TileReduction``.
struct SplitReductionSketch: Sketch {
  let name = "split-reduction"

  func matches(_ site: KernelSite) -> Bool {
    site.language == .c && Split(site, parts: 8 * max(site.hardware.tuning.threads, 1)) != nil
  }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    let width = max(site.hardware.tuning.vectorBytes / 4, 4)
    return [
      ParameterDomain("parts", [1, 2, 4, 8], default: 4),
      ParameterDomain("lanes", [1, width, 2 * width], default: width, isFeature: true),
      ParameterDomain("accumulators", [1, 2, 4, 8], default: 4),
    ]
  }

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    let value = { (name: String) in schedule.parameters[name] ?? 1 }
    let parts = value("parts") * max(site.hardware.tuning.threads, 1)
    guard let split = Split(site, parts: parts) else {
      throw CodeGenerationError(.illegalSchedule, "kernel \(site.position) is no long reduction")
    }
    var plan = TilePlan()
    plan.lanesAcross = false
    plan.lanes = value("lanes")
    plan.accumulators = value("accumulators")
    return .text(split.text(plan))
  }
}

/// The kernels that a split reduction consists of.
private struct Split {
  private let site: KernelSite
  /// The program with a buffer for the results of the parts.
  private var program: TensorProgram
  private let flat: FlatKernel
  private let partial: BufferID
  private let parts: Int
  private let axes: [Axis]
  private let combiner: Combiner
  private let value: Expression

  /// Fewer values are reduced before other threads have started.
  private static let fewestValues = 1 << 18

  init?(_ site: KernelSite, parts: Int) {
    guard let flat = try? FlatKernel(site.kernel, in: site.program), flat.outer.isEmpty,
      flat.stages.allSatisfy({ $0.rest.isEmpty }),
      flat.stages.dropFirst().allSatisfy({ if case .map = $0.body { true } else { false } }),
      case .reduce(let axes, let combiner, let value) = flat.stages.first?.body,
      !combiner.isArgument, let first = axes.first, first.extent >= 64 * parts,
      axes.reduce(1, { $0 * $1.extent }) >= Self.fewestValues
    else { return nil }
    let type = value.dtype.isHalf ? DType.f32 : value.dtype
    self.site = site
    self.flat = flat
    (self.parts, self.axes, self.combiner) = (parts, axes, combiner)
    self.value = value.dtype.isHalf ? .cast(.f32, value) : value
    program = site.program
    partial = BufferID(program.buffers.count)
    program.buffers.append(Buffer(name: "parts", type: TensorType(type, [parts + 1])))
  }

  func text(_ plan: TilePlan) -> KernelText {
    let renderer = CRenderer(
      FusedProgram(program: program, kernels: []), threads: site.hardware.tuning.threads,
      shared: partial)
    let kernels = [inParts(plan), remainder(plan), combination(plan)].compactMap { $0 }
    let texts = kernels.map(renderer.text)
    return KernelText(
      functions: texts.map(\.functions).joined(separator: "\n"), phases: texts.flatMap(\.phases),
      sharedBytes: roundUp(program[partial].type.storageBytes, to: 64),
      library: texts.reduce(into: []) { $0.formUnion($1.library) })
  }

  private var length: Int { axes[0].extent / parts }
  private var left: Int { axes[0].extent - length * parts }
  private var name: String { site.name }

  /// More axes than a spec's limits let a program have.
  private static let firstFreshAxis = 1_000_000_000

  private func freshAxis(_ number: Int, extent: Int) -> Axis {
    Axis(id: Self.firstFreshAxis + number, extent: extent)
  }

  /// Each point of the grid reduces one part.
  private func inParts(_ plan: TilePlan) -> TileKernel {
    let (part, within) = (freshAxis(0, extent: parts), freshAxis(1, extent: length))
    let place = Index.sum(.product(.axis(part), length), .axis(within))
    return TileKernel(
      name: "\(name)_parts", grid: [GridAxis(axis: part, tile: 1)], blocks: parts, scratch: [],
      body: [reduction(.axis(part), over: within, at: place, plan)])
  }

  /// What the parts, which are equally long, leave over.
  private func remainder(_ plan: TilePlan) -> TileKernel? {
    guard left > 0 else { return nil }
    let within = freshAxis(2, extent: left)
    let place = Index.sum(.axis(within), .constant(length * parts))
    return TileKernel(
      name: "\(name)_rest", grid: [], blocks: 1, scratch: [],
      body: [reduction(.constant(parts), over: within, at: place, plan)])
  }

  private func reduction(
    _ slot: Index, over within: Axis, at place: Index, _ plan: TilePlan
  ) -> TileStatement {
    .reduce(
      TileReduction(
        output: partial, index: slot, axes: [within] + axes.dropFirst(), combiner: combiner,
        value: value.substituting([axes[0]: place]), lanes: plan.lanes,
        accumulators: plan.accumulators))
  }

  /// The kernel as it was, but for its values: those of the parts.
  private func combination(_ plan: TilePlan) -> TileKernel {
    let slot = freshAxis(3, extent: left > 0 ? parts + 1 : parts)
    var kernel = flat
    kernel.stages[0].body = .reduce(
      axes: [slot], combiner: combiner,
      value: .load(partial, program[partial].type.dtype, [.axis(slot)]))
    var scalar = plan
    scalar.lanes = 1
    return scalar.tileKernel(of: kernel, name: name, in: program)
  }
}
