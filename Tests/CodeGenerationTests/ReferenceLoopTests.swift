import CodeGeneration
import KernelSpec
import TensorProgram
import Testing

/// The loops of the reference: however they are ordered and shortened, they compute what the interpreter does.
@Suite struct ReferenceLoopTests {
  private static let specs = [
    // Windows that leave the input on both sides, with steps, gaps and phases.
    "convolution(x: f32[2,3,9,11], w: f32[4,3,3,2], none, [2,1], [1,2], [1,2], false, [0,0], 1)",
    "convolution(x: f32[2,4,9,11], w: f32[4,2,3,3], none, [1,1], [2,2], [2,1], false, [0,0], 2)",
    "convolution(x: f32[2,3,5,6], w: f32[3,4,3,2], none, [2,3], [1,0], [1,1], true, [1,0], 1)",
    "convolution(x: f32[1,4,5,6], w: f32[4,3,3,3], none, [2,1], [1,1], [2,2], true, [0,0], 1)",
    "max_pool2d(x: f32[2,3,9,11], 3, stride: 2, padding: 1)",
    "avg_pool2d(x: f32[2,3,9,11], [3,2], stride: [2,1], padding: [1,1])",
    // Sums along each dimension, with as many terms as a vector has, more and fewer.
    "mm(a: f32[5,33], permute(b: f32[17,33], [1,0]))", "mm(a: f32[5,33], b: f32[33,17])",
    "mm(exp(a: f32[3,9]), permute(exp(b: f32[40,9]), [1,0]))",
    "sum(x: f32[3,40,5], dim: [1])", "sum(x: f32[3,40,5], dim: [2])", "sum(x: f32[3,40,5])",
    "amax(permute(x: f32[3,40,5], [2,0,1]), dim: [0,2])", "prod(x: f32[3,40], dim: 1)",
    "sum(where(gt(x: f32[40,6], 0), x, 0.0), dim: [0])",
  ]

  @Test("the C reference agrees with the interpreter", arguments: specs)
  func agreement(spec: String) throws {
    let checked = try Spec.parse(spec).checked()
    let program = try TensorProgram(lowering: checked)
    let inputs = checked.inputs.enumerated().map { position, input in
      Bytes(
        (0..<input.type.elementCount).map { Float(($0 * 37 + position * 11) % 29 - 14) / 8 })
    }
    let values = try zip(inputs, checked.inputs).map { bytes, input in
      try #require(TensorValue(bytes: bytes.bytes, type: input.type))
    }
    let expected = try ReferenceEvaluator(program).evaluate(values)
    guard case .reals(let wanted) = expected[0].storage else {
      Issue.record("not floating point")
      return
    }
    for compiler in compilers {
      let outputs = try run(ReferenceSource.make(for: program), inputs, compiler: compiler).outputs
      let got = outputs[0].elements(Double.self)
      #expect(got.count == wanted.count)
      for index in wanted.indices {
        let allowed = 1e-12 * (1 + abs(wanted[index]))
        #expect(abs(got[index] - wanted[index]) <= allowed, "\(compiler), element \(index)")
      }
    }
  }

  /// Sums whose parts are whole and are not, along the last axis of the output and along the terms.
  private static let sums =
    specs + [
      "mm(a: f32[8,12], b: f32[12,16])", "mm(a: f32[7,12], b: f32[12,300])",
      "mm(a: f32[6,10], permute(b: f32[9,10], [1,0]))", "mm(a: f32[1,7], b: f32[7,9])",
      "bmm(a: f32[3,5,9], b: f32[3,9,11])", "sum(mul(a: f32[6,5,40], b: f32[5,1]), dim: [1])",
      "linear(x: f32[2,3,9], w: f32[5,9], b: f32[5])",
      "mm(exp(a: f32[6,9]), exp(b: f32[9,10]))",
      "convolution(x: f32[2,8,9,17], w: f32[6,8,3,3], none, [1,1], [1,1], [1,1], false, [0,0], 1)",
      "convolution(x: f32[2,3,9,17], w: f32[6,3,5,5], none, [2,2], [2,2], [1,1], false, [0,0], 1)",
      "convolution(exp(x: f32[2,3,9,7]), w: f32[3,1,3,3], none, [1,1], [1,1], [1,1], false, [0,0], 3)",
    ]

