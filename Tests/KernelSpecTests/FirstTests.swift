import KernelSpec
import Testing

@Test("a text spec checks") func text() throws {
  let spec = try Spec.parse("gelu(linear(x: f32[256,1024], w: f32[1024,1024], b: f32[1024]))")
  print(try spec.checked().canonicalText)
}
