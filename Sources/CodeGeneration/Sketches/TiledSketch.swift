import Hardware
import KernelSpec
import TensorProgram

/// A sketch whose kernels follow from a ``TilePlan``: what differs is which kernels it fits and its defaults.
struct TiledSketch: Sketch {
  let name: String
  private let fits: @Sendable (KernelSite) -> Bool

  private init(_ name: String, fits: @escaping @Sendable (KernelSite) -> Bool) {
    self.name = name
    self.fits = fits
  }

  /// Maps over all outer axes, one element each.
  static let pointwise = TiledSketch("pointwise") { site in
    site.stagesAreMaps && site.hasNoInnerAxes && !site.kernel.outer.isEmpty
  }

  /// One or more reductions to one value each, with maps around them.
  static let reduction = TiledSketch("reduction") { $0.hasReduction && $0.hasNoInnerAxes }

  /// Several passes over rows that stay in the cache: softmax, norms, attention.
  static let rowResident = TiledSketch("row-resident") { $0.hasReduction && !$0.hasNoInnerAxes }

  /// Reductions over small windows with guards: pooling, depthwise convolution.
  static let window = TiledSketch("window") {
    $0.hasReduction && $0.hasNoInnerAxes && $0.hasGuards && !$0.kernel.outer.isEmpty
  }

  /// Running sums and the like.
  static let scan = TiledSketch("scan") { $0.hasScan }

  /// Reductions of rows whose positions are read from data: embedding bags.
  static let gatherReduce = TiledSketch("gather-reduce") {
    $0.hasReduction && $0.hasNoInnerAxes && $0.readsIndices && !$0.kernel.outer.isEmpty
  }

  /// Any kernel whose stages compute their elements one by one.
  static let loopNest = TiledSketch("loop-nest") { site in
    !site.kernel.stages.contains(where: \.isOrdered)
  }

  func matches(_ site: KernelSite) -> Bool { fits(site) }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    let canCross = !site.kernel.outer.isEmpty
    let widest = max(site.hardware.tuning.vectorBytes / 4, 4)
    let widths = [1, 4, 8, 16, 32].filter { $0 <= 2 * widest }
    let isSmall = site.operationCount < Self.smallestParallelCount
    let shape = [
      ParameterDomain(
        "across", canCross ? [0, 1] : [0], default: canCross && prefersAcross(site) ? 1 : 0,
        isFeature: true),
      ParameterDomain("tile", [0, 64, 256, 1024, 4096, 16384], default: defaultTile(site)),
      ParameterDomain("blocks", [0, 1, 2, 4, 8, 16, 64], default: isSmall ? 0 : 4),
    ]
    // Text for other languages is scalar.
    guard site.language == .c else { return shape }
    return shape + [
      ParameterDomain(
        "lanes", widths, default: widths.contains(widest) ? widest : 4, isFeature: true),
      ParameterDomain("unroll", [1, 2, 4, 8], default: name == "pointwise" ? 2 : 4),
      ParameterDomain("accumulators", [1, 2, 4, 8], default: 4),
      ParameterDomain("streaming", [0, 1], default: site.exceedsCaches ? 1 : 0),
    ] + (site.hasReduction ? passParameters(site) : [])
      + (name == "gather-reduce" ? [ahead(site)] : [])
      + (name == "scan" && !site.hasReduction
        ? [ParameterDomain("rows", [1, 2, 4, 8], default: 1)] : [])
  }

  /// Tables that the caches do not hold are waited for, unless rows are fetched in time.
  private func ahead(_ site: KernelSite) -> ParameterDomain {
    ParameterDomain("ahead", [0, 8, 16, 24, 32, 64], default: site.exceedsCoreCaches ? 32 : 0)
  }

  /// What is open about passes over rows.
  private func passParameters(_ site: KernelSite) -> [ParameterDomain] {
    [
      ParameterDomain(
        "prefetch", [0, 2048, 4096, 8192, 16384],
        default: site.exceedsCoreCaches ? (site.isArithmeticHeavy ? 16384 : 8192) : 0),
      ParameterDomain("rows", [1, 2, 4], default: site.isArithmeticHeavy ? 2 : 1),
      // Waiting for memory hides behind the arithmetic of another row.
      ParameterDomain(
        "pipeline", [0, 1], default: site.isArithmeticHeavy && site.exceedsCoreCaches ? 1 : 0),
      ParameterDomain(
        "claim", [0, 2048, 4096, 8192, 12288],
        default: site.isArithmeticHeavy || site.exceedsCoreCaches ? 4096 : 0),
    ]
  }

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    let flat = try FlatKernel(site.kernel, in: site.program)
    let value = { (name: String) in schedule.parameters[name] ?? 0 }
    var plan = TilePlan()
    plan.lanesAcross = value("across") == 1
    plan.lanes = max(value("lanes"), 1)
    plan.unroll = max(value("unroll"), 1)
    plan.accumulators = max(value("accumulators"), 1)
    plan.tile = value("tile")
    plan.isStreaming = value("streaming") == 1
    plan.prefetchBytes = value("prefetch")
    plan.rows = max(value("rows"), 1)
    plan.isPipelined = value("pipeline") == 1
    plan.claimBytes = value("claim")
    plan.lookUpsAhead = value("ahead")
    plan.splitsGuards = site.hasGuards
    var kernel = plan.tileKernel(
      of: flat, name: site.name, in: site.program)
    let wanted = value("blocks") * max(site.hardware.tuning.threads, 1)
    kernel.blocks = max(1, min(kernel.gridCount, wanted))
    return .tiles(kernel)
  }

  /// Below this many operations, about 50 microseconds, forking costs more than it gains.
  static let smallestParallelCount = 400_000

  /// Whether neighbouring iterations of the last outer axis read neighbouring memory, more than those of the
  /// stages' own axes do.
  private func prefersAcross(_ site: KernelSite) -> Bool {
    guard let flat = try? FlatKernel(site.kernel, in: site.program), let lane = flat.outer.last
    else { return false }
    if flat.stages.allSatisfy({ $0.rest.isEmpty && !$0.isReduction }) { return true }
    var across = 0
    var within = 0
    for stage in flat.stages {
      across += stage.body.value.contiguity(along: lane)
      guard let own = stage.ownLastAxis else { continue }
      within += stage.body.value.contiguity(along: own)
    }
    return across > within
  }

  private func defaultTile(_ site: KernelSite) -> Int {
    guard let flat = try? FlatKernel(site.kernel, in: site.program), let lane = flat.outer.last
    else { return 0 }
    let rows = flat.outer.dropLast().reduce(1) { $0 * $1.extent }
    if rows >= 8 * site.hardware.tuning.threads { return lane.extent > 16384 ? 16384 : 0 }
    return lane.extent >= 65536 ? 16384 : lane.extent >= 4096 ? 1024 : 64
  }
}

