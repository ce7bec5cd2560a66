// swift-tools-version:6.1
import PackageDescription

let package = Package(
  name: "rows",
  dependencies: [.package(name: "granary-swift", path: "..")],
  targets: [
    .executableTarget(
      name: "rows",
      dependencies: [.product(name: "Granary", package: "granary-swift")],
      path: "Sources/Rows",
      plugins: [.plugin(name: "GranaryKernels", package: "granary-swift")])
  ]
)
