import FoundationEssentials
import KernelSpec
import TensorProgram
import Testing

@Suite("Operators of recommendation models")
struct RecommendationTests {
  private static let specs: [String] = {
    let tests = "\(#filePath)".split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 }
    let file = URL(filePath: tests + "/Benchmarks/kernels/recommendation.txt")
    let text = (try? Data(contentsOf: file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
  }()

  @Test("every one lowers and fuses at the shapes of real models", arguments: specs)
  func realShapes(_ text: String) throws {
    let program = try TensorProgram(lowering: try Spec.parse(text).checked())
    #expect(!program.fused().kernels.isEmpty)
  }

  @Test("the collection names every operator of FBGEMM and of Granary")
  func completeness() {
    // A part of the losses, which use it.
    let own = OperatorTable.names.filter {
      !$0.hasPrefix("aten.") && $0 != "granary.class_position.default"
    }
    #expect(!own.isEmpty)
    for name in own {
      let base = name.split(separator: ".").dropLast().joined(separator: ".")
      #expect(Self.specs.contains { $0.hasPrefix(base + "(") }, "\(name)")
    }
  }

  @Test("an operator and its composition written out have one canonical form")
  func composition() throws {
    let own = try Spec.parse("granary.fm_interaction(x: f32[4,5,6], y: f32[4,5,7])").checked()
    let written = try Spec.parse(
      "x: f32[4,5,6]; y: f32[4,5,7]; matmul(x, matmul(permute(x, [0,2,1]), y))"
    ).checked()
    #expect(own.canonicalText == written.canonicalText)
  }

  @Test(
    "what does not fit is refused",
    arguments: [
      "fbgemm.jagged_softmax(v: f32[9,2], o: i64[3], max_L: 0)",
      "fbgemm.jagged_softmax(v: f32[9], o: i64[3], max_L: 4)",
      "fbgemm.jagged_softmax(v: f32[9,2], o: i32[3], max_L: 4)",
      "fbgemm.jagged_dense_bmm(v: f32[9,2], o: i64[3], y: f32[3,2,4], max_L: 4)",
      "fbgemm.jagged_jagged_bmm(v: f32[9,2], w: f32[8,2], o: i64[3], max_L: 4)",
      "granary.fm_interaction(x: f32[4,5], y: f32[4,5])",
      "granary.map_id(i: i64[4], k: i32[3], v: i64[3])",
      "granary.map_id(i: i64[4], k: i64[3], v: i64[2])",
      "granary.map_id(i: i64[4], k: i64[3], v: i64[3], default: 0.5)",
      "granary.merge_bucketize_dense([a: f32[4,2]], e: f32[3,5])",
      "granary.batch_event_truncate(v: f32[9], o: i64[1], max_length: 3)",
      "granary.batch_event_truncate(v: f32[9], o: i64[3], max_length: 0)",
    ])
  func refusals(_ text: String) {
    #expect(throws: SpecError.self) { try Spec.parse(text).checked() }
  }
}
