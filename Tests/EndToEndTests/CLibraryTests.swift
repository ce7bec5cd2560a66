import Glibc
import TestSupport
import Testing

extension EndToEnd {
  @Suite("the C library") struct CLibraryTests {
    /// Builds integrations/c into the home's folder and returns where its programs are.
    private func build(in home: PrivateHome) throws -> String {
      let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
      let built = try ChildProgram(
        "/usr/bin/make",
        ["-C", root + "/integrations/c", "BUILD=" + home.file("c"), "CFLAGS=-O1 -g"],
        environment: home.environment
      ).finish(within: hangLimit)
      try #require(built.status == 0, "\(built)")
      return home.file("c")
    }

    private func run(_ program: String, _ arguments: String..., in home: PrivateHome) throws
      -> ProgramResult
    {
      try ChildProgram(program, arguments, environment: home.environment).finish(within: hangLimit)
    }

    @Test("kernels are kept, shared by threads, inherited by children and outlive the daemon")
    func promisesHold() throws {
      let home = try PrivateHome()
      let programs = try build(in: home)
      let daemon = try home.daemon()
      let with = try run(
        programs + "/trial", "with", "\(daemon.processIdentifier)", in: home)
      #expect(with.status == 0, "\(with)")
      // Its own daemon is gone; a peer that misbehaves needs none.
      let alone = try run(programs + "/trial", "alone", in: home)
      #expect(alone.status == 0, "\(alone)")
    }

    @Test("the examples give the same with a daemon and without")
    func examplesRun() throws {
      let home = try PrivateHome()
      let programs = try build(in: home)
      for example in ["softmax", "rows"] {
        let without = try run("\(programs)/\(example)", in: home)
        #expect(without.status == 0 && without.complaint.contains("no kernel"), "\(without)")
        let daemon = try home.daemon()
        let with = try run("\(programs)/\(example)", in: home)
        #expect(with.status == 0 && with.complaint.isEmpty, "\(with)")
        #expect(with.output == without.output)
        _ = try daemon.stop()
      }
    }

    @Test(
      "what the daemon served is found without it unless damaged or removed; its use is told later")
    func publishedKernels() throws {
      let home = try PrivateHome()
      let programs = try build(in: home)
      let published = home.path + "/published"
      for round in 0..<2 {
        let daemon = try home.daemon()
        if round == 1 {
          // The use of the first round, by a process that asked no daemon.
          #expect(
            try eventually(within: hangLimit) { try home.statistics()["hits"].number ?? 0 > 0 })
        }
        let fill = try run(programs + "/trial", "fill", in: home)
        #expect(fill.status == 0, "\(fill)")
        _ = try daemon.stop()
        let alone = try run(programs + "/trial", "published", published, in: home)
        #expect(alone.status == 0, "round \(round): \(alone)")
      }
      let daemon = try home.daemon()
      let key = try #require(try home.granary("ls", "--json").json()[0]["key"].text)
      #expect(try home.granary("rm", key).status == 0)
      #expect(access("\(published)/kernels/\(key)", F_OK) != 0)
      _ = try daemon.stop()
      #expect(try run(programs + "/trial", "fill", in: home).status != 0)
    }

    private static func program(_ name: String) -> String? {
      let folders = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
      return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    @Test(
      "a CMake project gets kernels as functions, with Make and Ninja, with a daemon and without",
      .enabled(if: program("cmake") != nil))
    func cmakePackage() throws {
      let home = try PrivateHome()
      let root = #filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 }
      let prefix = home.file("prefix")
      let example = home.file("example")
      let copied = try run("/bin/cp", "-r", root + "/integrations/cmake/example", example, in: home)
      let installed = try run(
        "/usr/bin/make", "-C", root + "/integrations/c", "BUILD=" + home.file("c"),
        "PREFIX=" + prefix, "install", in: home)
      try #require(copied.status == 0 && installed.status == 0, "\(installed)")
      let cmake = try #require(Self.program("cmake"))
      let ninja = Self.program("ninja").map { _ in "Ninja" }
      for generator in [ninja, "Unix Makefiles"].compactMap({ $0 }) {
        let build = home.file(generator)
        // CMake waits for SIGCHLD, which the threads of a test block for their children.
        let env = "/usr/bin/env"
        let made = try run(
          env, "--default-signal", cmake, "-S", example, "-B", build, "-G", generator,
          "-DCMAKE_PREFIX_PATH=" + prefix,
          "-DGRANARY_PROGRAM=" + Binaries.path("granary"), in: home)
        #expect(made.status == 0, "\(made)")
        let built = try run(env, "--default-signal", cmake, "--build", build, in: home)
        #expect(built.status == 0, "\(built)")
        #expect(
          try run(build + "/rows", in: home).description.contains("1.0000, by the plain loop"))
        for program in ["/exported", "/alone"] {
          #expect(try run(build + program, in: home).description.contains("sums to 1.0000"))
        }
        let daemon = try home.daemon()
        let warmed = try run(
          env, "--default-signal", cmake, "--build", build, "--target", "prewarm", in: home)
        #expect(warmed.status == 0 && access(example + "/granary.lock", F_OK) == 0, "\(warmed)")
        #expect(try run(build + "/rows", in: home).description.contains("1.0000, by a kernel"))
        // What was exported anew is built in, and refused once the spec is another.
        let rebuilt = try run(env, "--default-signal", cmake, "--build", build, in: home)
        #expect(rebuilt.status == 0, "\(rebuilt)")
        #expect(try run(build + "/alone", in: home).description.contains("sums to 1.0000"))
        _ = try daemon.stop()
        let spec = example + "/softmax.json"
        _ = try run("/bin/sh", "-c", "cp '\(spec)' '\(spec).kept'; echo >> '\(spec)'", in: home)
        let refused = try run(env, "--default-signal", cmake, "--build", build, in: home)
        #expect(refused.status != 0 && refused.description.contains("granary export-source"))
        _ = try run("/bin/mv", spec + ".kept", spec, in: home)
        // Later rounds begin without what this one has published.
        _ = try run("/bin/rm", "-rf", home.path + "/published", in: home)
      }
    }
  }
}
