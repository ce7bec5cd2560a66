package import ArgumentParser
import DaemonAPI
import Hardware
import KernelSpec

/// `granary spec key`: the key of a spec, and the parts that it is made of.
package struct SpecKeyCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Print the key of specs.",
    discussion: """
      Without --hardware the key is the one under which a daemon on this machine keeps the kernel, unless it was
      told to use fewer threads.
      """)

  @Argument(help: "Files, '-', or specs in the text form.")
  var specs: [String]

  @Option(help: "The tuning identity to make the key for; without it, this machine's.")
  var hardware: String?

  @Flag(help: "Print an array with the key and its parts for each spec.")
  var json = false

  package init() {}

  package func run() throws {
    try CommandFailure.reporting(json: json) {
      let hardware = try hardware ?? Self.ownHardware()
      var keys: [KernelKey] = []
      for spec in specs {
        for source in try SpecSource.read(spec) {
          keys.append(try source.checked().key(hardware: hardware))
        }
      }
      let objects = keys.map(Self.json).joined(separator: ",\n")
      Terminal.say(json ? "[\(objects)]" : keys.map(\.digest.hex).joined(separator: "\n"))
    }
  }

  /// The tuning identity of this machine.
  private static func ownHardware() throws(ServiceError) -> String {
    do {
      return try HardwareProbe.host().tuning.canonicalText
    } catch {
      throw ServiceError(.environment, "this machine's hardware cannot be read: \(error)")
    }
  }

  static func json(_ key: KernelKey) -> String {
    let parts = key.parts.map { "\"\($0.name)\":\(JSONText.string($0.value))" }
    return "{\"key\":\"\(key.digest)\",\"parts\":{\(parts.joined(separator: ","))}}"
  }
}
