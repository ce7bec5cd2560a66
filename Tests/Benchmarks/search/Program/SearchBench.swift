import CacheStore
import Evaluation
import FoundationEssentials
import Hardware
import KernelSpec
import Logging
import Optimization
import Support

/// Baselines in empty stores, then one search, for each spec in turn.
struct SearchBench {
  private let options: Options
  private let directory: String
  private let hardware: HardwareDescription
  private let ceilings: KeptCeilings

  init(_ options: Options) async throws {
    self.options = options
    directory = FileManager.default.temporaryDirectory.path + "/granary-" + UUID().uuidString
    hardware = try HardwareProbe.host()
    ceilings = KeptCeilings(
      file: CeilingsFile(path: directory + "/ceilings.json"), hardware: hardware)
  }

  func run() async throws -> [SpecResult] {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    // Measured beforehand, as a daemon that has searched before has them.
    _ = ceilings.value
    var results: [SpecResult] = []
    for spec in options.specs { results.append(try await measure(spec)) }
    return results
  }

  private func measure(_ spec: String) async throws -> SpecResult {
    var result = SpecResult(name: try Spec.parse(spec).checked().name)
    for _ in 0..<options.repeats {
      let library = try await library()
      let start = ContinuousClock.now
      _ = try await library.resolve(spec, .baseline)
      result.baselineSeconds.append((ContinuousClock.now - start).inSeconds)
      result.baselineStages.append(library.workshop.times.byName)
      try library.store.close()
    }
    if options.seconds > 0 { try await search(spec, into: &result) }
    return result
  }

  private func search(_ spec: String, into result: inout SpecResult) async throws {
    let library = try await library()
    _ = try await library.resolve(spec, .baseline)
    let before = library.workshop.times.byName
    let limits = SearchLimits(seconds: options.seconds, candidates: 100_000)
    let start = ContinuousClock.now
    let progress = try await library.tune(spec, limits: limits).progress
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await library.runSearches() }
      for await report in progress { result.last = report }
      result.searchSeconds = (ContinuousClock.now - start).inSeconds
      group.cancelAll()
    }
    result.searchStages = library.workshop.times.byName.merging(before) { $0 - $1 }
    result.verdict = try await library.resolve(spec, .cached).kernel?.verdict.rawValue
    result.lowerBound =
      try await library.resolve(spec, .cached).kernel?.evidence.timing?.speedupLowerBound
    try library.store.close()
  }

  /// A library over an empty store, with nothing remembered.
  private func library() async throws -> KernelLibrary {
    let environment = ProcessInfo.processInfo.environment
    let compiler = try await CCompiler(host: hardware.compatibility, environment: environment)
    let workshop = Workshop(
      compiler: compiler,
      runner: try NativeRunner(environment: environment, confinement: compiler.confinement),
      hardware: hardware, ceilings: ceilings)
    var log = Logger(label: "bench", factory: { StreamLogHandler.standardError(label: $0) })
    log.logLevel = .warning
    return KernelLibrary(
      store: try CacheStore.open(directory: "\(directory)/\(UUID().uuidString)"),
      workshop: workshop, defaultLimits: SearchLimits(seconds: 1, candidates: 1), log: log)
  }
}

/// What was measured for one spec.
struct SpecResult {
  var name: String
  var baselineSeconds: [Double] = []
  var baselineStages: [[String: Double]] = []
  var searchSeconds = 0.0
  var searchStages: [String: Double] = [:]
  /// The search's last report.
  var last: SearchProgress?
  var verdict: String?
  var lowerBound: Double?

  init(name: String) { self.name = name }

  /// Candidates by seconds that the search's own clock counted, without what precedes and follows the search.
  var candidatesPerSecond: Double? {
    last.flatMap { $0.elapsedSeconds > 0 ? Double($0.candidates) / $0.elapsedSeconds : nil }
  }
}

extension StageTimes {
  var byName: [String: Double] {
    Dictionary(uniqueKeysWithValues: totals.map { ($0.rawValue, $1) })
  }
}

extension Duration {
  var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