extension FlatKernel.FlatStage {
  var isReduction: Bool { if case .reduce = body { true } else { false } }

  /// The innermost axis of the stage alone.
  var ownLastAxis: Axis? {
    switch body {
    case .map: rest.last
    case .scan(let axis, _, _): axis
    case .reduce(let axes, _, _): axes.last ?? rest.last
    }
  }
}

extension KernelSite {
  /// Whether what the kernel reads and writes is so much that no part of it is in a cache when the next kernel
  /// comes to it.
  var exceedsCaches: Bool {
    trafficBytes > 2 * max(hardware.tuning.cacheBytes.max() ?? 0, 1 << 20)
  }

  /// Whether what the kernel reads and writes is more than the cores' own caches hold.
  var exceedsCoreCaches: Bool {
    let own = hardware.tuning.cacheBytes.prefix(2).max() ?? 0
    return trafficBytes > max(own, 1 << 18) * max(hardware.tuning.threads, 1)
  }

  /// Whether rows of elements go through a function that takes longer than moving the element.
  var isArithmeticHeavy: Bool {
    kernel.stages.contains { stage in
      let isRow: Bool
      if case .reduce = stage.body {
        isRow = true
      } else {
        isRow = stage.domain.count > kernel.outer.count
      }
      var found = false
      stage.value.visit { part in
        if case .unary(let operation, _) = part { found = found || operation.isTranscendental }
      }
      return isRow && found
    }
  }

  /// The bytes of the buffers that the kernel has in memory.
  private var trafficBytes: Int {
    kernel.touchedBuffers.subtracting(kernel.locals).reduce(0) {
      $0 + program[$1].type.storageBytes
    }
  }

  var stagesAreMaps: Bool {
    kernel.stages.allSatisfy { if case .map = $0.body { true } else { false } }
  }

  var hasNoInnerAxes: Bool {
    kernel.stages.allSatisfy { $0.domain.count == kernel.outer.count }
  }

  var hasReduction: Bool {
    kernel.stages.contains { if case .reduce = $0.body { true } else { false } }
  }

  var hasScan: Bool {
    kernel.stages.contains { if case .scan = $0.body { true } else { false } }
  }

  var hasGuards: Bool {
    contains { if case .inRange = $0 { true } else { false } }
  }

  var readsIndices: Bool {
    contains { part in
      var found = false
      part.visitIndices { index in
        index.visitExpressions { _ in found = true }
      }
      return found
    }
  }

  private func contains(_ isMatch: (Expression) -> Bool) -> Bool {
    kernel.stages.contains { stage in
      var found = false
      stage.value.visit { found = found || isMatch($0) }
      return found
    }
  }
}

extension UnaryOperator {
  fileprivate var isTranscendental: Bool {
    switch self {
    case .negate, .absolute, .logicalNot, .bitwiseNot, .isNaN, .isInfinite, .sign, .floor, .ceil,
      .truncate, .round, .sqrt, .rsqrt, .reciprocal:
      false
    default: true
    }
  }
}
