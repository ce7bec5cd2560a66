package import DaemonAPI
import FoundationEssentials
package import Optimization

/// The settings in force. A flag wins over the environment, the environment over the file, the file over the
/// default.
package struct DaemonConfiguration: Sendable {
  package var locations: Locations
  package var hotSetBytes: Int
  package var storeBytes: Int
  package var storeHardBytes: Int
  package var lowWatermark: Double
  /// 0 for any number.
  package var storeEntries: Int
  /// 0 for all.
  package var namespaceBytes: Int
  /// 0 for all.
  package var hardwareBytes: Int
  /// 0 for ever.
  package var unusedSeconds: Double
  package var collectSeconds: Double
  /// Empty for none.
  package var sharedDirectory: String
  /// In the order in which they are asked; none for a machine by itself.
  package var tiers: [String]
  package var tierWrites: Bool
  package var tierTimeoutSeconds: Double
  /// Empty for those of the system.
  package var tierAuthorities: String
  package var isOffline: Bool
  package var verifyImports: TrustPolicy.Verification
  /// `nil` for a daemon that serves its own machine only.
  package var serving: ServingConfiguration?
  package var roles: Roles
  /// 0 for all that the process may use.
  package var searchThreads: Int
  /// `nil` when nothing is searched for that was not asked for.
  package var searchSeconds: Double?
  package var searchCandidates: Int
  /// Whether searches learn which candidates are worth compiling.
  package var costModel: Bool
  /// 0 for no leases.
  package var searchLeaseSeconds: Double
  package var defaultPolicy: Policy
  package var tunedDeadlineSeconds: Double
  package var logLevel: String
  /// Every setting with where it came from.
  package var report: ConfigurationReport

  /// Reads the settings.
  ///
  /// - Throws: `bad-request` that names the setting, its value and its origin when a value is of no use, and
  ///   `environment` when the file cannot be read or has a line that is no setting.
  package init(flags: [Setting: String], environment: [String: String]) throws(ServiceError) {
    let home = flags[.home].map { ["GRANARY_HOME": $0] } ?? [:]
    var locations = Locations(environment: environment.merging(home) { _, flag in flag })
    let file = try ConfigurationFile(path: locations.configuration)
    var values = SettingValues(flags: flags, environment: environment, file: file)
    values.setDefault(.home, environment["GRANARY_HOME"] ?? "")
    values.setDefault(.socket, locations.socket)
    locations.socket = values.text(.socket)
    self.locations = locations
    hotSetBytes = try values.integer(.hotSetBytes, in: 1 << 20...1 << 40)
    storeBytes = try values.integer(.storeBytes, in: 1 << 20...1 << 50)
    storeHardBytes = try values.hardBytes(above: storeBytes)
    lowWatermark = try values.share(.lowWatermark)
    storeEntries = try values.integer(.storeEntries, in: 0...1 << 40)
    namespaceBytes = try values.integer(.namespaceBytes, in: 0...1 << 50)
    hardwareBytes = try values.integer(.hardwareBytes, in: 0...1 << 50)
    unusedSeconds = try values.seconds(.unusedSeconds, orZero: true)
    collectSeconds = try values.seconds(.collectSeconds)
    sharedDirectory = values.text(.sharedDirectory)
    tiers = values.text(.tiers).split(separator: " ").map(String.init)
    tierWrites = try values.boolean(.tierWrites)
    tierTimeoutSeconds = try values.seconds(.tierTimeoutSeconds)
    tierAuthorities = values.text(.tierAuthorities)
    isOffline = try values.boolean(.offline)
    serving = try values.serving()
    roles = try values.roles()
    guard let verifyImports = TrustPolicy.Verification(rawValue: values.text(.verifyImports)) else {
      throw values.refusal(.verifyImports, "never, sample or always")
    }
    self.verifyImports = verifyImports
    searchThreads = try values.integer(.searchThreads, in: 0...4096)
    let searchSeconds = try values.seconds(.searchSeconds, orZero: true)
    self.searchSeconds = searchSeconds > 0 ? searchSeconds : nil
    searchLeaseSeconds = try values.seconds(.searchLeaseSeconds, orZero: true)
    searchCandidates = try values.integer(.searchCandidates, in: 1...10_000_000)
    costModel = try values.boolean(.costModel)
    tunedDeadlineSeconds = try values.seconds(.tunedDeadlineSeconds)
    let policy = values.text(.defaultPolicy)
    guard let defaultPolicy = Policy(rawValue: policy) else {
      throw values.refusal(.defaultPolicy, "cached, baseline, tuned or locked")
    }
    self.defaultPolicy = defaultPolicy
    logLevel = values.text(.logLevel)
    let levels = ["trace", "debug", "info", "notice", "warning", "error", "critical"]
    guard levels.contains(logLevel) else {
      throw values.refusal(.logLevel, levels.joined(separator: ", "))
    }
    report = ConfigurationReport(settings: Setting.allCases.map(values.reported))
  }
}

extension DaemonConfiguration {
  /// What holds for requests that do not say.
  package var requestDefaults: RequestDefaults {
    RequestDefaults(
      policy: defaultPolicy, tunedDeadlineMilliseconds: Int(tunedDeadlineSeconds * 1000))
  }
}
