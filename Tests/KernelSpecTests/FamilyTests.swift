import KernelSpec
import Support
import Testing

/// The error of reading and checking a family.
private func familyError(of text: String) -> SpecError? {
  do {
    _ = try SpecFamily(checking: Spec.parse(text))
    return nil
  } catch {
    return error
  }
}

private func family(_ text: String) throws -> SpecFamily { try SpecFamily(checking: .parse(text)) }

@Suite("Specs with open sizes") struct FamilyTests {
  /// A family, and its concrete spec at sizes.
  private static let samples: [(open: String, closed: @Sendable ([Int]) -> String)] = [
    ("n in 1...64; relu(x: f32[n])", { "relu(x: f32[\($0[0])])" }),
    (
      "n in 2...300; softmax(x: f32[n,777], dim: -1)",
      { "softmax(x: f32[\($0[0]),777], dim: -1)" }
    ),
    (
      "b in 1...8; s in 2...64; view(x: f32[b,s,12,4], [b*s,48])",
      { "view(x: f32[\($0[0]),\($0[1]),12,4], [\($0[0] * $0[1]),48])" }
    ),
    (
      "n in 8...512 by 8; gelu(linear(x: f32[n,2*n+1], w: f32[4,2*n + 1]))",
      { "gelu(linear(x: f32[\($0[0]),\(2 * $0[0] + 1)], w: f32[4,\(2 * $0[0] + 1)]))" }
    ),
    (
      "s in 2...40; slice(x: f32[s,4], 0, 0, s-1)",
      { "slice(x: f32[\($0[0]),4], 0, 0, \($0[0] - 1))" }
    ),
    (
      "n in 4...90; scaled_dot_product_attention(q: f32[2,4,n,64], k: f32[2,4,n,64], v: f32[2,4,n,64])",
      {
        let type = "f32[2,4,\($0[0]),64]"
        return "scaled_dot_product_attention(q: \(type), k: \(type), v: \(type))"
      }
    ),
  ]

