import Glibc
import TestSupport
import Testing

extension EndToEnd {
  @Suite("the Swift package") struct SwiftPackageTests {
    private let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    /// Runs a program with the signals as a shell leaves them, for the package manager waits for its children.
    private func run(_ program: String, _ arguments: String..., in home: PrivateHome) throws
      -> ProgramResult
    {
      try ChildProgram(
        "/usr/bin/env", ["--default-signal", program] + arguments, environment: home.environment
      ).finish(within: hangLimit)
    }

    @Test("a spec in a target becomes a function that runs with a daemon and without")
    func example() throws {
      let home = try PrivateHome()
      home.environment["GRANARY_PROGRAM"] = try Binaries.path("granary")
      // A copy, for the lock file is written into the package.
      let package = home.file("swiftpm")
      let copied = try run("cp", "-RL", "\(root)/integrations/swiftpm", package, in: home)
      try #require(copied.status == 0, "\(copied)")
      let build = home.file("build"), example = package + "/example"
      let built = try run(
        "swift", "build", "--package-path", example, "--scratch-path", build, in: home)
      try #require(built.status == 0, "\(built)")
      let rows = build + "/debug/rows"

      let without = try run(rows, in: home)
      #expect(without.status == 0 && without.description.contains("the first row sums to 1.0"))
      #expect(without.description.contains("its largest element is 9.0 at 36"), "\(without)")
      #expect(without.complaint.contains("granary: no kernel"), "\(without)")

      let daemon = try home.daemon()
      let warmed = try run(
        "swift", "package", "--package-path", example, "--scratch-path", build,
        "--allow-writing-to-package-directory", "granary-prewarm", in: home)
      #expect(warmed.status == 0, "\(warmed)")
      #expect(access(example + "/granary.lock", F_OK) == 0)
      let with = try run(rows, in: home)
      #expect(with.output == without.output && with.complaint.isEmpty, "\(with)")
      _ = try daemon.stop()
    }
  }
}
