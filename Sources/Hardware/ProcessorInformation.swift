/// One processor of `/proc/cpuinfo`.
struct ProcessorInformation: Sendable, Hashable {
  var number: Int
  /// Without the stepping: steppings of one model do not differ in what is fast.
  var model: String
  var features: Set<String>

  /// Every processor in the text. Lines before the first or after the last (as on a Raspberry Pi) count for
  /// none.
  static func parse(_ text: String) -> [ProcessorInformation] {
    var processors: [ProcessorInformation] = []
    var fields: [String: String] = [:]
    func finish() {
      if let number = fields["processor"].flatMap({ Int($0) }) {
        processors.append(ProcessorInformation(number: number, fields: fields))
      }
      fields = [:]
    }
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        finish()
        continue
      }
      let name = parts[0].trimmed
      if name == "processor" { finish() }
      fields[name] = parts[1].trimmed
    }
    finish()
    return processors
  }

  private init(number: Int, fields: [String: String]) {
    self.number = number
    let names = fields["flags"] ?? fields["Features"] ?? ""
    features = Set(names.split(separator: " ").map(String.init))
    model = fields["CPU implementer"] == nil ? Self.x86Model(fields) : Self.armModel(fields)
  }

  private static func x86Model(_ fields: [String: String]) -> String {
    let name = fields["model name"] ?? fields["vendor_id"] ?? "x86"
    return
      "\(name.asIdentityPart) family \(fields["cpu family"] ?? "?") model \(fields["model"] ?? "?")"
  }

  private static func armModel(_ fields: [String: String]) -> String {
    let implementer = fields["CPU implementer"] ?? "?"
    let part = fields["CPU part"] ?? "?"
    let variant = fields["CPU variant"] ?? "?"
    let name = armNames[implementer + part].map { $0 + " " } ?? ""
    return "\(name)implementer \(implementer) part \(part) variant \(variant)"
  }

  /// Names of common cores by implementer and part number.
  ///
  /// Source: `arch/arm64/include/asm/cputype.h` of Linux.
  private static let armNames = [
    "0x410xd03": "Cortex-A53", "0x410xd08": "Cortex-A72", "0x410xd0b": "Cortex-A76",
    "0x410xd0c": "Neoverse-N1", "0x410xd40": "Neoverse-V1", "0x410xd49": "Neoverse-N2",
    "0x410xd4f": "Neoverse-V2", "0xc00xac3": "Ampere-1",
  ]
}

extension Substring {
  fileprivate var trimmed: String {
    let start = drop { $0.isWhitespace }
    let end = start.lastIndex { !$0.isWhitespace }
    return end.map { String(start[...$0]) } ?? ""
  }
}

extension String {
  /// The text with runs of white space made one, and without the separators of an identity's text.
  fileprivate var asIdentityPart: String {
    split { $0.isWhitespace || $0 == ";" || $0 == "=" }.joined(separator: " ")
  }
}
