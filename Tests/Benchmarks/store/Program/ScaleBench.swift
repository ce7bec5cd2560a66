import CacheStore
import Glibc
import KernelSpec
import Support
import Synchronization

/// Compares a store of many entries with one of a thousand, and collects a tenth of it while others read.
struct ScaleBench {
  let small: String
  let large: String
  let entries: Int
  /// How many of them are collected.
  let collected: Int

  /// What must hold, with what was measured.
  private struct Finding {
    var name: String
    var value: String
    var limit: String
    var holds: Bool
  }

  /// - Returns: whether everything holds.
  func run() throws -> Bool {
    var findings: [Finding] = []
    let (few, _) = try opened(small)
    let fewHits = try hits(few, among: ScaleStore.entriesOfSmall)
    try few.close()
    let (many, seconds) = try opened(large)
    findings.append(
      .init(
        name: "start, \(entries) entries", value: "\(Int(seconds * 1000)) ms", limit: "< 500 ms",
        holds: seconds < 0.5))
    _ = try hits(many, among: entries)
    let manyHits = try hits(many, among: entries)
    let ratio = manyHits.median / fewHits.median
    findings.append(
      .init(
        name: "median of hits in the store, \(ScaleStore.entriesOfSmall) entries",
        value: "\(text(fewHits.median)) µs, p99 \(text(fewHits.p99)) µs", limit: "", holds: true))
    findings.append(
      .init(
        name: "median of hits in the store, \(entries) entries",
        value: "\(text(manyHits.median)) µs, p99 \(text(manyHits.p99)) µs, \(text(ratio)) times",
        limit: "<= 1.5 times", holds: ratio <= 1.5))
    findings.append(try index(many, "index"))
    findings += try collection(many)
    // With the last number of each key that went, which stays: no goal.
    findings.append(try index(many, "index after it", limit: nil))
    try many.close()
    for finding in findings {
      print(
        "\(finding.holds ? "holds " : "MISSED") \(finding.name): \(finding.value) \(finding.limit)")
    }
    return findings.allSatisfy(\.holds)
  }

  private func opened(_ directory: String) throws -> (CacheStore, seconds: Double) {
    let start = SystemTime().monotonicSeconds
    let store = try CacheStore.open(directory: directory)
    return (store, SystemTime().monotonicSeconds - start)
  }

  /// The bytes of the database that are no kernel's, with its write-ahead log.
  private func index(_ store: CacheStore, _ name: String, limit: Int? = 1024) throws -> Finding {
    let entries = max(1, try store.statistics().entries)
    let path = large + "/index.sqlite"
    let files = LocalFileSystem()
    let database = try ["", "-wal"].reduce(0) { try $0 + (files.sizeBytes(of: path + $1) ?? 0) }
    let bytes = (database - (try store.storedBytes())) / entries
    return Finding(
      name: name, value: "\(bytes) bytes an entry", limit: limit.map { "< \($0)" } ?? "",
      holds: limit.map { bytes < $0 } ?? true)
  }

  /// Times of single lookups, in microseconds.
  private func hits(_ store: CacheStore, among count: Int, rounds: Int = 5000) throws -> Times {
    var random = SeededRandom(seed: 7)
    var times: [Double] = []
    for _ in 0..<rounds {
      times.append(try hit(store, Int.random(in: 0..<count, using: &random)).time)
    }
    return Times(times)
  }

  private func hit(_ store: CacheStore, _ number: Int) throws -> (time: Double, found: Bool) {
    let start = SystemTime().monotonicSeconds
    let found = try store.lookup(key: ScaleStore.key(number)) != nil
    return ((SystemTime().monotonicSeconds - start) * 1e6, found)
  }

  /// Removes some of the entries while another thread reads those that stay.
  private func collection(_ store: CacheStore) throws -> [Finding] {
    let isDone = Atomic(false)
    let results = Mutex<(times: [Double], report: CollectionReport?, failure: String?)>(
      ([], nil, nil))
    let work = { @Sendable in
      defer { isDone.store(true, ordering: .releasing) }
      do {
        let report = try store.collect(
          CollectionLimits(maximumEntries: entries - collected, lowWatermark: 1))
        results.withLock { $0.report = report }
      } catch {
        results.withLock { $0.failure = "\(error)" }
      }
    }
    let start = SystemTime().monotonicSeconds
    let worker = try BlockingThread(work)
    var random = SeededRandom(seed: 8)
    var times: [Double] = []
    while !isDone.load(ordering: .acquiring) {
      times.append(try hit(store, Int.random(in: 0..<entries, using: &random)).time)
      poll(nil, 0, 1)
    }
    let seconds = SystemTime().monotonicSeconds - start
    worker.join()
    if let failure = results.withLock({ $0.failure }) { print("the collection failed: \(failure)") }
    let measured = Times(times)
    let removed = results.withLock { $0.report?.entriesRemoved ?? 0 }
    return [
      Finding(
        name: "collection of \(removed) entries", value: "\(text(seconds)) s", limit: "",
        holds: removed == collected),
      Finding(
        name: "hits meanwhile",
        value:
          "median \(text(measured.median)) µs, p99 \(text(measured.p99)) µs, longest \(text(measured.longest)) µs of \(times.count)",
        limit: "p99 < 10000 µs", holds: measured.p99 < 10_000),
    ]
  }

  private func text(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}

/// The order statistics of some times.
struct Times {
  private let sorted: [Double]

  init(_ times: [Double]) { sorted = times.sorted() }

  var median: Double { at(0.5) }
  var p99: Double { at(0.99) }
  var longest: Double { sorted.last ?? 0 }

  private func at(_ share: Double) -> Double {
    sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
  }
}
