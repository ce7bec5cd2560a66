import Glibc
import TestSupport
import Testing

/// Beside the other suites: its tests are long, and half of the time in one thread.
@Suite("the Python package") struct PythonPackageTests {
  /// The interpreter that GRANARY_PYTHON names, else the one of `make python`, else the system's.
  private static let interpreter: String? = {
    let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    let named = getenv("GRANARY_PYTHON").map { String(cString: $0) }
    let places = [named, root + "/.build/python/bin/python", "/usr/bin/python3"]
    return places.compactMap { $0 }.first { access($0, X_OK) == 0 }
  }()

  @Test(
    "its own tests pass; those of NumPy and PyTorch where these are",
    .enabled(if: interpreter != nil))
  func ownTestsPass() throws {
    let home = try PrivateHome()
    let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
    let build = try ChildProgram(
      "/usr/bin/make",
      ["-C", root + "/integrations/c", "BUILD=" + home.file("c"), home.file("c/libgranary.so")],
      environment: home.environment
    ).finish(within: hangLimit)
    try #require(build.status == 0, "\(build)")
    let programs = try Binaries.path("granaryd").split(separator: "/").dropLast()
    var environment = home.environment
    environment["PATH"] =
      programs.reduce("") { $0 + "/" + $1 } + ":" + (environment["PATH"] ?? "")
    environment["GRANARY_LIBRARY"] = home.file("c/libgranary.so")
    environment["PYTHONPATH"] = root + "/integrations/python/src"
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    let result = try ChildProgram(
      try #require(Self.interpreter),
      ["-m", "unittest", "discover", "-s", root + "/integrations/python/tests"],
      environment: environment
    ).finish(within: 1800)
    #expect(result.status == 0, "\(result)")
  }
}
