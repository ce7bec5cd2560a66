import FoundationEssentials
import TestSupport
import Testing

extension EndToEnd {
  @Suite("CI") struct ContinuousIntegrationTests {
    private let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }

    /// The shell steps of a file: what follows `run:`, or what a list below `before_script:` holds.
    private func steps(of file: String, after marker: String) throws -> [String] {
      let text = try contents(of: "\(root)/integrations/ci/\(file)")
      return text.split(separator: "\n").compactMap { line in
        let line = line.drop { $0 == " " }
        guard line.hasPrefix(marker) else { return nil }
        let step = line.dropFirst(marker.count).drop { $0 == " " }
        return String(step.hasPrefix("'") ? step.dropFirst().dropLast() : step)
      }
    }

    private func contents(of path: String) throws -> String {
      String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }

    private func write(_ text: String, to path: String) throws {
      try Data(text.utf8).write(to: URL(filePath: path))
    }

    private func run(_ step: String, _ variables: [String: String], in home: PrivateHome) throws
      -> ProgramResult
    {
      let programs = try Binaries.path("granaryd").split(separator: "/").dropLast()
      var environment = home.environment
      environment["PATH"] =
        programs.reduce("") { $0 + "/" + $1 } + ":" + (environment["PATH"] ?? "")
      environment.merge(variables) { $1 }
      return try ChildProgram(
        "/usr/bin/env", ["--default-signal", "-C", root, "bash", "-c", step],
        environment: environment
      ).finish(within: hangLimit)
    }

    @Test("the steps prewarm, write the lock file once, and hold later runs to it")
    func steps() throws {
      let home = try PrivateHome()
      let specs = home.file("model.jsonl"), lock = home.file("granary.lock")
      try write("relu(x: f32[64])\nexp(x: f32[64])\n", to: specs)
      let github = try steps(of: "action.yml", after: "run:")
      let gitlab = try steps(of: "gitlab.yml", after: "- integrations").map { "integrations" + $0 }
      #expect(github.count == 2 && gitlab.count == 1)
      let variables = [
        "ACTION": root + "/integrations/ci", "SPECS": specs, "LOCK": lock,
        "GRANARY_SPECS": specs, "GRANARY_LOCK": lock, "CACHE": home.path,
        "GITHUB_ENV": home.file("env"),
      ]
      for step in github + gitlab {
        let result = try run(step, variables, in: home)
        #expect(result.status == 0, "\(result)")
      }
      let kept = try contents(of: home.file("env"))
      #expect(kept == "GRANARY_HOME=\(home.path)\n")
      let written = try contents(of: lock)
      // Another key than any that is stored: the lock cannot be served any more.
      let changed = written.replacing(
        try Regex("\"key\" ?: ?\"[0-9a-f]{4}"), with: { _ in "\"key\": \"0000" })
      #expect(changed != written)
      try write(changed, to: lock)
      #expect(try run(gitlab[0], variables, in: home).status != 0)
    }
  }
}
