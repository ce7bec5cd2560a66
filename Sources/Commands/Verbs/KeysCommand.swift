import ArgumentParser
import DaemonAPI
import Support
import Trust

/// `granary keys`.
struct KeysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keys",
    abstract: "Generate the key that signs kernels, and say whose are trusted.",
    discussion: """
      A kernel of another machine is only taken in when a key that is trusted here has signed it. The secret half
      stays in a file of its own that only its owner may read, in the folder 'keys' beside the configuration.

        granary keys generate --name build-farm
        granary keys list --json
        granary keys trust "granary-public-1 build-farm jZ1…="
        granary keys distrust 3fa9c2d177ab0143
      """, subcommands: [Generate.self, List.self, Trust.self, Distrust.self])

  /// A key, as it is listed.
  struct Line: Encodable, Equatable {
    var identifier: String
    var name: String
    /// What another machine is told to trust.
    var publicKey: String
    /// Whether its secret half is here, and signs.
    var isOwn: Bool

    init(_ key: PublicKey, isOwn: Bool) {
      identifier = key.identifier
      name = key.name
      publicKey = key.text
      self.isOwn = isOwn
    }
  }

  static var ring: KeyRing {
    KeyRing(directory: Locations(environment: processEnvironment()).keys)
  }

  /// Turns errors of the ring into those of the command line.
  static func reporting(json: Bool, _ body: () throws -> Void) throws {
    try CommandFailure.reporting(json: json) {
      do {
        try body()
      } catch let error as GranaryError {
        let code: ServiceError.Code = error.responsible == .input ? .badRequest : .environment
        throw ServiceError(code, error.message)
      }
    }
  }

  struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make the key that signs, and print its public half.",
      discussion: """
          granary keys generate --name build-farm
        """)

    @Option(help: "For people: letters, digits and -_.@.") var name = "granary"
    @Flag(
      help:
        "Replace the key that is there: what it signed is worth nothing where the new one is trusted."
    )
    var replace = false
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      try KeysCommand.reporting(json: json) {
        let key = try KeysCommand.ring.generate(name: name, replacing: replace)
        if json { return try Terminal.say(json: Line(key, isOwn: true)) }
        Terminal.say(key.text)
      }
    }
  }

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the own key and those that are trusted.",
      discussion: """
          granary keys list
        """)

    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      try KeysCommand.reporting(json: json) {
        let own = try KeysCommand.ring.signingKey()?.publicKey
        let trusted = try KeysCommand.ring.trusted()
        let lines =
          [own].compactMap { $0 }.map { Line($0, isOwn: true) }
          + trusted.map { Line($0, isOwn: false) }
        if json { return try Terminal.say(json: lines) }
        Terminal.say(
          Format.table(
            ["IDENTIFIER", "NAME", "OWN", "PUBLIC KEY"],
            lines.map { [$0.identifier, $0.name, $0.isOwn ? "yes" : "", $0.publicKey] }))
      }
    }
  }

  struct Trust: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Trust what a key signs.",
      discussion: """
          granary keys trust "granary-public-1 build-farm jZ1…="
          granary keys trust build-farm.pub
        """)

    @Argument(help: "A public key, or a file that holds one.") var key: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      try KeysCommand.reporting(json: json) {
        let text =
          key.contains(" ")
          ? key : String(decoding: try Files.read(key, limitBytes: 4096), as: UTF8.self)
        let parsed = try PublicKey(parsing: text)
        let changed = try KeysCommand.ring.trust(parsed)
        if json {
          return try Terminal.say(json: ChangeReport(key: parsed.identifier, changed: changed))
        }
        Terminal.say("\(parsed.identifier) \(parsed.name) is trusted")
      }
    }
  }

  struct Distrust: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Trust what a key signs no more.",
      discussion: """
          granary keys distrust 3fa9c2d177ab0143
        """)

    @Argument(help: "The identifier of a key, as listed.") var identifier: String
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      try KeysCommand.reporting(json: json) {
        let changed = try KeysCommand.ring.distrust(identifier: identifier)
        if json { return try Terminal.say(json: ChangeReport(key: identifier, changed: changed)) }
        guard changed else { throw ServiceError(.notFound, "no key \(identifier) is trusted") }
      }
    }
  }
}
