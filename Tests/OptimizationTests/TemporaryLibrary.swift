import CacheStore
import Evaluation
import FoundationEssentials
import Hardware
import KernelSpec
import Logging
import Support

@testable import Optimization

/// A library over a store in a directory of its own, with the real compiler and runner.
struct TemporaryLibrary {
  let directory: String
  let library: KernelLibrary

  init(limits: SearchLimits = SearchLimits(seconds: 5, candidates: 12)) async throws {
    directory = "/tmp/granary-" + UUID().uuidString
    library = try await Self.open(directory, limits: limits)
  }

  /// Opens the library of `directory`, as a daemon does that starts there.
  static func open(
    _ directory: String, limits: SearchLimits, sharedKernels: SharedKernels? = nil,
    trust: TrustPolicy? = nil
  ) async throws -> KernelLibrary {
    let environment = ProcessInfo.processInfo.environment
    let hardware = try HardwareProbe.host()
    let compiler = try await CCompiler(host: hardware.compatibility, environment: environment)
    let workshop = Workshop(
      compiler: compiler,
      runner: NativeRunner(
        executable: buildFolder + "/granary-runner", confinement: compiler.confinement),
      hardware: hardware,
      ceilings: KeptCeilings(
        file: CeilingsFile(path: directory + "/ceilings.json"), hardware: hardware))
    var log = Logger(label: "test")
    log.logLevel = .warning
    return KernelLibrary(
      store: try CacheStore.open(directory: directory), workshop: workshop,
      defaultLimits: limits, sharedKernels: sharedKernels, trust: trust, log: log)
  }

  func remove() throws { try FileManager.default.removeItem(atPath: directory) }

  /// Where the build put its programs: the folder of the test bundle.
  private static var buildFolder: String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return root.joined(separator: "/") + "/.build/debug"
  }
}
