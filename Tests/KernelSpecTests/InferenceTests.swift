import KernelSpec
import Testing

@Suite struct InferenceTests {
  @Test(
    "result types are those of PyTorch",
    arguments: [
      ("add(x: f32[4,1], y: f32[3])", "f32[4,3]"), ("add(x: i32[4], 1)", "i32[4]"),
      ("add(x: i32[4], 1.5)", "f32[4]"), ("add(x: bool[4], 1)", "i64[4]"),
      ("add(x: bool[4], true)", "bool[4]"), ("add(x: f16[4], y: f32[])", "f16[4]"),
      ("add(x: f16[4], y: bf16[4])", "f32[4]"), ("add(x: i32[4], y: f64[])", "f64[4]"),
      ("add(x: u8[4], y: i8[4])", "i16[4]"), ("add(x: i32[4], y: i64[])", "i32[4]"),
      ("mul(x: f32[4], y: f64[4])", "f64[4]"), ("div(x: i64[4], 2)", "f32[4]"),
      ("div(x: i64[4], 2, rounding_mode: \"floor\")", "i64[4]"), ("exp(x: i32[4])", "f32[4]"),
      ("sqrt(x: bf16[4])", "bf16[4]"), ("eq(x: f32[4], 0)", "bool[4]"),
      ("logical_not(x: f32[4])", "bool[4]"), ("pow(x: i32[4], 2)", "i32[4]"),
      ("pow(2.0, x: i64[4])", "f32[4]"), ("clamp(x: i32[4], min: 0.5)", "f32[4]"),
      ("sum(x: i8[4,5])", "i64[]"), ("sum(x: bool[4,5], dim: 0)", "i64[5]"),
      ("sum(x: f16[4,5], dim: [0,-1], keepdim: true)", "f16[1,1]"),
      ("mean(x: f32[4,5], dim: -1)", "f32[4]"), ("argmax(x: f32[4,5])", "i64[]"),
      ("argmin(x: f32[4,5], dim: 0, keepdim: true)", "i64[1,5]"),
      ("any(x: u8[4])", "u8[]"), ("var(x: f32[4,5], dim: 1)", "f32[4]"),
      ("prod(x: i32[4])", "i64[]"), ("cumsum(x: bool[4], 0)", "i64[4]"),
      ("mm(x: f32[2,3], y: f32[3,4])", "f32[2,4]"), ("matmul(x: f32[3], y: f32[3])", "f32[]"),
      ("matmul(x: f32[5,1,2,3], y: f32[4,3,6])", "f32[5,4,2,6]"),
      ("matmul(x: f32[3], y: f32[2,3,4])", "f32[2,4]"),
      ("linear(x: f32[2,5,3], w: f32[4,3])", "f32[2,5,4]"),
      ("conv2d(x: f32[1,3,224,224], w: f32[64,3,7,7], stride: 2, padding: 3)", "f32[1,64,112,112]"),
      ("conv2d(x: f32[1,4,9,9], w: f32[4,1,3,3], dilation: 2, groups: 4)", "f32[1,4,5,5]"),
      (
        "conv_transpose2d(x: f32[1,4,8,8], w: f32[4,3,4,4], stride: 2, padding: 1)",
        "f32[1,3,16,16]"
      ),
      (
        "conv_transpose1d(x: f32[1,4,8], w: f32[4,3,3], stride: 2, output_padding: 1)",
        "f32[1,3,18]"
      ),
      ("max_pool2d(x: f32[1,3,7,7], 2, ceil_mode: true)", "f32[1,3,4,4]"),
      ("max_pool2d(x: f32[1,3,7,7], 2)", "f32[1,3,3,3]"),
      ("max_pool1d(x: f32[3,8], 3, 2, 1)", "f32[3,4]"),
      ("avg_pool3d(x: f32[1,3,8,8,8], 2)", "f32[1,3,4,4,4]"),
      ("view(x: f32[4,6], [2,-1])", "f32[2,12]"), ("expand(x: f32[3,1], [2,-1,4])", "f32[2,3,4]"),
      ("slice(x: f32[10], 0, 1, 9223372036854775807, 3)", "f32[3]"),
      ("slice(x: f32[10], 0, -3)", "f32[3]"), ("select(x: f32[4,5], 1, -1)", "f32[4]"),
      ("squeeze(x: f32[1,4,1])", "f32[4]"), ("unsqueeze(x: f32[4], -1)", "f32[4,1]"),
      ("transpose(x: f32[2,3,4], 0, -1)", "f32[4,3,2]"), ("t(x: f32[2,3])", "f32[3,2]"),
      ("unfold(x: f32[2,10], 1, 4, 3)", "f32[2,3,4]"), ("repeat(x: f32[2], [3,2])", "f32[3,4]"),
      ("constant_pad_nd(x: f32[2,3], [1,2,-1,0])", "f32[1,6]"),
      ("stack(x: f32[2], y: f32[2], dim: 1)", "f32[2,2]"), ("cat(x: i32[2], y: f16[3])", "f16[5]"),
      ("full([2], 1)", "i64[2]"), ("full([], true)", "bool[]"), ("arange(1, 10, 4)", "i64[3]"),
      ("arange(0, 1, 0.3)", "f32[4]"), ("_to_copy(x: f32[2], dtype: bf16)", "bf16[2]"),
      ("softmax(x: i32[2,3], 1, dtype: f32)", "f32[2,3]"),
      ("flatten(x: f32[2,3,4], 1)", "f32[2,12]"),
      ("where(c: bool[3,1], x: f16[4], 1.0)", "f16[3,4]"),
    ])
  func types(text: String, expected: String) throws {
    let spec = try Spec.parse(text).checked()
    #expect(spec.outputs.map { spec.type(of: $0).description } == [expected])
  }

