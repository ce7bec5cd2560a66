// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "granary-swift",
  products: [
    .library(name: "Granary", targets: ["Granary"]),
    .plugin(name: "GranaryKernels", targets: ["GranaryKernels"]),
    .plugin(name: "GranaryPrewarm", targets: ["GranaryPrewarm"]),
  ],
  targets: [
    // The C library, by links to its sources.
    .target(
      name: "CGranary", cSettings: [.headerSearchPath("host"), .define("_GNU_SOURCE")],
      linkerSettings: [.linkedLibrary("dl"), .linkedLibrary("pthread")]),
    .target(name: "Granary", dependencies: ["CGranary"]),
    .plugin(name: "GranaryKernels", capability: .buildTool()),
    .plugin(
      name: "GranaryPrewarm",
      capability: .command(
        intent: .custom(
          verb: "granary-prewarm",
          description: "Have the daemon make the kernels of this package, and write granary.lock."),
        permissions: [
          .writeToPackageDirectory(reason: "to write granary.lock")
        ])),
  ],
  cLanguageStandard: .gnu11
)
