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
      ).finish(within: 300)
      try #require(built.status == 0, "\(built)")
      return home.file("c")
    }

    private func run(_ program: String, _ arguments: String..., in home: PrivateHome) throws
      -> ProgramResult
    {
      try ChildProgram(program, arguments, environment: home.environment).finish(within: 300)
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
  }
}
