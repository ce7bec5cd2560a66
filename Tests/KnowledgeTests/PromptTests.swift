import Hardware
import Knowledge
import KernelSpec
import Testing

@Suite struct PromptTests {
  private func context(
    source: String = "int x;", outcome: CandidateOutcome = .compileFailed(log: "line 3: no")
  ) throws -> PromptContext {
    let parameters = Dictionary(uniqueKeysWithValues: (0..<20).map { ("p\($0)", $0) })
    let schedule = Schedule(kernels: [KernelSchedule(sketch: "packed", parameters: parameters)])
    let history = (0..<40).map { id in
      CandidateRecord(
        id: id, parents: [], proposer: "draft", schedule: schedule,
        outcome: .measured(artifact: Digest(of: []), fitness: id == 5 ? 9 : 1, nanoseconds: 10),
        island: 0)
    }
    return PromptContext(
      spec: "matmul(a: f32[8,8], b: f32[8,8])", hardware: KnowledgeBaseTests.zen5,
      parent: PromptContext.Parent(
        schedule: schedule,
        source: KernelSource(
          language: .c, text: source, compilerOptions: [],
          interface: KernelInterface(
            entryPoint: "k", inputs: [], outputs: [], inputDomains: [], workspaceBytes: 0,
            alignmentBytes: 64)), outcome: outcome),
      diagnosis: Diagnosis(
        work: Work(floatingPointOperations: 1e9, bytes: 1e6), dtype: .f32, measuredSeconds: 4e-3,
        ceilings: KnowledgeBaseTests.ceilings),
      history: history, documents: try KnowledgeBase.builtIn().documents,
      space: ScheduleSpace(kernels: [
        KernelSpace(
          name: "contraction 8x8x8",
          sketches: [
            SketchSpace(sketch: "packed", parameters: [ParameterDomain("p0", [1, 2], default: 1)])
          ])
      ]))
  }

  @Test("equal contexts give equal prompts, with everything that was retrieved")
  func complete() throws {
    let text = PromptSynthesis().text(for: try context())
    #expect(text == PromptSynthesis().text(for: try context()))
    for part in [
      "matmul(a: f32[8,8], b: f32[8,8])", "int x;", "did not compile: line 3: no", "Zen 5",
      "Bound by compute; 50 %", "p0: [1, 2]", "Register tiles", "\n5 packed(", "\n39 packed(",
      "One JSON object",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(!text.contains("\n20 packed("))
  }

  @Test("long sources and logs are cut, and marked")
  func cut() throws {
    let long = String(repeating: "a", count: 5000)
    let text = PromptSynthesis(sectionLimit: 500).text(
      for: try context(source: long, outcome: .compileFailed(log: long)))
    #expect(!text.contains(String(repeating: "a", count: 501)))
    #expect(text.contains("[cut]"))
  }
}
