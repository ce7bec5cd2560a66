import CKernelHost
import CodeGeneration
import Glibc
import KernelSpec
import Support
import TensorProgram
import Testing

/// A kernel that is compiled once and called often.
private final class CompiledSource {
  private let folder = BuildFolder()
  private let source: KernelSource
  private let library: UnsafeMutableRawPointer
  private let symbol: UnsafeMutableRawPointer

  init(_ source: KernelSource, compiler: String) throws {
    self.source = source
    let object = try folder.compile(source, compiler, ["-nostdlib", "-Wl,--no-undefined"])
    guard let library = dlopen(object, RTLD_NOW) else {
      throw HarnessError(description: String(cString: dlerror()))
    }
    self.library = library
    guard let symbol = dlsym(library, source.interface.entryPoint) else {
      throw HarnessError(description: "no entry")
    }
    self.symbol = symbol
  }

  deinit { dlclose(library) }

  func run(_ inputs: [Bytes]) -> (status: Int32, outputs: [Bytes]) {
    typealias Entry =
      @convention(c) (
        UnsafePointer<UnsafeRawPointer?>?, UnsafePointer<UnsafeMutableRawPointer?>?,
        UnsafeMutableRawPointer?, UnsafePointer<granary_context>?
      ) -> Int32
    return call(unsafeBitCast(symbol, to: Entry.self), source.interface, inputs, 2)
  }
}

private struct Generated {
  var family: SpecFamily
  var source: KernelSource
  var definitions: Int
  let generator = CodeGenerator(hardware: testHardware, language: .c)

  init(_ text: String, leavingOut: ([Int]) -> Bool = { _ in false }) throws {
    family = try SpecFamily(checking: .parse(text))
    var builder = FamilyBuilder(generator: generator, symbols: family.symbols)
    let largest = try Self.fused(family, family.symbols.map(\.upper))
    let schedule = generator.space(for: largest).defaultSchedule
    for sizes in family.combinations where !leavingOut(sizes) {
      try builder.add(sizes, Self.fused(family, sizes), preferring: [schedule])
    }
    definitions = builder.definitionCount
    source = try builder.source(
      .init(
        symbols: family.symbols, places: family.places, inputs: family.inputs.map(\.type),
        outputs: family.outputs))
  }

  static func fused(_ family: SpecFamily, _ sizes: [Int]) throws -> FusedProgram {
    try TensorProgram(lowering: family.instance(at: sizes)).fused()
  }

  static func bytes(_ sizes: [Int]) -> Bytes { Bytes(sizes.map(Int64.init)) }
}

@Suite("Sources of families") struct FamilySourceTests {
  private static let cases: [(text: String, definitions: Int)] = [
    ("n in 1...80; relu(add(x: f32[n], y: f32[n]))", 8),
    ("n in 2...60; softmax(x: f32[n,77], dim: -1)", 8),
    ("n in 2...100; softmax(x: f32[5,n], dim: -1)", 40),
    ("n in 2...40; layer_norm(x: f32[n,96], [96], w: f32[96], b: f32[96])", 10),
    ("n in 1...40; gelu(linear(x: f32[n,48], w: f32[40,48], b: f32[40]))", 60),
    ("k in 8...72 by 8; linear(x: f32[7,k], w: f32[33,k])", 40),
    ("n in 1...9; conv2d(x: f32[n,4,10,10], w: f32[8,4,3,3], padding: 1)", 20),
    (
      "s in 2...20; scaled_dot_product_attention(q: f32[2,3,s,16], k: f32[2,3,s,16], v: f32[2,3,s,16])",
      400
    ),
    ("b in 1...6; s in 2...12; gelu(view(x: f32[b,s,3,4], [b*s,12]))", 20),
    ("n in 2...60; mean(x: f32[n,3], [0])", 40),
    ("n in 2...60; cumsum(x: f32[n,5], 0)", 20),
    ("n in 3...30; embedding(w: f32[n,8], i: i64[n,2])", 10),
    ("n in 1...40; cast = _to_copy(x: f32[n,9], dtype: bf16); mul(cast, cast)", 10),
  ]

