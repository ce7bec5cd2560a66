import TestSupport
import Testing

extension EndToEnd {
  /// The short form of `make bench-store`: that it does all it says, not how fast.
  @Suite("Scale") struct ScaleTests {
    @Test("the benchmark of the store goes on where it was ended, and measures what it collects")
    func bench() throws {
      let home = try PrivateHome()
      let program = try Binaries.path("granary-bench-store")
      func run(_ arguments: String...) throws -> ProgramResult {
        try ChildProgram(program, arguments, environment: home.environment)
          .finish(within: hangLimit)
      }
      let (small, large) = (home.file("small"), home.file("large"))
      #expect(try run("fill", small, "1000", "0").status == 75)
      #expect(try run("fill", small, "1000").status == 0)
      #expect(try run("fill", large, "300").status == 0)
      #expect(try run("fill", large, "400").status == 0)
      let measured = try run("measure", small, large, "400", "100")
      let text = String(decoding: measured.output, as: UTF8.self)
      #expect(text.contains("holds  collection of 100 entries"), "\(measured)")
      #expect(text.contains("index after it"), "\(measured)")
      #expect(!text.contains("failed"), "\(measured)")
    }
  }
}