  @Test(
    "operands that do not fit are refused",
    arguments: [
      "add(x: f32[4], y: f32[3])", "mm(x: f32[2,3], y: f32[2,3])", "neg(x: bool[4])",
      "sub(x: bool[4], y: bool[4])", "mean(x: i32[4])", "gelu(x: i32[4])",
      "bitwise_and(x: f32[4], 1)", "mm(x: f32[2,3], y: f64[3,4])", "softmax(x: f32[4], dim: 1)",
      "max(x: f32[0,4], dim: 0)", "view(x: f32[4], [3])", "permute(x: f32[2,3], [0,0])",
      "conv2d(x: f32[1,3,8,8], w: f32[4,2,3,3])", "conv2d(x: f32[1,3,2,2], w: f32[4,3,3,3])",
      "max_pool2d(x: f32[1,3,8,8], 2, padding: 2)", "clamp(x: f32[4])", "add(1, 2)",
      "where(c: f32[4], x: f32[4], y: f32[4])", "embedding(w: f32[4,4], i: f32[2])",
      "expand(x: f32[3], [4])", "select(x: f32[4], 0, 4)", "split_with_sizes(x: f32[4], [1,2])",
      "add(x: i32[4], y: i32[4], alpha: 0.5)", "pow(x: i32[4], -1)", "slice(x: f32[4], step: 0)",
      "scaled_dot_product_attention(q: f32[2,4], k: f32[2,5], v: f32[2,4])",
      "arange(0, 10, 0)", "full([99999999,99999999], 0)", "batch_norm(x: f32[2,3])",
    ])
  func refused(text: String) {
    #expect(specError(of: text) != nil)
  }

  @Test("every entry of the table has a schema that parses, and no two share a name")
  func table() {
    let names = OperatorTable.names
    #expect(Set(names).count == names.count)
    #expect(names.count > 180)
    for name in names { #expect(OperatorTable.find(name)?.schema.fullName == name) }
  }
}