  @Test("one source computes what the source of each instance computes", arguments: cases.indices)
  func agreement(position: Int) throws {
    let (text, limit) = Self.cases[position]
    let generated = try Generated(text)
    #expect(generated.definitions <= limit, "\(text): \(generated.definitions) definitions")
    var random = SeededRandom(seed: UInt64(position))
    let kernel = try CompiledSource(generated.source, compiler: compilers.first ?? "cc")
    for sizes in Self.some(generated.family.combinations, &random) {
      let program = try TensorProgram(lowering: generated.family.instance(at: sizes))
      let inputs = Self.inputs(of: program, &random)
      let expected = try ReferenceEvaluator(program).evaluate(inputs.values)
      let result = kernel.run(inputs.bytes + [Generated.bytes(sizes)])
      #expect(result.status == 0, "\(text) at \(sizes)")
      for (output, value) in zip(program.outputs, zip(result.outputs, expected)) {
        let difference = Self.difference(value.0, value.1, program[output].type)
        #expect(difference == nil, "\(text) at \(sizes): \(difference ?? "")")
      }
    }
  }

  @Test("sizes that were not added are refused, and nothing is written")
  func refused() throws {
    let generated = try Generated("n in 2...40 by 2; relu(x: f32[n])") { $0 == [20] }
    let kernel = try CompiledSource(generated.source, compiler: compilers.first ?? "cc")
    let input = Bytes([Float](repeating: 1, count: 64))
    for size in [-9_000_000_000, -2, 0, 1, 3, 20, 39, 41, 42, 1 << 40] {
      #expect(kernel.run([input, Generated.bytes([size])]).status == 3, "\(size)")
    }
    for size in [2, 18, 22, 40] {
      #expect(kernel.run([input, Generated.bytes([size])]).status == 0, "\(size)")
    }
  }

  @Test("the interface says what depends on the sizes")
  func interface() throws {
    let generated = try Generated("b in 1...3; s in 2...4; exp(x: f32[b,s,5])")
    let interface = generated.source.interface
    #expect(interface.abi == KernelInterface.familyABI)
    #expect(interface.inputs.map(\.description) == ["f32[3,4,5]"])
    #expect(
      interface.openSizes?.outputs.map { $0.text(SizeExpression.canonicalName) } == ["f32[s0,s1,5]"]
    )
    #expect(interface.openSizes?.symbols == generated.family.symbols)
  }

  /// The first and last combinations, and some between.
  private static func some(_ all: [[Int]], _ random: inout SeededRandom) -> [[Int]] {
    all.prefix(10) + all.dropFirst(10).shuffled(using: &random).prefix(12) + all.suffix(3)
  }

  private static func inputs(of program: TensorProgram, _ random: inout SeededRandom) -> (
    bytes: [Bytes], values: [TensorValue]
  ) {
    var result: ([Bytes], [TensorValue]) = ([], [])
    for (input, domain) in zip(program.inputs, program.inputDomains) {
      let type = program[input].type
      var bytes = Bytes(count: 0)
      if case .index(let bound) = domain {
        bytes = Bytes(
          (0..<type.storageElementCount).map { _ in
            Int64.random(in: 0..<Int64(bound), using: &random)
          })
      } else if case .signedIndex(let bound) = domain {
        bytes = Bytes(
          (0..<type.storageElementCount).map { _ in
            Int64.random(in: 0..<Int64(bound), using: &random)
          })
      } else {
        bytes = Bytes(
          (0..<type.storageElementCount).map { _ in Float.random(in: -1...1, using: &random) })
      }
      result.0.append(bytes)
      if let value = TensorValue(bytes: bytes.bytes, type: type) { result.1.append(value) }
    }
    return result
  }

  private static func difference(_ bytes: Bytes, _ expected: TensorValue, _ type: TensorType)
    -> String?
  {
    guard
      let actual = TensorValue(bytes: Array(bytes.bytes.prefix(type.storageBytes)), type: type)
    else { return "too few bytes" }
    let tolerance = type.dtype == .bf16 ? 2e-2 : 2e-5
    for (position, (one, two)) in zip(actual.reals, expected.reals).enumerated() {
      if abs(one - two) > tolerance * max(1, abs(two)) {
        return "[\(position)]: \(one), not \(two)"
      }
    }
    return nil
  }
}
