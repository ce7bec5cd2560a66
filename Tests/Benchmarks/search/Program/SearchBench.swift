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
  let options: Options
  private let directory: String
  let hardware: HardwareDescription
  private let ceilings: KeptCeilings

  init(_ options: Options) async throws {
    self.options = options
    directory = FileManager.default.temporaryDirectory.path + "/granary-" + UUID().uuidString
    hardware = try HardwareProbe.host()
    ceilings = KeptCeilings(
      file: CeilingsFile(path: directory + "/ceilings.json"), hardware: hardware)
  }

  /// Prints each result when it is known, unless they are for programs.
  func run() async throws -> [SpecResult] {
    defer { removeFiles() }
    // Measured beforehand, as a daemon that has searched before has them.
    _ = ceilings.value
    var results: [SpecResult] = []
    for spec in options.specs {
      let result = try await measure(spec)
      results.append(result)
      if !options.json { say(Report.text(result)) }
    }
    return results
  }

  func removeFiles() { try? FileManager.default.removeItem(atPath: directory) }

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
    let start = ContinuousClock.now
    try await tune(spec, in: library) { report in
      result.last = report
      if report.elapsedSeconds <= SpecResult.early {
        result.earlySpeedup = report.bestSpeedup ?? result.earlySpeedup
      }
    }
    result.searchSeconds = (ContinuousClock.now - start).inSeconds
    result.searchStages = library.workshop.times.byName.merging(before) { $0 - $1 }
    result.verdict = try await library.resolve(spec, .cached).kernel?.verdict.rawValue
    result.lowerBound =
      try await library.resolve(spec, .cached).kernel?.evidence.timing?.speedupLowerBound
    try library.store.close()
  }

  /// Searches for as long as the options say.
  ///
  /// - Returns: the key.
  @discardableResult
  func tune(
    _ spec: String, in library: KernelLibrary, report: (SearchProgress) -> Void = { _ in }
  ) async throws -> KernelKey {
    let limits = SearchLimits(seconds: options.seconds, candidates: 100_000)
    let (key, _, progress) = try await library.tune(spec, limits: limits)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await library.runSearches() }
      for await step in progress { report(step) }
      group.cancelAll()
    }
    return key
  }

  // MARK: - Transfer

  /// Searches of the second of each two specs, after one of the first and without. Prints each result when it is
  /// known, and of what fails says why.
  func runTransfer() async -> [TransferResult] {
    defer { removeFiles() }
    _ = ceilings.value
    var results: [TransferResult] = []
    for first in stride(from: 0, to: options.specs.count - 1, by: 2) {
      let (neighbour, spec) = (options.specs[first], options.specs[first + 1])
      do {
        let result = TransferResult(
          name: try Spec.parse(spec).checked().name,
          neighbour: try Spec.parse(neighbour).checked().name,
          taught: try await search(spec, after: neighbour), alone: try await search(spec))
        results.append(result)
        if !options.json { say(TransferReport.line(result)) }
      } catch {
        writeError("\(spec): \(error)\n")
      }
    }
    return results
  }

  /// The fitness of each candidate of a search, the baseline first.
  private func search(_ spec: String, after neighbour: String? = nil) async throws -> [Double] {
    let library = try await library()
    defer { try? library.store.close() }
    if let neighbour { try await tune(neighbour, in: library) }
    let key = try await tune(spec, in: library)
    return try candidates(of: key, in: library).map(\.outcome.fitness)
  }

  /// The candidates of the last search of a key.
  func candidates(of key: KernelKey, in library: KernelLibrary) throws -> [CandidateRecord] {
    let searches = try library.store.searches(key: key.digest)
    return try searches.first.map { try library.store.candidates(search: $0.id) } ?? []
  }

  /// A library over an empty store, with nothing remembered.
  ///
  /// - Parameter costModel: `nil` for what the options say.
  func library(costModel: Bool? = nil) async throws -> KernelLibrary {
    let environment = ProcessInfo.processInfo.environment
    let compiler = try await CCompiler(host: hardware.compatibility, environment: environment)
    let workshop = Workshop(
      compiler: compiler,
      runner: try NativeRunner(environment: environment, confinement: compiler.confinement),
      hardware: hardware, ceilings: ceilings)
    var log = Logger(label: "bench", factory: { StreamLogHandler.standardError(label: $0) })
    log.logLevel = .warning
    let folder = "\(directory)/\(UUID().uuidString)"
    return KernelLibrary(
      store: try CacheStore.open(directory: folder), workshop: workshop,
      defaultLimits: SearchLimits(seconds: 1, candidates: 1),
      costDirectory: costModel ?? options.usesCostModel ? folder + "/costs" : nil, log: log)
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
  /// The best speedup of the first ``early`` seconds.
  var earlySpeedup = 1.0

  static let early = 10.0

  init(name: String) { self.name = name }

  /// The share of what the search gained that it had gained after ``early`` seconds; `nil` where it was shorter, or
  /// gained nothing.
  var earlyShare: Double? {
    guard let last, last.elapsedSeconds > Self.early, let best = last.bestSpeedup, best > 1 else {
      return nil
    }
    return (earlySpeedup - 1) / (best - 1)
  }

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
