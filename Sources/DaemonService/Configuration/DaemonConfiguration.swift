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
  package var verifyImports: TrustPolicy.Verification
  /// 0 for all that the process may use.
  package var searchThreads: Int
  package var searchSeconds: Double
  package var searchCandidates: Int
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
    guard let verifyImports = TrustPolicy.Verification(rawValue: values.text(.verifyImports)) else {
      throw values.refusal(.verifyImports, "never, sample or always")
    }
    self.verifyImports = verifyImports
    searchThreads = try values.integer(.searchThreads, in: 0...4096)
    searchSeconds = try values.seconds(.searchSeconds)
    searchCandidates = try values.integer(.searchCandidates, in: 1...10_000_000)
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

/// Values with their origins, before they are checked.
private struct SettingValues {
  private var found: [Setting: (text: String, origin: String)] = [:]

  init(flags: [Setting: String], environment: [String: String], file: ConfigurationFile) {
    for setting in Setting.allCases {
      if let text = flags[setting] {
        found[setting] = (text, "flag \(setting.flag)")
      } else if let text = environment[setting.environmentVariable], !text.isEmpty {
        found[setting] = (text, "environment \(setting.environmentVariable)")
      } else if let line = file.values[setting] {
        found[setting] = (line.text, "file \(file.path):\(line.number)")
      }
    }
  }

  mutating func setDefault(_ setting: Setting, _ text: String) {
    if found[setting] == nil { found[setting] = (text, "default") }
  }

  func text(_ setting: Setting) -> String { found[setting]?.text ?? setting.defaultValue }

  func reported(_ setting: Setting) -> ConfigurationReport.Setting {
    .init(
      name: setting.rawValue, value: text(setting), origin: found[setting]?.origin ?? "default")
  }

  func integer(_ setting: Setting, in range: ClosedRange<Int>) throws(ServiceError) -> Int {
    guard let value = Int(text(setting)), range.contains(value) else {
      throw refusal(
        setting, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// The hard limit on the store, which is never below the soft one.
  func hardBytes(above soft: Int) throws(ServiceError) -> Int {
    let bytes = try integer(.storeHardBytes, in: 0...1 << 51)
    guard bytes == 0 || bytes >= soft else {
      throw refusal(.storeHardBytes, "0 or at least store_bytes, which is \(soft)")
    }
    return bytes == 0 ? soft + soft / 4 : bytes
  }

  func boolean(_ setting: Setting) throws(ServiceError) -> Bool {
    guard let value = Bool(text(setting)) else { throw refusal(setting, "true or false") }
    return value
  }

  func share(_ setting: Setting) throws(ServiceError) -> Double {
    guard let value = Double(text(setting)), value > 0, value <= 1 else {
      throw refusal(setting, "a number above 0 and at most 1")
    }
    return value
  }

  func seconds(_ setting: Setting, orZero: Bool = false) throws(ServiceError) -> Double {
    guard let value = Double(text(setting)), value > 0 || (orZero && value == 0), value <= 1e9
    else {
      throw refusal(setting, "a number of seconds \(orZero ? "from" : "above") 0")
    }
    return value
  }

  func refusal(_ setting: Setting, _ expected: String) -> ServiceError {
    let origin = found[setting]?.origin ?? "default"
    return ServiceError(
      .badRequest,
      "\(setting.rawValue) is '\(text(setting))' (\(origin)), but must be \(expected)")
  }
}

/// The configuration file: `name = value` lines, `#` for comments.
struct ConfigurationFile {
  let path: String
  var values: [Setting: (text: String, number: Int)] = [:]

  /// - Throws: `environment`. A file that does not exist is empty.
  init(path: String) throws(ServiceError) {
    self.path = path
    guard FileManager.default.fileExists(atPath: path) else { return }
    let contents: Data
    do {
      contents = try Data(contentsOf: URL(filePath: path))
    } catch {
      throw ServiceError(.environment, "cannot read the configuration file \(path)")
    }
    let lines = String(decoding: contents, as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      let text = line.prefix { $0 != "#" }
      if text.allSatisfy(\.isWhitespace) { continue }
      let sides = text.split(separator: "=", maxSplits: 1).map(Self.trimmed)
      guard sides.count == 2, let setting = Setting(rawValue: sides[0]), setting != .home else {
        throw ServiceError(
          .environment, "\(path):\(index + 1): expected 'name = value' with a known name")
      }
      values[setting] = (sides[1], index + 1)
    }
  }

  private static func trimmed(_ text: Substring) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.reversed().drop(while: \.isWhitespace).reversed())
  }
}
