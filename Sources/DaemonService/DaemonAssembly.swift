import CacheStore
import DaemonAPI
import Evaluation
import Glibc
import Hardware
import KernelSpec
package import Logging
import Optimization
import RunnerProtocol
import ServiceLifecycle
import Support
import Trust

/// Puts the daemon together: the store, the compiler, the runner, the library, and the service that searches.
package enum DaemonAssembly {
  /// - Throws: `ServiceError` when the store cannot be opened, or a compiler or the runner is missing.
  package static func make(_ configuration: DaemonConfiguration, _ logger: Logger) async throws
    -> DaemonParts
  {
    let environment = processEnvironment()
    do {
      var hardware = try HardwareProbe.host()
      if configuration.searchThreads > 0 {
        hardware.tuning.threads = min(configuration.searchThreads, hardware.tuning.threads)
      }
      // A compiler takes as long to say its version as all the rest together.
      async let found = CCompiler(host: hardware.compatibility, environment: environment)
      let store = try CacheStore.open(directory: configuration.locations.store)
      let compiler = try await found
      let workshop = Workshop(
        compiler: compiler,
        runner: try NativeRunner(environment: environment, confinement: compiler.confinement),
        hardware: hardware,
        ceilings: KeptCeilings(
          file: CeilingsFile(path: configuration.locations.store + "/ceilings.json"),
          hardware: hardware))
      let library = KernelLibrary(
        store: store, workshop: workshop,
        defaultLimits: SearchLimits(
          seconds: configuration.searchSeconds, candidates: configuration.searchCandidates),
        shared: SharedSchedules(directory: configuration.sharedDirectory),
        trust: TrustPolicy(
          ring: KeyRing(directory: configuration.locations.keys),
          verification: configuration.verifyImports), log: logger)
      let checkup = Checkup(
        library: library, locations: configuration.locations, compiler: compiler.identity,
        confinement: compiler.confinement)
      let bounds = configuration.storeBounds
      store.limit(bounds)
      return DaemonParts(
        service: LibraryServing(
          library: library, bounds: bounds, doctorChecks: { await checkup.findings() }),
        background: [
          SearchService(library: library),
          CollectionService(
            library: library, limits: bounds.collection, seconds: configuration.collectSeconds,
            log: logger),
        ])
    } catch let error as ServiceError {
      throw error
    } catch {
      throw ServiceError(.environment, "\(error)")
    }
  }
}

extension DaemonConfiguration {
  /// How large the store may become; a setting of 0 is no limit.
  var storeBounds: StoreBounds {
    func limit(_ value: Int) -> Int? { value > 0 ? value : nil }
    return StoreBounds(
      collection: CollectionLimits(
        maximumBytes: storeBytes, maximumEntries: limit(storeEntries),
        namespaceBytes: limit(namespaceBytes), hardwareBytes: limit(hardwareBytes),
        lowWatermark: lowWatermark, unusedSeconds: unusedSeconds > 0 ? unusedSeconds : nil),
      hardBytes: storeHardBytes)
  }
}

/// Searches in the background until the daemon stops, then closes the store.
struct SearchService: Service {
  let library: KernelLibrary

  func run() async throws {
    await cancelWhenGracefulShutdown { await library.runSearches() }
    try library.store.close()
  }
}

/// What `granary doctor` looks at.
struct Checkup: Sendable {
  let library: KernelLibrary
  let locations: Locations
  let compiler: String
  let confinement: Confinement

  func findings() async -> [DoctorReport.Finding] {
    [
      .init(subject: "compiler", state: .good, message: compiler), hardware, disk, store,
      await sandbox(),
    ]
  }

  private var hardware: DoctorReport.Finding {
    let tuning = library.workshop.hardware.tuning
    return .init(
      subject: "hardware", state: .good,
      message: "\(tuning.model), \(tuning.threads) threads, \(tuning.vectorBytes)-byte vectors")
  }

  private var disk: DoctorReport.Finding {
    let fewestBytes = 1 << 30
    guard let free = try? LocalFileSystem().freeBytes(at: locations.store) else {
      return .init(
        subject: "disk", state: .bad,
        message: "the free space of \(locations.store) cannot be read; check its permissions")
    }
    let message = "\(free >> 20) MiB free at \(locations.store)"
    return free >= fewestBytes
      ? .init(subject: "disk", state: .good, message: message)
      : .init(
        subject: "disk", state: .warning,
        message: message + "; run 'granary gc' or give it another disk")
  }

  private var store: DoctorReport.Finding {
    do {
      let held = try library.store.statistics()
      return .init(
        subject: "store", state: .good,
        message: "\(held.entries) entries, \(held.compressedBytes >> 10) KiB in \(locations.store)")
    } catch {
      return .init(subject: "store", state: .bad, message: "\(error)")
    }
  }

  /// Starts a runner, which says what protects the machine from a candidate.
  private func sandbox() async -> DoctorReport.Finding {
    do {
      let report = try await library.workshop.sandboxReport()
      let lines = report.lines.map { "\($0.name) \($0.inForce ? "on" : "off")" }
      let isWhole = report.lines.allSatisfy(\.inForce)
      return .init(
        subject: "sandbox", state: isWhole ? .good : .warning,
        message: "compilers and candidates are shut in by \(confinement.description); "
          + "candidates: \(lines.joined(separator: ", "))")
    } catch {
      return .init(
        subject: "sandbox", state: .bad, message: "no candidate can be run: \(error)")
    }
  }
}
