import DaemonAPI
import DaemonService
import FoundationEssentials
import TestSupport
import Testing

@Suite("The configuration") struct ConfigurationTests {
  @Test("a flag wins over the environment, and each value says where it is from")
  func origins() throws {
    let folder = TemporaryFolder()
    let home = folder.path
    let configuration = try DaemonConfiguration(
      flags: [.searchSeconds: "5"],
      environment: [
        "GRANARY_HOME": home, "GRANARY_SEARCH_SECONDS": "7", "GRANARY_HOT_SET_BYTES": "2000000",
      ])
    #expect(configuration.searchSeconds == 5)
    #expect(configuration.hotSetBytes == 2_000_000)
    #expect(configuration.locations.socket == home + "/granary.sock")
    let origins = Dictionary(
      uniqueKeysWithValues: configuration.report.settings.map { ($0.name, $0.origin) })
    #expect(origins["search_seconds"] == "flag --search-seconds")
    #expect(origins["hot_set_bytes"] == "environment GRANARY_HOT_SET_BYTES")
    #expect(origins["log_level"] == "default")
  }

  @Test("a useless value is refused by name")
  func refusal() throws {
    let error = #expect(throws: ServiceError.self) {
      try DaemonConfiguration(
        flags: [:], environment: ["GRANARY_HOME": "/nowhere", "GRANARY_SEARCH_SECONDS": "soon"])
    }
    #expect(error?.message.contains("GRANARY_SEARCH_SECONDS") == true)
  }
}

@Suite("The page of the configuration") struct ConfigurationPageTests {
  private let rows: [String]

  init() throws {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/")
    let page = try String(contentsOfFile: root + "/docs/configuration.md", encoding: .utf8)
    rows = page.split(separator: "\n").filter { $0.hasPrefix("|") && $0.contains("`") }
      .map(String.init)
  }

  @Test("the page has every setting and every variable of the code, and no other")
  func agreement() {
    let settings = Setting.allCases.map { setting in
      let name = setting == .home ? "none" : "`\(setting.rawValue)`"
      let value = setting.defaultValue.isEmpty ? "see below" : "`\(setting.defaultValue)`"
      return "| \(name) | `\(setting.flag)` | `\(setting.environmentVariable)` | \(value) "
        + "| \(setting.help) |"
    }
    let others = Setting.otherEnvironmentVariables.map { "| `\($0.name)` | \($0.purpose) |" }
    #expect(rows == settings + others)
  }
}
