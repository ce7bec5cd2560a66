import CacheStore
import DaemonAPI
import Evaluation
import Glibc
import Hardware
import KernelSpec
package import Logging
import Optimization
import RemoteTiers
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
          seconds: configuration.searchSeconds ?? SearchLimits.usualSeconds,
          candidates: configuration.searchCandidates),
        searchesUnasked: configuration.searchSeconds != nil,
        shared: SharedSchedules(
          directory: configuration.sharedDirectory, isOffline: configuration.isOffline),
        sharedKernels: try SharedKernels(
          locations: configuration.tiers, access: configuration.tierAccess(environment)),
        trust: TrustPolicy(
          ring: KeyRing(directory: configuration.locations.keys),
          verification: configuration.verifyImports),
        leaseSeconds: configuration.searchLeaseSeconds,
        costDirectory: configuration.costModel ? configuration.locations.store + "/costs" : nil,
        log: logger)
      let server = try configuration.serving.map {
        try TierServer(
          $0, library: library, folder: configuration.locations.shelf, logger: logger)
      }
      let checkup = Checkup(
        library: library, locations: configuration.locations, compiler: compiler.identity,
        confinement: compiler.confinement, server: server)
      let bounds = configuration.storeBounds
      store.limit(bounds)
      return DaemonParts(
        service: LibraryServing(
          library: library, bounds: bounds, doctorChecks: { await checkup.findings() }),
        background: (server.map { [$0.server] } ?? []) + [
          SearchService(library: library), UploadService(library: library, log: logger),
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
  func tierAccess(_ environment: [String: String]) -> TierAccess {
    TierAccess(
      isWritable: tierWrites, isOffline: isOffline, timeoutSeconds: tierTimeoutSeconds,
      authorities: tierAuthorities.isEmpty ? nil : tierAuthorities, environment: environment)
  }

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
