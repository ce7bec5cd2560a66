/// The daemon's counters. All but the sizes grow from the creation of the store.
public struct Statistics: Sendable, Hashable, Codable {
  public var entries: Int
  /// Specs that were asked for.
  public var requests: Int
  public var hits: Int
  public var misses: Int
  public var baselinesServed: Int
  public var searchesStarted: Int
  public var searchesFinished: Int
  public var candidatesEvaluated: Int
  public var bytesUncompressed: Int
  public var bytesCompressed: Int
  /// Searches that run now.
  public var searchesRunning: Int
  /// Searches that wait.
  public var searchesQueued: Int
  /// What the hot set holds in memory.
  public var hotSetBytes: Int
  /// Requests that were answered from the hot set since the daemon started.
  public var hotSetHits: Int
  /// Connections that are open now.
  public var connections: Int
  public var uptimeSeconds: Double

  public init(
    entries: Int = 0, requests: Int = 0, hits: Int = 0, misses: Int = 0,
    baselinesServed: Int = 0, searchesStarted: Int = 0, searchesFinished: Int = 0,
    candidatesEvaluated: Int = 0, bytesUncompressed: Int = 0, bytesCompressed: Int = 0,
    searchesRunning: Int = 0, searchesQueued: Int = 0, hotSetBytes: Int = 0, hotSetHits: Int = 0,
    connections: Int = 0, uptimeSeconds: Double = 0
  ) {
    self.entries = entries
    self.requests = requests
    self.hits = hits
    self.misses = misses
    self.baselinesServed = baselinesServed
    self.searchesStarted = searchesStarted
    self.searchesFinished = searchesFinished
    self.candidatesEvaluated = candidatesEvaluated
    self.bytesUncompressed = bytesUncompressed
    self.bytesCompressed = bytesCompressed
    self.searchesRunning = searchesRunning
    self.searchesQueued = searchesQueued
    self.hotSetBytes = hotSetBytes
    self.hotSetHits = hotSetHits
    self.connections = connections
    self.uptimeSeconds = uptimeSeconds
  }
}

extension Statistics {
  /// Every counter with its name and meaning, in the order of the reports.
  package var table: [(name: String, help: String, value: Double, isGauge: Bool)] {
    [
      ("entries", "Keys in the store", Double(entries), true),
      ("requests", "Specs asked for", Double(requests), false),
      ("hits", "Specs answered from the cache", Double(hits), false),
      ("misses", "Specs that the cache did not have", Double(misses), false),
      ("baselines_served", "Baselines made for a request", Double(baselinesServed), false),
      ("searches_started", "Searches started", Double(searchesStarted), false),
      ("searches_finished", "Searches finished", Double(searchesFinished), false),
      ("candidates_evaluated", "Candidates evaluated", Double(candidatesEvaluated), false),
      ("bytes_uncompressed", "Bytes before compression", Double(bytesUncompressed), true),
      ("bytes_compressed", "Bytes on disk", Double(bytesCompressed), true),
      ("searches_running", "Searches that run now", Double(searchesRunning), true),
      ("searches_queued", "Searches that wait", Double(searchesQueued), true),
      ("hot_set_bytes", "Bytes of the hot set", Double(hotSetBytes), true),
      ("hot_set_hits", "Requests answered from the hot set", Double(hotSetHits), false),
      ("connections", "Open connections", Double(connections), true),
      ("uptime_seconds", "Seconds since the start", uptimeSeconds, true),
    ]
  }

  /// The counters in Prometheus' text format, version 0.0.4.
  package var prometheusText: String {
    table.map { row in
      let name = "granary_\(row.name)\(row.isGauge ? "" : "_total")"
      let value =
        row.value == row.value.rounded() && abs(row.value) < 1e15
        ? String(Int(row.value)) : String(row.value)
      return """
        # HELP \(name) \(row.help).
        # TYPE \(name) \(row.isGauge ? "gauge" : "counter")
        \(name) \(value)

        """
    }.joined()
  }
}

/// The machine as Granary sees it.
public struct HardwareReport: Sendable, Hashable, Codable {
  public var model: String
  public var architecture: String
  public var features: [String]
  public var libc: String
  public var threads: Int
  public var vectorBytes: Int
  public var vectorRegisters: Int
  public var cacheBytes: [Int]
  /// The text that enters kernel keys.
  public var tuningIdentity: String
  /// Measured operations a second, by dtype; absent until measured.
  public var operationsPerSecond: [String: Double]?
  /// From memory.
  public var readBytesPerSecond: Double?
  public var copyBytesPerSecond: Double?
  /// With a working set of half the last-level cache.
  public var cachedReadBytesPerSecond: Double?

  public init(
    model: String, architecture: String, features: [String], libc: String, threads: Int,
    vectorBytes: Int, vectorRegisters: Int, cacheBytes: [Int], tuningIdentity: String,
    operationsPerSecond: [String: Double]? = nil, readBytesPerSecond: Double? = nil,
    copyBytesPerSecond: Double? = nil, cachedReadBytesPerSecond: Double? = nil
  ) {
    self.model = model
    self.architecture = architecture
    self.features = features
    self.libc = libc
    self.threads = threads
    self.vectorBytes = vectorBytes
    self.vectorRegisters = vectorRegisters
    self.cacheBytes = cacheBytes
    self.tuningIdentity = tuningIdentity
    self.operationsPerSecond = operationsPerSecond
    self.readBytesPerSecond = readBytesPerSecond
    self.copyBytesPerSecond = copyBytesPerSecond
    self.cachedReadBytesPerSecond = cachedReadBytesPerSecond
  }
}

/// What works here and what does not.
public struct DoctorReport: Sendable, Hashable, Codable {
  public var findings: [Finding]

  public init(findings: [Finding]) { self.findings = findings }

  /// One thing that was looked at.
  public struct Finding: Sendable, Hashable, Codable {
    public var subject: String
    public var state: State
    /// What was found, and what to do when it is not good.
    public var message: String

    public init(subject: String, state: State, message: String) {
      self.subject = subject
      self.state = state
      self.message = message
    }
  }

  /// How a finding is judged.
  public enum State: String, Sendable, Hashable, Codable {
    case good, warning, bad, unknown

    public init(from decoder: any Decoder) throws {
      let text = try decoder.singleValueContainer().decode(String.self)
      self = Self(rawValue: text) ?? .unknown
    }
  }
}

/// The settings in force and where each came from.
public struct ConfigurationReport: Sendable, Hashable, Codable {
  public var settings: [Setting]

  public init(settings: [Setting]) { self.settings = settings }

  /// One setting.
  public struct Setting: Sendable, Hashable, Codable {
    public var name: String
    public var value: String
    /// `default`, `flag --x`, `environment GRANARY_X`, or `file PATH:LINE`.
    public var origin: String

    public init(name: String, value: String, origin: String) {
      self.name = name
      self.value = value
      self.origin = origin
    }
  }
}
