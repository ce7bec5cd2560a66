import KernelSpec
import TensorProgram
import Testing

@Suite struct FusionTests {
  @Test(
    "a batch of one is fused as any batch is",
    arguments: [
      "relu(conv2d(x: f32[N,8,20,20], w: f32[8,8,3,3], b: f32[8], padding: [1,1]))",
      "gelu(linear(x: f32[N,64,96], w: f32[48,96], b: f32[48]))",
      "layer_norm(x: f32[N,64,96], normalized_shape: [96], weight: f32[96], bias: f32[96])",
      "softmax(x: f32[N,4,64,96], dim: -1)", "avg_pool2d(x: f32[N,8,40,40], kernel_size: [2,2])",
      "log_softmax(matmul(x: f32[N,64,96], y: f32[96,32]), dim: -1)",
    ])
  func batchOfOne(_ text: String) throws {
    let fused = try ["1", "4"].map { count in
      let spec = try Spec.parse(text.replacing("N", with: count)).checked()
      return try TensorProgram(lowering: spec).fused()
    }
    #expect(fused[0].kernels.count == fused[1].kernels.count)
    let stages = fused.map { $0.kernels.map(\.stages.count) }
    #expect(stages[0] == stages[1])
    let outer = fused.map { $0.kernels.map { $0.outer.filter { $0.extent != 1 }.count } }
    #expect(zip(outer[0], outer[1]).allSatisfy { $0 == $1 || $0 + 1 == $1 })
  }

  @Test("a batch norm is computed where the convolution before it stores, its deviations before")
  func deviationsComeFirst() throws {
    let spec = try Spec.parse(
      "_native_batch_norm_legit_no_training(convolution(x: f32[1,16,8,8], w: f32[32,16,1,1], "
        + "bias: None, stride: [1,1], padding: [0,0], dilation: [1,1], transposed: false, "
        + "output_padding: [0,0], groups: 1), weight: f32[32], bias: f32[32], "
        + "running_mean: f32[32], running_var: f32[32], momentum: 0.1, eps: 1e-5)"
    ).checked()
    let kernels = try TensorProgram(lowering: spec).fused().kernels
    #expect(kernels.map(\.stages.count) == [1, 2])
    #expect(kernels.last?.stages.first?.isContraction == true)
  }

  @Test(
    "rows that are looked up are stored before a product of matrices, and read where they are by a sum of rows"
  )
  func lookedUpRows() throws {
    for (text, kernels) in [
      ("linear(embedding(t: f32[90,16], i: i64[4,7]), w: f32[24,16])", 2),
      ("sum(embedding(t: f32[90,16], i: i64[4,7]), dim: [1])", 1),
    ] {
      let fused = try TensorProgram(lowering: Spec.parse(text).checked()).fused()
      #expect(fused.kernels.count == kernels, "\(text)")
    }
  }
}
