import Hardware
import KernelSpec
import TensorProgram

/// Windows that move over an image: pooling, depthwise convolution.
///
/// Parameters: `band` rows of the result are made from one copy of their part of the image, `rows` of them
/// together; `lanes` and `unroll` vectors of columns; `separated` combines the rows of windows first, where that
/// is the same; `streaming` stores past the caches; `prefetch` is how many bytes ahead of use the image is fetched;
/// `blocks` is how many parts each thread is given.
struct WindowSketch: Sketch {
  let name = "staged-window"

  func matches(_ site: KernelSite) -> Bool {
    guard site.language == .c, let reduction = WindowedReduction(site.kernel) else { return false }
    return Self.partsInResult(reduction) <= Self.mostParts
      && bands(reduction, separated: reduction.isSeparable, site).count > 0
  }

  func parameters(for site: KernelSite) -> [ParameterDomain] {
    guard let reduction = WindowedReduction(site.kernel) else { return [] }
    let widest = max(site.hardware.tuning.vectorBytes / 4, 4)
    let isSeparable = reduction.isSeparable
    let bands = bands(reduction, separated: isSeparable, site)
    let isSmall = site.operationCount < TiledSketch.smallestParallelCount
    return [
      ParameterDomain(
        "band", bands, default: defaultBand(bands, reduction, separated: isSeparable, site),
        isFeature: true),
      ParameterDomain("rows", [1, 2, 4], default: isSeparable ? 1 : 4),
      ParameterDomain(
        "lanes", [4, 8, 16, 32].filter { $0 <= 2 * widest }, default: widest, isFeature: true),
      ParameterDomain("unroll", [1, 2, 4], default: 1),
      ParameterDomain("separated", isSeparable ? [0, 1] : [0], default: isSeparable ? 1 : 0),
      ParameterDomain("streaming", [0, 1], default: site.exceedsCaches ? 1 : 0),
      // Windows that are combined element by element are busy enough with arithmetic.
      ParameterDomain(
        "prefetch", [0, 4096, 8192, 16384, 32768],
        default: isSeparable && site.exceedsCoreCaches ? 16384 : 0),
      ParameterDomain("blocks", [0, 1, 2, 4, 8, 16, 64], default: isSmall ? 0 : 4),
    ]
  }

  func violation(of schedule: KernelSchedule, for site: KernelSite) -> String? {
    guard let reduction = WindowedReduction(site.kernel) else { return "not a window" }
    let kernel = WindowKernel(reduction, tuning: tuning(schedule), site: site)
    return kernel.imageBytes > Self.mostImageBytes
      ? "bands of \(kernel.imageBytes) bytes for each thread" : nil
  }

  func lower(_ site: KernelSite, schedule: KernelSchedule) throws(CodeGenerationError)
    -> LoweredKernel
  {
    guard let reduction = WindowedReduction(site.kernel) else {
      throw CodeGenerationError(.illegalSchedule, "kernel \(site.position) is no window")
    }
    let window = WindowKernel(reduction, tuning: tuning(schedule), site: site)
    var kernel = window.tileKernel(name: site.name)
    let threads = max(site.hardware.tuning.threads, 1)
    kernel.blocks = max(
      1, min(kernel.gridCount, (schedule.parameters["blocks"] ?? 0) * threads))
    let renderer = CRenderer(
      FusedProgram(program: window.program, kernels: []), threads: threads)
    return .text(renderer.text(of: kernel))
  }

  private func tuning(_ schedule: KernelSchedule) -> WindowKernel.Tuning {
    let value = { (name: String) in schedule.parameters[name] ?? 0 }
    let band = max(value("band"), 1)
    return WindowKernel.Tuning(
      band: band, rows: min(max(value("rows"), 1), band), lanes: max(value("lanes"), 1),
      unroll: max(value("unroll"), 1), isSeparated: value("separated") == 1,
      isStreaming: value("streaming") == 1, prefetchBytes: value("prefetch"))
  }

  // MARK: - Bands

  /// What a thread may hold of an image: far less than the second cache.
  private static let mostImageBytes = 256 << 10
  /// Rows above and below the band are copied too: few for a band of this size, which leaves most of the first
  /// cache to the results.
  private static let goodImageBytes = 8 << 10
  /// Rows that are combined first need none above and below, and are best read again at once.
  private static let goodSeparatedBytes = 2 << 10
  /// Beyond this the text of one result is longer than what it saves.
  private static let mostParts = 2000

  /// The divisors of the number of rows whose part of the image is not too large.
  private func bands(_ reduction: WindowedReduction, separated: Bool, _ site: KernelSite) -> [Int] {
    let extent = max(reduction.rows?.axis.extent ?? 1, 1)
    return (1...min(extent, 512)).filter { band in
      extent % band == 0
        && imageBytes(reduction, band, separated, site) <= Self.mostImageBytes
    }
  }

  private func imageBytes(
    _ reduction: WindowedReduction, _ band: Int, _ separated: Bool, _ site: KernelSite
  ) -> Int {
    let tuning = WindowKernel.Tuning(band: band, isSeparated: separated)
    return WindowKernel(reduction, tuning: tuning, site: site).imageBytes
  }

  /// The largest that fits the first cache and leaves enough for each thread to do.
  private func defaultBand(
    _ bands: [Int], _ reduction: WindowedReduction, separated: Bool, _ site: KernelSite
  ) -> Int {
    let extent = max(reduction.rows?.axis.extent ?? 1, 1)
    let parts = 4 * max(site.hardware.tuning.threads, 1)
    let most = separated ? Self.goodSeparatedBytes : Self.goodImageBytes
    let good = bands.filter { band in
      imageBytes(reduction, band, separated, site) <= most
        && reduction.batch.extent * (extent / band) >= parts
    }
    return good.last ?? bands.first ?? 1
  }

  /// How many parts the text of one result has: those of the window, as often as the maps read it.
  private static func partsInResult(_ reduction: WindowedReduction) -> Int {
    var counts: [BufferID: Int] = [:]
    let taps = reduction.columns.taps * (reduction.rows?.taps ?? 1)
    for stage in reduction.stages {
      var parts = 0
      stage.value.visit { part in
        if case .load(let buffer, _, _) = part { parts += counts[buffer] ?? 0 }
        parts += 1
      }
      if case .reduce = stage.body { parts *= taps }
      counts[stage.output] = parts
    }
    return counts.values.max() ?? 0
  }
}
