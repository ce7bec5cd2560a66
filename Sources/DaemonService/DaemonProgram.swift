import ArgumentParser
import CacheStore
import DaemonAPI
import Glibc
package import Logging
package import ServiceLifecycle
import UnixSignals

/// The use case, with what must run beside it.
package struct DaemonParts: Sendable {
  package var service: any KernelServing
  /// What lives as long as the daemon: the scheduler of searches, for example. It is stopped after the server.
  package var background: [any Service]

  package init(service: any KernelServing, background: [any Service] = []) {
    self.service = service
    self.background = background
  }
}

/// Runs a daemon from its configuration until it is told to stop.
package enum DaemonProgram {
  /// Makes the use case from the settings.
  package typealias Maker =
    @Sendable (DaemonConfiguration, Logger) async throws -> DaemonParts

  /// Runs the daemon with the flags of the command line.
  ///
  /// - Returns: the exit code: 0 stopped as asked, 1 failed, 2 bad usage or settings.
  package static func run(arguments: [String], make: @escaping Maker) async -> Int32 {
    do {
      let command = try DaemonFlags.parseAsRoot(arguments)
      guard let flags = command as? DaemonFlags else { throw CleanExit.helpRequest(command) }
      let configuration = try DaemonConfiguration(
        flags: flags.settings, environment: processEnvironment())
      try await run(configuration, environment: processEnvironment(), make: make)
      return 0
    } catch let error as ServiceError {
      say("granaryd: \(error.message)")
      return error.who == .input ? 2 : 1
    } catch  where DaemonFlags.exitCode(for: error) == .failure {
      say("granaryd: \(error)")
      return 1
    } catch {
      let text = DaemonFlags.fullMessage(for: error)
      if DaemonFlags.exitCode(for: error).isSuccess { print(text) } else { say(text) }
      return DaemonFlags.exitCode(for: error).isSuccess ? 0 : 2
    }
  }

  /// Runs the daemon until SIGTERM or SIGINT.
  package static func run(
    _ configuration: DaemonConfiguration, environment: [String: String], make: Maker
  ) async throws {
    // A client that goes away while it is written to must not end the daemon.
    signal(SIGPIPE, SIG_IGN)
    try OpenFileLimit.raise()
    let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
    let logger = Logger(label: "granaryd") { JSONLogHandler(label: $0, level: level) }
    // The lock comes before the store: a second daemon must not even open it.
    let listener = try ListeningSocket.open(
      configuration.locations.socket, environment: environment,
      isShared: configuration.roles.areShared)
    let parts = try await make(configuration, logger)
    let hotSet = HotSet(capacityBytes: configuration.hotSetBytes)
    let publications = publications(configuration, parts.service, logger)
    parts.service.onChange {
      publications?.withdraw($0)
      hotSet.invalidate($0)
    }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let router = Router(
      service: parts.service, hotSet: hotSet, counters: ServerCounters(),
      configuration: configuration.report,
      greeting: Greeting(
        version: granaryVersion, processIdentifier: Int(getpid()),
        startedAt: Double(now.tv_sec), defaultPolicy: configuration.defaultPolicy,
        tunedDeadlineSeconds: configuration.tunedDeadlineSeconds),
      defaults: configuration.requestDefaults, publications: publications,
      foreign: ForeignArtifacts(
        folder: configuration.locations.store + "/foreign",
        limitBytes: configuration.storeBytes / 8))
    let systemd = SystemdNotifier(environment: environment)
    var options = HTTPServer.Options()
    options.access = .roles(configuration.roles)
    let server = HTTPServer(
      listener: listener, responder: router, options: options, logger: logger,
      onReady: { systemd.notify("READY=1") })
    let services: [any Service] =
      parts.background + (publications.map { [$0] } ?? [])
      + [HitRecorder(hotSet: hotSet, service: parts.service), server, systemd]
    var group = ServiceGroupConfiguration(
      services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = .seconds(20)
    try await ServiceGroup(configuration: group).run()
  }

  /// The folder of kernels that clients find by themselves; a daemon that cannot make it serves without.
  private static func publications(
    _ configuration: DaemonConfiguration, _ service: any KernelServing, _ logger: Logger
  ) -> Publications? {
    guard let hardware = service.tuningIdentity else { return nil }
    do {
      return try Publications(
        path: configuration.locations.published, identity: granaryVersion + "\n" + hardware,
        service: service)
    } catch {
      logger.warning("no kernels are published", metadata: ["error": "\(error)"])
      return nil
    }
  }

  private static func say(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}

/// The flags of the daemon: one for each setting.
struct DaemonFlags: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "granaryd",
    abstract:
      "Serves kernels from the cache, and searches for better ones, until it is told to stop.",
    discussion: "docs/configuration.md says what each setting is for.", version: granaryVersion)

  @Option(help: "The folder of everything.") var home: String?
  @Option(help: "The Unix socket.") var socket: String?
  @Option(help: "Memory for what is served without the store.") var hotSetBytes: String?
  @Option(help: "The size of the store beyond which entries are collected.")
  var storeBytes: String?
  @Option(help: "The size of the store beyond which nothing is stored.")
  var storeHardBytes: String?
  @Option(help: "The share of a limit that a collection leaves.") var lowWatermark: String?
  @Option(help: "The number of entries beyond which some are collected.")
  var storeEntries: String?
  @Option(help: "The bytes of each namespace.") var namespaceBytes: String?
  @Option(help: "The bytes of each kind of hardware.") var hardwareBytes: String?
  @Option(help: "How long an entry may go unused before it is collected.")
  var unusedSeconds: String?
  @Option(help: "The time between two collections.") var collectSeconds: String?
  @Option(help: "A folder through which machines share schedules.") var sharedDirectory: String?
  @Option(help: "Places of shared kernels, with spaces between.") var tiers: String?
  @Option(help: "Whether own kernels are given to the tiers.") var tierWrites: String?
  @Option(help: "How long one exchange with a tier may take.") var tierTimeoutSeconds: String?
  @Option(help: "The authorities that vouch for tiers.") var tierAuthorities: String?
  @Flag(help: "Ask no other machine for anything, and give none anything.") var offline = false
  @Option(help: "Where this store is served to other machines.") var serveAddress: String?
  @Option(help: "The file with the token that clients there must show.")
  var serveTokenFile: String?
  @Option(help: "The certificate that is shown to them.") var serveCertificate: String?
  @Option(help: "The key of that certificate.") var serveKey: String?
  @Option(help: "Whether they may put values.") var serveWrites: String?
  @Option(help: "The bytes that their values may take.") var serveBytes: String?
  @Option(help: "Whether they may put anything at /ac.") var serveAnyRecords: String?
  @Option(help: "Users who may ask.") var askUsers: String?
  @Option(help: "Groups whose users may ask.") var askGroups: String?
  @Option(help: "Users who may ask and administer.") var adminUsers: String?
  @Option(help: "Groups whose users may ask and administer.") var adminGroups: String?
  @Option(help: "never, sample or always: whether kernels of other machines are verified.")
  var verifyImports: String?
  @Option(help: "Threads that searches use.") var searchThreads: String?
  @Option(help: "The longest time of one search; 0 to search only when asked.") var searchSeconds:
    String?
  @Option(help: "The most candidates of one search.") var searchCandidates: String?
  @Option(help: "Whether searches learn which candidates are worth compiling.")
  var costModel: String?
  @Option(help: "How long a search is left to another machine that is silent.")
  var searchLeaseSeconds: String?
  @Option(help: "cached, baseline, tuned or locked.") var defaultPolicy: String?
  @Option(help: "How long the policy tuned waits.") var tunedDeadlineSeconds: String?
  @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: String?

  var settings: [Setting: String] {
    let given: [(Setting, String?)] = [
      (.home, home), (.socket, socket), (.hotSetBytes, hotSetBytes), (.storeBytes, storeBytes),
      (.storeHardBytes, storeHardBytes), (.lowWatermark, lowWatermark),
      (.storeEntries, storeEntries), (.namespaceBytes, namespaceBytes),
      (.hardwareBytes, hardwareBytes),
      (.unusedSeconds, unusedSeconds), (.collectSeconds, collectSeconds),
      (.sharedDirectory, sharedDirectory),
      (.tiers, tiers), (.tierWrites, tierWrites),
      (.tierTimeoutSeconds, tierTimeoutSeconds), (.verifyImports, verifyImports),
      (.tierAuthorities, tierAuthorities), (.offline, offline ? "true" : nil),
      (.serveAddress, serveAddress),
      (.serveTokenFile, serveTokenFile), (.serveCertificate, serveCertificate),
      (.serveKey, serveKey), (.serveWrites, serveWrites), (.serveBytes, serveBytes),
      (.serveAnyRecords, serveAnyRecords), (.askUsers, askUsers), (.askGroups, askGroups),
      (.adminUsers, adminUsers), (.adminGroups, adminGroups),
      (.searchThreads, searchThreads),
      (.searchSeconds, searchSeconds),
      (.searchLeaseSeconds, searchLeaseSeconds), (.searchCandidates, searchCandidates),
      (.costModel, costModel),
      (.defaultPolicy, defaultPolicy),
      (.tunedDeadlineSeconds, tunedDeadlineSeconds), (.logLevel, logLevel),
    ]
    return given.reduce(into: [:]) { $0[$1.0] = $1.1 }
  }
}
