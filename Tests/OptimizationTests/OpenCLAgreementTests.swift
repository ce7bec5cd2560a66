import CodeGeneration
import Evaluation
import KernelSpec
import Testing

/// Kernels rendered as OpenCL C, run on the device of this machine and judged by the reference in C.
@Suite("OpenCL agreement", .serialized, .enabled("needs an OpenCL device", DeviceBench.canRun))
struct OpenCLAgreementTests {
  @Test(
    "an OpenCL kernel computes what the reference computes",
    arguments: [
      "relu(x: f32[11,17])",
      "softmax(x: f32[33,77], dim: -1)",
      "layer_norm(x: f32[9,65], [65], w: f32[65], b: f32[65])",
      "matmul(x: f32[17,33], y: f32[33,13])",
      "conv2d(x: f32[2,3,9,11], w: f32[4,3,3,3], b: f32[4], padding: 1)",
      "max_pool2d(x: f32[2,3,9,9], 3, stride: 2, padding: 1)",
      "cumsum(x: f32[5,37], dim: 1)",
      "embedding(w: f32[19,12], i: i64[7,3])",
      "embedding(w: f32[19,12], argmax(x: f32[7,33], dim: 1))",
      "argmax(x: f32[13,29], dim: -1)",
      "add(x: bf16[7,19], y: bf16[7,19])",
      "gelu(x: f16[5,33])",
      "sum(x: f64[6,41], dim: [1])",
      "add(x: i64[5,23], y: i64[5,23])",
      "div(x: i32[4,25], y: i32[4,25], rounding_mode: floor)",
      "sum(x: f32[200000])",
      "sort(x: f32[5,37], dim: 0)",
      "topk(x: bf16[3,200], k: 7, largest: false)",
      "scatter_add(x: f32[7,9], 0, i: i64[5,9], y: f32[5,9])",
      "index_put(x: i32[6,5], [i: i64[4]], y: i32[4,5], true)",
      "nonzero(x: i8[4,9])",
      "embedding_dense_backward(g: f32[6,70], i: i64[6], 9, 2, true)",
      "randn(size: [5,33], seed: s: i64[], offset: 3)",
      "upsample_bilinear2d(x: f32[1,2,5,7], [9,4], false)",
      "permute(cat([x: f32[3,5], y: f32[4,5]], dim: 0), [1,0])",
    ])
  func agreement(text: String) async throws {
    let bench = try await DeviceBench(text)
    let source = try bench.source()
    let outcome = try await bench.judge(source)
    guard case .passed(let checks) = outcome else {
      Issue.record("\(outcome)\n\(source.text)")
      return
    }
    #expect(checks.count == DeviceBench.distributions.count)
  }

  @Test("rows that do not fit private memory are kept in the workspace")
  func longRows() async throws {
    let bench = try await DeviceBench("softmax(x: f32[3,5000], dim: -1)")
    let source = try bench.source()
    let outcome = try await bench.judge(source)
    guard case .passed = outcome else {
      Issue.record("\(outcome)\n\(source.text)")
      return
    }
    #expect(source.interface.workspaceBytes >= 5000 * 4)
  }

  @Test("an index outside its table reads the nearest row")
  func clampedIndices() async throws {
    let bench = try await DeviceBench("embedding(w: f32[3,2], i: i64[4])")
    let rows: [Float] = [1, 2, 3, 4, 5, 6]
    let positions: [Int64] = [1, -7, 3, .max]
    let result = try await bench.run(
      try bench.source(),
      inputs: [
        rows.withUnsafeBytes { Array($0) }, positions.withUnsafeBytes { Array($0) },
      ])
    let expected: [Float] = [3, 4, 1, 2, 5, 6, 5, 6]
    #expect(result == [expected.withUnsafeBytes { Array($0) }])
  }
}
