import Glibc
import TestSupport
import Testing

extension EndToEnd {
  @Suite("granary bench kernelbench") struct KernelBenchTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") {
      $0 + "/" + $1
    }
    private static let checkout = root + "/integrations/python/tests/kernelbench"
    private static let python = root + "/.build/python/bin/python"

    @Test("what is missing is named, with the exit code of its kind")
    func whatIsMissingIsNamed() throws {
      let home = try PrivateHome()
      let nowhere = try home.granary("bench", "kernelbench", "--path", "/nonexistent/kb", "--json")
      #expect(nowhere.status == 2)
      #expect(try nowhere.failure()["code"].text == "bad-request", "\(nowhere)")
      let noPython = try home.granary(
        "bench", "kernelbench", "--path", Self.checkout, "--python", "/nonexistent/python")
      #expect(noPython.status == 1)
      #expect(noPython.complaint == "granary: there is no Python at /nonexistent/python\n")
      let none = try home.granary(
        "bench", "kernelbench", "--path", Self.checkout, "--python", "/bin/false")
      #expect(none.complaint == "granary: /bin/false is no Python that runs\n")
    }

    @Test("a Python without PyTorch is refused with advice")
    func pythonWithoutPyTorch() throws {
      let home = try PrivateHome()
      let fake = home.file("python")
      let file = try #require(fopen(fake, "w"))
      fputs("#!/bin/sh\nexit 10\n", file)
      fclose(file)
      chmod(fake, 0o755)
      let result = try home.granary(
        "bench", "kernelbench", "--path", Self.checkout, "--python", fake)
      #expect(result.status == 1)
      #expect(result.complaint.contains("has no PyTorch; 'make python'"), "\(result)")
    }

    @Test(
      "problems of a checkout are run and reported as JSON",
      .enabled(if: access(python, X_OK) == 0 && hasPackage))
    func problemsAreRun() throws {
      let home = try PrivateHome()
      let result = try home.granary(
        "bench", "kernelbench", "--path", Self.checkout, "--level", "2", "--problem", "12",
        "--scale", "small", "--rounds", "3", "--no-compile", "--json", "--python", Self.python)
      #expect(result.status == 0, "\(result)")
      let report = try result.json()
      #expect(report["summary"]["pass_rate"].number == 1)
      #expect(report["problems"][0]["state"].text == "correct", "\(result)")
      #expect(report["problems"][0]["mode"].text == "training")
    }

    /// Whether `make python` has installed the package as it is now, with the runner.
    private static var hasPackage: Bool {
      let check = "import importlib.util as u; assert u.find_spec('granary.kernelbench.running')"
      let result = try? ChildProgram(python, ["-c", check], environment: [:]).finish(
        within: hangLimit)
      return result?.status == 0
    }
  }
}
