/// Specs of the kinds that models are made of.
enum Samples {
  static let specs = [
    "softmax(x: f32[333,777], dim: -1)", "relu(x: f32[11,17])", "add(x: f32[4], 1.0)",
    "gelu(linear(x: f32[256,1024], w: f32[1024,1024], b: f32[1024]))",
    "mul(x: f32[8,8], sigmoid(x))", "sub(1, x: f32[3])",
    "layer_norm(x: f32[2,3,4], [4], w: f32[4], b: f32[4])",
    "layer_norm(x: f32[2,3,4], w: f32[4], normalized_shape: 4)",
    "group_norm(x: f32[2,6,4,4], 3, w: f32[6], b: f32[6])",
    "batch_norm(x: f32[2,6,4], w: f32[6], b: f32[6], m: f32[6], v: f32[6])",
    "rms_norm(x: f16[2,8], [8], w: f16[8], eps: 1e-6)",
    "conv1d(x: f32[1,4,16], w: f32[8,4,3], padding: 1)",
    "relu(conv2d(x: f32[1,4,16,16], w: f32[8,2,3,3], b: f32[8], stride: 2, padding: 1, groups: 2))",
    "conv3d(x: f32[1,2,6,6,6], w: f32[4,2,3,3,3])",
    "conv_transpose2d(x: f32[1,4,8,8], w: f32[4,3,4,4], stride: 2, padding: 1)",
    "max_pool1d(x: f32[2,3,9], 3, 2)", "max_pool2d(x: f32[2,3,8,8], 3, stride: 2, padding: 1)",
    "avg_pool2d(x: f32[2,3,8,8], [2,2])", "adaptive_avg_pool2d(x: f32[1,3,7,7], 1)",
    "scaled_dot_product_attention(q: f32[1,2,5,8], k: f32[1,2,7,8], v: f32[1,2,7,8])",
    "embedding(w: f32[100,16], i: i64[2,3])", "index_select(x: f32[4,5], 1, i: i64[3])",
    "gather(x: f32[4,5], 0, i: i64[2,5])", "cat(x: f32[2,3], y: f32[4,3])",
    "cat([x: f32[2,3], y: f32[2,4]], dim: -1)", "where(c: bool[4], x: f32[4], 0.0)",
    "(max(x: f32[4,5], dim: 1), max(x, dim: 1)#1)", "any(isnan(x: f32[4]))",
    "split_with_sizes(x: f32[6,2], [1,2,3])#2", "full([2,3], nan)", "arange(10)",
    "x: f32[4]; unused: f32[5]; relu(x)", "x: f32[4]",
    "h = exp(x: f32[4]); div(h, sum(h)) with rtol: 1e-3, atol: 0",
    """
    {"granary_spec":1,"name":"block/1","variant":"small",
     "inputs":[{"name":"x","type":"f32[4,8]{1,4}"},{"name":"p.weight","type":"f32[8]"}],
     "nodes":[
       {"id":"n","op":"aten.native_layer_norm.default","args":{"input":"%x","normalized_shape":[8],
        "weight":"%p.weight","bias":null,"eps":1e-05}},
       {"id":"m","op":"aten.max.dim","args":{"self":"%n#0","dim":1,"keepdim":true}},
       {"id":"e","op":"aten.eq.Scalar","args":{"self":"%m#0","other":"-inf"}},
       {"id":"s","op":"aten.scalar_tensor.default","args":{"s":"nan","dtype":"f32"}},
       {"id":"w","op":"aten.where.self","args":{"condition":"%e","self":"%s","other":"%n"}},
       {"id":"c","op":"aten.clone.default","args":{"self":"%w"}}],
     "outputs":["%c","%m#1"]}
    """,
  ]
}
