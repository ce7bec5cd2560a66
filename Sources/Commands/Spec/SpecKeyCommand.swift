package import ArgumentParser
import KernelSpec

/// `granary spec key`: the key of a spec, and the parts that it is made of.
package struct SpecKeyCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "key", abstract: "Print the key of specs.",
    discussion: """
      Without --hardware the key has no hardware part: it is equal on every machine, and no kernel
      is stored under it.
      """)

  @Argument(help: "Files, '-', or specs in the text form.")
  var specs: [String]

  @Option(help: "The tuning identity to make the key for.")
  var hardware: String?

  @Flag(help: "Print an array with the key and its parts for each spec.")
  var json = false

  package init() {}

  package func run() async throws {
    try SpecFailure.reporting(json: json) { () throws(SpecFailure) in
      var keys: [KernelKey] = []
      for spec in specs {
        for source in try LocalSpec.read(spec) {
          keys.append(Self.key(try source.checked(), hardware: hardware))
        }
      }
      let objects = keys.map(Self.json).joined(separator: ",\n")
      print(json ? "[\(objects)]" : keys.map(\.digest.hex).joined(separator: "\n"))
    }
  }

  /// The key on `hardware`, or without that part.
  static func key(_ spec: CheckedSpec, hardware: String?) -> KernelKey {
    let key = KernelKey(spec: spec, hardware: hardware ?? "")
    return hardware == nil ? KernelKey(parts: key.parts.filter { $0.name != "hardware" }) : key
  }

  static func json(_ key: KernelKey) -> String {
    let parts = key.parts.map { "\"\($0.name)\":\(JSONText.string($0.value))" }
    return "{\"key\":\"\(key.digest)\",\"parts\":{\(parts.joined(separator: ","))}}"
  }
}
