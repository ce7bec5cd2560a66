// swift-tools-version:6.1
import PackageDescription

/// Settings of every Swift target: warnings are errors, and imports and existentials are explicit.
let strict: [SwiftSetting] = [
  .unsafeFlags(["-warnings-as-errors"]),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A product of a package that Granary depends on.
func product(_ name: String, _ package: String) -> Target.Dependency {
  .product(name: name, package: package)
}

/// A module under `Sources/`, with the modules that it may import.
func module(_ name: String, _ dependencies: [Target.Dependency] = [], path: String? = nil)
  -> Target
{
  .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

/// An executable under `Sources/`: a few lines that call a module.
func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one or several modules.
func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [],
  resources: [Resource] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies, exclude: exclude, resources: resources,
    swiftSettings: strict)
}

let package = Package(
  name: "granary",
  products: [
    .executable(name: "granary", targets: ["granary"]),
    .executable(name: "granaryd", targets: ["granaryd"]),
    .executable(name: "granary-runner", targets: ["granary-runner"]),
    .library(name: "DaemonClient", targets: ["DaemonClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // Shims over the system's libraries and calls.
    .target(name: "CLinux"),
    .target(name: "CKernelHost"),
    // Its loops measure the hardware, so they are optimised in debug builds too.
    .target(name: "CHardware", cSettings: [.unsafeFlags(["-O2"])]),
    // Its loops judge every element of every result, so they are optimised in debug builds too.
    .target(name: "CNumerics", cSettings: [.unsafeFlags(["-O2"])]),
    .systemLibrary(name: "CZstd", providers: [.apt(["libzstd-dev"])]),

    // The modules, in the order data flows. docs/architecture.md says what each owns.
    module("Support", ["CLinux"]),
    module(
      "CacheSchema", [product("GRDB", "GRDB.swift")], path: "cache-schema/Sources/CacheSchema"),
    module("KernelSpec", ["Support", product("Crypto", "swift-crypto")]),
    module("Hardware", ["KernelSpec", "Support", "CHardware"]),
    module("TensorProgram", ["KernelSpec", "Support"]),
    module("CodeGeneration", ["TensorProgram", "Hardware", "KernelSpec", "Support"]),
    module("Search", ["Hardware", "KernelSpec", "Support"]),
    module("RunnerProtocol", ["CKernelHost", "CLinux", "Support"]),
    module(
      "Evaluation",
      ["RunnerProtocol", "Hardware", "KernelSpec", "Support", "CLinux", "CNumerics"]),
    module("Knowledge", ["Hardware", "KernelSpec", "Support", "CLinux"]),
    module(
      "CacheStore",
      [
        "CacheSchema", "Hardware", "KernelSpec", "Support", "CZstd",
        product("GRDB", "GRDB.swift"),
      ]),
    module("RemoteTiers", ["KernelSpec", "Support", "CLinux"]),
    module("Trust", ["KernelSpec", "Support", product("Crypto", "swift-crypto")]),
    module(
      "Optimization",
      [
        "Support", "KernelSpec", "Hardware", "TensorProgram", "CodeGeneration", "Search",
        "RunnerProtocol", "Evaluation", "Knowledge", "CacheStore", "RemoteTiers",
        "Trust", product("Logging", "swift-log"),
      ]),
    module("DaemonAPI", ["KernelSpec", "Support"]),
    module("DaemonClient", ["CKernelHost", "CLinux", "DaemonAPI", "KernelSpec", "Support"]),
    module(
      "Commands",
      [
        "DaemonAPI", "DaemonClient", "Hardware", "KernelSpec", "Support", "Trust",
        product("ArgumentParser", "swift-argument-parser"),
      ]),
    module(
      "DaemonService",
      [
        "Optimization", "DaemonAPI", "CacheStore", "Evaluation", "Hardware", "KernelSpec",
        "RemoteTiers", "RunnerProtocol", "Support", "Trust", "CLinux",
        product("Logging", "swift-log"),
        product("ServiceLifecycle", "swift-service-lifecycle"),
        product("UnixSignals", "swift-service-lifecycle"),
        product("ArgumentParser", "swift-argument-parser"),
      ]),

    program("granary", ["Commands"]),
    program("granaryd", ["DaemonService"]),
    program("granary-runner", ["RunnerProtocol"]),
    .executableTarget(
      name: "granary-bench-server",
      dependencies: [
        "DaemonService", "CacheStore", "DaemonAPI", "Hardware", "KernelSpec", "Support",
      ],
      path: "Tests/Benchmarks/serving/Server", swiftSettings: strict),
    .executableTarget(
      name: "granary-bench-store", dependencies: ["CacheStore", "KernelSpec", "Support"],
      path: "Tests/Benchmarks/store/Program", swiftSettings: strict),
    .executableTarget(
      name: "granary-bench-search",
      dependencies: [
        "CacheStore", "Evaluation", "Hardware", "KernelSpec", "Optimization", "Support",
        "granary-runner", product("Logging", "swift-log"),
      ],
      path: "Tests/Benchmarks/search/Program", swiftSettings: strict),

    // Changes a store under faults, for the tests of these.
    .executableTarget(
      name: "granary-store-exercise", dependencies: ["CacheStore", "KernelSpec", "Support"],
      path: "Tests/StoreExercise", swiftSettings: strict),

    // What specs mean, for the comparison with PyTorch in `make conformance`.
    .executableTarget(
      name: "granary-evaluate",
      dependencies: ["CodeGeneration", "Hardware", "TensorProgram", "KernelSpec"],
      path: "Tests/Conformance/Evaluator", swiftSettings: strict),

    // Folders of tests' own, and the limit against hangs.
    module("TestSupport", ["Support"], path: "Tests/TestSupport"),
    // Files in memory that fail where a test tells them to.
    module("SimulatedFiles", ["Support"], path: "Tests/SimulatedFiles"),
    tests("SupportTests", ["TestSupport", "Support", "SimulatedFiles"]),
    tests("KernelSpecTests", ["TestSupport", "KernelSpec", "Support"]),
    tests("HardwareTests", ["TestSupport", "Hardware", "KernelSpec", "Support"]),
    // Graphs with what PyTorch computes for them.
    module("GoldenCases", ["TensorProgram", "KernelSpec"], path: "Tests/GoldenCases"),
    tests(
      "TensorProgramTests", ["TensorProgram", "GoldenCases", "KernelSpec", "Support"],
      exclude: ["Golden"]),
    tests(
      "CodeGenerationTests",
      [
        "TestSupport", "CodeGeneration", "TensorProgram", "GoldenCases", "Hardware", "KernelSpec",
        "Support", "CKernelHost",
      ], exclude: ["Golden", "Sanitized"]),
    tests("SearchTests", ["Search", "Hardware", "KernelSpec", "Support"]),
    tests(
      "EvaluationTests",
      ["Evaluation", "RunnerProtocol", "Hardware", "KernelSpec", "Support", "granary-runner"]),
    tests("KnowledgeTests", ["TestSupport", "Knowledge", "Hardware", "KernelSpec", "Support"]),
    tests(
      "CacheStoreTests",
      [
        "TestSupport", "CacheStore", "CacheSchema", "Hardware", "KernelSpec", "Support",
        "SimulatedFiles", product("GRDB", "GRDB.swift"),
      ]),
    tests(
      "RemoteTiersTests", ["TestSupport", "RemoteTiers", "KernelSpec", "Support", "SimulatedFiles"]),
    tests("TrustTests", ["TestSupport", "Trust", "KernelSpec", "Support"]),
    tests(
      "DaemonServiceTests",
      [
        "TestSupport", "DaemonService", "DaemonClient", "DaemonAPI", "Optimization", "RemoteTiers",
        "KernelSpec", "Support", product("Logging", "swift-log"),
        product("ServiceLifecycle", "swift-service-lifecycle"),
      ]),
    tests(
      "CommandsTests",
      [
        "Commands", "DaemonAPI", "KernelSpec", "Support",
        product("ArgumentParser", "swift-argument-parser"),
      ]),
    tests(
      "OptimizationTests",
      [
        "TestSupport", "Optimization", "CacheStore", "RemoteTiers", "Trust", "KernelSpec",
        "Support",
      ]),
    tests(
      "EndToEndTests",
      [
        "TestSupport", "DaemonClient", "DaemonAPI", "KernelSpec", "Support", "granary", "granaryd",
        "granary-runner", "granary-store-exercise",
      ]),
    tests("RepositoryTests", ["Support"]),
  ],
  swiftLanguageModes: [.v6]
)
