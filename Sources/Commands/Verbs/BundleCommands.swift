import ArgumentParser
import DaemonAPI
import DaemonClient

/// `granary export`.
struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write kernels into a signed bundle for other machines.",
    discussion: """
      A bundle is one zstd archive. Each kernel goes with its spec, source and evidence, signed with the key of
      'granary keys generate'; 'granary import' takes it in where that key is trusted.

        granary export --all -o kernels.granary
        granary export 3fa9c2d1 77ab01 -o two.granary
        granary export --lock granary.lock -o release.granary
      """)

  @Argument(help: "Kernel keys, or the beginnings of some.") var keys: [String] = []
  @Flag(help: "Every entry.") var all = false
  @Option(help: "What this lock file names.") var lock: String?
  @Option(name: .shortAndLong, help: "The file to write.") var output: String
  @Flag(help: "Do without a signature.") var unsigned = false
  @OptionGroup var connection: ConnectionOptions

  mutating func validate() throws {
    guard [!keys.isEmpty, all, lock != nil].count(where: { $0 }) == 1 else {
      throw ValidationError("name some keys, or give one of --all and --lock")
    }
  }

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let client = try connection.connect()
      let bundle = try client.export(ExportRequest(keys: try wanted(client), unsigned: unsigned))
      try Files.write(bundle, to: output)
      if connection.json { return try Terminal.say(json: ["bytes": bundle.count]) }
      Terminal.say("\(output): \(Format.bytes(bundle.count))")
    }
  }

  private func wanted(_ client: DaemonClient) throws(ServiceError) -> [String]? {
    if all { return nil }
    if let lock {
      return try LockFile(parsing: try Files.read(lock), name: lock).kernels.map(\.key)
    }
    var whole: [String] = []
    for key in keys { whole.append(try KeyPrefix.resolve(key, client)) }
    return whole
  }
}

/// `granary import`.
struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Take in the kernels of a bundle.",
    discussion: """
      All of the bundle is checked before anything is written: every digest, every signature, and that key, bytes
      and evidence belong together. Kernels for this machine are then verified here, as verify_imports says.
      Exits with 4 when one failed.

        granary import --dry-run kernels.granary
        granary import kernels.granary --json
      """)

  @Argument(help: "A file of 'granary export'.") var bundle: String
  @Flag(help: "Take in what nobody who is trusted has signed.") var allowUnsigned = false
  @Flag(help: "Check the bundle, and write nothing.") var dryRun = false
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let bytes = try Files.read(bundle)
      let report = try connection.connect().importBundle(
        bytes, allowUnsigned: allowUnsigned, dryRun: dryRun)
      if connection.json {
        try Terminal.say(json: report)
      } else {
        let failed = report.failed.map { "\n  failed its verification here: \($0)" }.joined()
        Terminal.say(
          "\(report.admitted) kernels \(dryRun ? "may be taken in" : "taken in"), "
            + "\(report.known) known already" + failed)
      }
      if !report.failed.isEmpty { throw ExitCode(CommandFailure.damageFound) }
    }
  }
}