  @Test("every instance is the spec with its sizes written as numbers")
  func instances() throws {
    for (open, closed) in Self.samples {
      let family = try family(open)
      for sizes in family.combinations {
        let expected = try Spec.parse(closed(sizes)).checked()
        let instance = try family.instance(at: sizes)
        #expect(instance.canonicalText == expected.canonicalText, "\(open) at \(sizes)")
        #expect(family.inputs.map { $0.type.type(at: sizes) } == expected.inputs.map(\.type))
        #expect(
          family.outputs.map { $0.type(at: sizes) }
            == expected.outputs.map { expected.type(of: $0) })
      }
    }
  }

  @Test("the canonical text and the text form of a family mean the family")
  func forms() throws {
    for (open, _) in Self.samples {
      let first = try family(open)
      #expect(try family(first.canonicalText).canonicalText == first.canonicalText)
      #expect(try family(first.textForm).canonicalText == first.canonicalText)
    }
  }

  @Test("names and order of declarations do not change the key")
  func meaning() throws {
    let one = try family("b in 1...8; s in 2...64; mul(x: f32[b,s], 2.0)")
    let two = try family("seq in 2...64; batch in 1...8; mul(y: f32[batch,seq], 2.0)")
    let json = try family(
      """
      {"granary_spec":1,"symbols":[{"name":"s","range":[2,64]},{"name":"b","range":[1,8]}],
       "inputs":[{"name":"x","type":"f32[b,s]"}],
       "nodes":[{"id":"y","op":"mul","args":{"self":"%x","other":2.0}}],"outputs":["%y"]}
      """)
    let key = KernelKey(family: one, hardware: "h")
    #expect(KernelKey(family: two, hardware: "h").digest == key.digest)
    #expect(one.symbols.map(\.name) == ["b", "s"] && two.symbols.map(\.name) == ["batch", "seq"])
    #expect(json.canonicalGraph == one.canonicalGraph)
    for other in ["b in 1...9; s in 2...64;", "b in 1...8; s in 2...64 by 2;"] {
      let changed = try family(other + " mul(x: f32[b,s], 2.0)")
      #expect(KernelKey(family: changed, hardware: "h").digest != key.digest)
    }
  }

  @Test("the key of a family stays what it is")
  func golden() throws {
    let family = try family("b in 1...8; s in 2...64; view(x: f32[b,s,12,4], [b*s,48])")
    #expect(
      family.canonicalGraph == """
        {"granary_spec":1,"symbols":[{"name":"s0","range":[1,8]},{"name":"s1","range":[2,64]}],\
        "inputs":[{"name":"0","type":"f32[s0,s1,12,4]"}],\
        "nodes":[{"args":{"self":"%0","size":[{"size":"s0*s1"},48]},"id":"1","op":"aten.view.default"}],\
        "outputs":["%1"]}
        """)
    #expect(family.places == [.init(input: 0, dimension: 0), .init(input: 0, dimension: 1)])
  }

  @Test("a size in JSON is an object, so that no string is taken for one")
  func json() throws {
    let text = """
      {"granary_spec":1,"symbols":[{"name":"n","range":[2,9],"step":3}],
       "inputs":[{"name":"x","type":"f32[n,6]"}],
       "nodes":[{"id":"y","op":"view","args":{"self":"%x","size":[{"size":"n * 2"},3]}}],
       "outputs":["%y"]}
      """
    let family = try family(text)
    #expect(family.symbols == [SizeSymbol("n", 2...8, step: 3)])
    #expect(try family.instance(at: [5]).type(of: .node(0, result: 0)).shape == [10, 3])
  }

  @Test("a spec with open sizes is no spec of one shape")
  func refused() throws {
    let open = try Spec.parse("n in 1...4; relu(x: f32[n])")
    #expect(throws: SpecError.self) { try open.checked() }
    #expect(try open.instance(at: [3]).checked() == Spec.parse("relu(x: f32[3])").checked())
    #expect(throws: SpecError.self) { try open.instance(at: []) }
  }

  @Test(
    "a fault in open sizes is reported where it is",
    arguments: [
      ("n in 1...; relu(x: f32[n])", 1, 10, SpecError.Code.syntax),
      ("n in 5...4; relu(x: f32[n])", 1, 1, .type),
      ("n in 1...9 by 0; relu(x: f32[n])", 1, 1, .type),
      ("n in 1...9;\nn in 1...9; relu(x: f32[n])", 2, 1, .name),
      ("n in 1...99999999999; relu(x: f32[n])", 1, 1, .limit),
      ("n in 1...9; relu(x: f32[m])", 1, 25, .syntax),
      ("n in 1...9; relu(x: f32[n*m])", 1, 27, .name),
      ("n in 1...9; relu(x: f32[n-5])", 1, 25, .limit),
      ("n in 1...9; relu(x: f32[n/0])", 1, 26, .argument),
      ("n in 1...9; relu(x: f32[n*])", 1, 27, .syntax),
      ("n in 1...9; relu(x: f32[n*4000000000*4000000000])", 1, 37, .limit),
      ("n in 1...9; n = relu(x: f32[n]); n", 1, 13, .name),
      ("n in 1...9; relu(n: f32[n])", 1, 18, .name),
      ("true in 1...9; relu(x: f32[4])", 1, 1, .name),
      (
        "a in 1...2; b in 1...2; c in 1...2; d in 1...2; e in 1...2; relu(x: f32[a])", 1, 49, .limit
      ),
    ])
  func positions(text: String, line: Int, column: Int, code: SpecError.Code) {
    let error = familyError(of: text)
    #expect(error?.position == .init(line: line, column: column), "\(String(describing: error))")
    #expect(error?.code == code, "\(text): \(String(describing: error))")
  }

  @Test(
    "what cannot be one family is refused with the reason",
    arguments: [
      ("n in 1...9; relu(x: f32[4])", "no input has n as an extent of its own"),
      ("n in 1...9; relu(x: f32[2*n])", "no input has n as an extent of its own"),
      ("n in 3...3; relu(x: f32[n])", "n has one value only"),
      ("n in 1...20000; relu(x: f32[n])", "more than 8192 combinations"),
      ("n in 1...4; expand(x: f32[n,4], [4,4])", "at n = 2: "),
      ("n in 3...9; add(x: f32[n], y: f32[4])", "at n = 3: "),
      ("n in 1...9; add(x: f32[n,4], slice(y: f32[9,4], 0, 0, n/2))", "at n = 4: "),
      ("n in 4...40; slice(x: f32[n], 0, 0, n/2)", "is no polynomial"),
    ])
  func families(text: String, reason: String) {
    let error = familyError(of: text)
    #expect(error?.message.contains(reason) == true, "\(text): \(String(describing: error))")
  }

  @Test("a range that begins at 1 is refused where an extent of 1 means something else")
  func one() throws {
    let text = "6; squeeze(x: f32[n,4])"
    #expect(familyError(of: "n in 1..." + text)?.expected?.contains("begins at 2") == true)
    #expect(familyError(of: "n in 2..." + text) == nil)
  }

  @Test("polynomials are found from their values", arguments: 0..<20 as Range<UInt64>)
  func fits(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let symbols = Int.random(in: 1...3, using: &random)
    let terms = (0..<Int.random(in: 0...4, using: &random)).map { _ in
      SizeExpression.Term(
        Int.random(in: -50...50, using: &random),
        (0..<Int.random(in: 0...3, using: &random)).map { _ in
          Int.random(in: 0..<symbols, using: &random)
        }.sorted())
    }
    let expression = SizeExpression(terms)
    let points = (0..<200).map { _ in
      (0..<symbols).map { _ in Int.random(in: 0...90, using: &random) }
    }
    let values = points.map { expression.value(at: $0) ?? 0 }
    let found = try #require(SizeFit.polynomial(values, at: points), "seed \(seed): \(expression)")
    #expect(points.map { found.value(at: $0) ?? 0 } == values)
    #expect(SizeExpression(found.description) == found)
  }
}