  @Test("sums arranged for speed agree with the interpreter, and what is added to padding with it")
  func largeSums() throws {
    for (position, spec) in Self.sums.enumerated() {
      let checked = try Spec.parse(spec).checked()
      let program = try TensorProgram(lowering: checked)
      for special in [false, true] {
        let inputs = checked.inputs.enumerated().map { place, input in
          Bytes(
            (0..<input.type.elementCount).map { index -> Float in
              let value = Float((index * 37 + place * 11) % 29 - 14) / 8
              return special && (index + place) % 23 == 7 ? .infinity : value
            })
        }
        let values = try zip(inputs, checked.inputs).map { bytes, input in
          try #require(TensorValue(bytes: bytes.bytes, type: input.type))
        }
        guard
          case .reals(let wanted) = try ReferenceEvaluator(program).evaluate(values)[0].storage
        else {
          Issue.record("not floating point")
          continue
        }
        let compiler = compilers[position % compilers.count]
        let source = ReferenceSource.make(for: program, largeSum: 0)
        let got = try run(source, inputs, compiler: compiler).outputs[0].elements(Double.self)
        for (index, (one, other)) in zip(got, wanted).enumerated() {
          let agrees =
            one == other || (one.isNaN && other.isNaN)
            || abs(one - other) <= 1e-12 * (1 + abs(other))
          #expect(agrees, "\(spec), element \(index): \(one), not \(other)")
        }
      }
    }
  }

  @Test("the operand of a large padded sum is padded once, and its terms ask for no bounds")
  func padding() throws {
    let spec =
      "convolution(x: f32[2,8,9,17], w: f32[6,8,3,3], none, [1,1], [1,1], [1,1], false, [0,0], 1)"
    let program = try TensorProgram(lowering: Spec.parse(spec).checked())
    let text = { ReferenceSource.make(for: program, largeSum: $0).text }
    #expect(text(0).components(of: "static void stage") == 2)
    #expect(text(.max).components(of: "static void stage") == 1)
    #expect(text(0).components(of: "sum[3][") > 0)
    #expect(text(.max).components(of: "sum[3][") == 0)
  }

  @Test("stages that are alike share a function, whatever their buffers")
  func sharing() throws {
    func nested(_ names: [String]) -> String {
      names.reduce("x: f32[4,8]") { "relu(mm(\($0), permute(\($1): f32[8,8], [1,0])))" }
    }
    func functions(_ names: [String]) throws -> (functions: Int, calls: Int) {
      let program = try TensorProgram(lowering: Spec.parse(nested(names)).checked())
      let text = ReferenceSource.make(for: program).text
      return (
        text.components(of: "static void stage"), text.components(of: "context->parallel_for(")
      )
    }
    let (few, many) = (try functions(["a", "b", "c"]), try functions(["a", "b", "c", "d", "e"]))
    #expect(many.calls > few.calls)
    #expect(many.functions == few.functions)
  }

  @Test("what goes on beyond the range of f32 goes on as an infinity")
  func range() throws {
    let program = try TensorProgram(
      lowering: Spec.parse("mm(mm(a: f32[1,1], b: f32[1,1]), c: f32[1,1])").checked())
    let inputs = [Bytes([Float(1e30)]), Bytes([Float(-1e30)]), Bytes([Float(1e-30)])]
    let outputs = try run(ReferenceSource.make(for: program), inputs).outputs
    #expect(outputs[0].elements(Double.self) == [-.infinity])
  }
}

extension String {
  /// How often `part` occurs.
  fileprivate func components(of part: String) -> Int {
    var (count, rest) = (0, self[...])
    while let found = rest.firstRange(of: part) {
      count += 1
      rest = rest[found.upperBound...]
    }
    return count
  }
}
