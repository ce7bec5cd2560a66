import ArgumentParser
import DaemonAPI
import DaemonClient

/// The entries that a verb is about: some keys, all, some at random, or those that are stale.
struct KeySelection: ParsableArguments {
  @Argument(help: "Kernel keys, or the beginnings of some.") var keys: [String] = []
  @Flag(help: "Every entry.") var all = false
  @Flag(help: "Every entry that is stale; see 'granary stale'.") var stale = false
  @Option(help: "This many entries, chosen at random.") var sample: Int?

  mutating func validate() throws {
    let ways = [!keys.isEmpty, all, stale, sample != nil].count { $0 }
    guard ways == 1 else {
      throw ValidationError("name some keys, or give one of --all, --stale and --sample N")
    }
    if let sample, sample < 1 { throw ValidationError("--sample takes at least 1") }
  }

  /// Whole keys.
  ///
  /// - Throws: as `KeyPrefix.resolve`.
  func resolve(_ client: DaemonClient) throws(ServiceError) -> [String] {
    if stale { return try client.stale().stale.map(\.key) }
    if all { return try client.entries().map(\.key) }
    if let sample { return Array(try client.entries().map(\.key).shuffled().prefix(sample)) }
    var whole: [String] = []
    for key in keys { whole.append(try KeyPrefix.resolve(key, client)) }
    return whole
  }
}
