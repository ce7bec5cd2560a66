import KernelSpec
import Support
import Testing

private func key(_ text: String) throws -> Digest {
  KernelKey(spec: try Spec.parse(text).checked(), hardware: "test").digest
}

@Suite struct CanonicalTests {
  @Test(
    "different spellings of one meaning give one key",
    arguments: [
      ("softmax(x: f32[3,7], dim: -1)", "_softmax(y: f32[3,7], 1, half_to_float: false)"),
      ("add(x: f32[4], 1)", "add.Scalar(x: f32[4], 1.0, alpha: 1)"),
      ("add(1, x: f32[4])", "add(x: f32[4], 1)"),
      ("add(x: f32[4], y: f32[4])", "x: f32[4]; y: f32[4]; add(y, x)"),
      ("sum(x: f32[2,3])", "sum(x: f32[2,3], dim: [-1,0], dtype: f32)"),
      ("t(x: f32[2,3])", "permute(x: f32[2,3], [1,0])"),
      ("transpose(x: f32[2,3], 0, 1)", "permute(x: f32[2,3], [-1,-2])"),
      ("relu(clone(alias(x: f32[4])))", "relu(view(x: f32[4], [-1]))"),
      ("zeros_like(x: f32[4])", "x: f32[4]; full([4], 0, dtype: f32)"),
      (
        "max_pool2d(x: f32[1,1,8,8], 2)",
        "max_pool2d_with_indices(x: f32[1,1,8,8], [2,2], 2, [0,0])"
      ),
      ("slice(x: f32[9], 0, 2)", "slice(x: f32[9], dim: -1, start: -7, end: 100)"),
      ("relu(x: f32[4]) with rtol: 1e-5, atol: 1e-6", "relu(x: f32[4])"),
      ("squeeze(x: f32[1,4])", "squeeze(x: f32[1,4], dim: [0,1])"),
      (
        "conv2d(x: f32[1,2,4,4], w: f32[2,2,3,3])",
        "convolution(x: f32[1,2,4,4], w: f32[2,2,3,3], none, [1,1], [0,0], [1,1], false, [0,0], 1)"
      ),
      (
        "batch_norm(x: f32[1,2,4], none, none, m: f32[2], v: f32[2], momentum: 0.5)",
        "batch_norm(x: f32[1,2,4], running_mean: m: f32[2], running_var: v: f32[2])"
      ),
      ("mul(exp(x: f32[4]), exp(x))", "e = exp(x: f32[4]); mul(e, e)"),
      ("mm(x: f32[2,3], t(w: f32[4,3]))", "linear(x: f32[2,3], w: f32[4,3])"),
      (
        "b: f32[4]; x: f32[2,3]; w: f32[4,3]; addmm(b, x, permute(w, [1,0]))",
        "b: f32[4]; x: f32[2,3]; w: f32[4,3]; linear(x, w, b)"
      ),
      ("linear(x: f32[2,3], t(w: f32[3,4]))", "mm(x: f32[2,3], w: f32[3,4])"),
      ("mm(x: f32[2,3], t(t(w: f32[3,4])))", "mm(x: f32[2,3], w: f32[3,4])"),
      ("matmul(x: f32[2,3], w: f32[3,4])", "mm(x: f32[2,3], w: f32[3,4])"),
      ("matmul(x: f32[5,2,3], w: f32[5,3,4])", "bmm(x: f32[5,2,3], w: f32[5,3,4])"),
      (
        "stack([x: f32[2,3], y: f32[2,3]], dim: -1)",
        "cat([unsqueeze(x: f32[2,3], 2), unsqueeze(y: f32[2,3], -1)], dim: 2)"
      ),
    ])
  func equal(first: String, second: String) throws {
    #expect(try key(first) == key(second))
  }

  @Test(
    "different meanings give different keys",
    arguments: [
      ("relu(x: f32[4])", "relu(x: f32[5])"), ("relu(x: f32[4])", "relu(x: f64[4])"),
      ("relu(x: f32[4,2])", "relu(x: f32[4,2]{1,4})"),
      ("sub(x: f32[4], y: f32[4])", "x: f32[4]; y: f32[4]; sub(y, x)"),
      ("mul(x: f32[4], 0.0)", "mul(x: f32[4], -0.0)"),
      ("mul(x: f32[4], inf)", "mul(x: f32[4], nan)"), ("add(x: i32[4], 1)", "add(x: i32[4], 1.0)"),
      ("add(x: f32[4], y: f32[4], alpha: 2)", "x: f32[4]; y: f32[4]; add(y, x, alpha: 2)"),
      ("relu(x: f32[4])", "x: f32[4]; y: f32[4]; relu(x)"),
      ("max(x: f32[4], 0)", "max(x: f32[4], 0)#1"),
      ("(relu(x: f32[4]), exp(x))", "e = exp(x: f32[4]); (e, relu(x))"),
      ("relu(x: f32[4])", "relu(x: f32[4]) with rtol: 1e-3"),
      ("gelu(x: f32[4])", "gelu(x: f32[4], approximate: \"tanh\")"),
      ("add(full([4], 0.0, dtype: f32), x: f32[4])", "add(full([4], -0.0, dtype: f32), x: f32[4])"),
      ("cat(x: f32[4], y: f32[4])", "x: f32[4]; y: f32[4]; cat(y, x)"),
      ("mm(x: f32[3,3], t(w: f32[3,3]))", "mm(x: f32[3,3], w: f32[3,3])"),
      (
        "b: f32[4]; x: f32[2,3]; w: f32[4,3]; addmm(b, x, t(w), alpha: 2)",
        "b: f32[4]; x: f32[2,3]; w: f32[4,3]; linear(x, w, b)"
      ),
      ("stack([x: f32[2,2], y: f32[2,2]])", "cat([x: f32[2,2], y: f32[2,2]])"),
    ])
  func different(first: String, second: String) throws {
    #expect(try key(first) != key(second))
  }

  @Test("equal meaning gives equal key", arguments: 0..<200)
  func property(seed: Int) throws {
    var random = SeededRandom(seed: UInt64(seed))
    let spec = RandomSpec.make(&random)
    let other = RandomSpec.rewritten(spec, &random)
    let (one, two) = (try spec.checked(), try other.checked())
    #expect(one.canonicalText == two.canonicalText, "seed \(seed)")
    #expect(KernelKey(spec: one, hardware: "") == KernelKey(spec: two, hardware: ""))
    #expect(
      try Spec.parse(one.textForm).checked().canonicalText == one.canonicalText, "seed \(seed)")
  }

  @Test("the canonical text has no names in it")
  func names() throws {
    let spec = try Spec.parse(
      "secretBinding = exp(secretInput: f32[4]); mul(secretBinding, secretBinding)")
    #expect(!(try spec.checked().canonicalText.contains("secret")))
  }

  @Test("nodes that nothing needs are not in the canonical form")
  func deadNodes() throws {
    let spec = try Spec.parse("d = exp(x: f32[4]); relu(x)").checked()
    #expect(spec.nodes.map(\.op) == ["aten.relu.default"])
  }
}

/// Small graphs of tensors of one shape.
private enum RandomSpec {
  static func make(_ random: inout SeededRandom) -> Spec {
    var spec = Spec(
      inputs: (0...Int.random(in: 0...2, using: &random)).map {
        .init(name: "in\($0)", type: TensorType(.f32, [3, 4]))
      } + [.init(name: "square", type: TensorType(.f32, [4, 4]))], nodes: [], outputs: [])
    var names = spec.inputs.dropLast().map(\.name)
    for index in 0...Int.random(in: 1...12, using: &random) {
      let (first, second) = (
        names.randomElement(using: &random), names.randomElement(using: &random)
      )
      guard let first, let second else { continue }
      let (one, two) = (
        Spec.Argument.reference(.init(first)), Spec.Argument.reference(.init(second))
      )
      let choices: [(String, [String: Spec.Argument])] = [
        ("aten.exp", ["self": one]), ("aten.add", ["self": one, "other": two]),
        ("aten.sub", ["self": one, "other": two]), ("aten.mul", ["self": one, "other": .real(2)]),
        ("aten._softmax", ["self": one, "dim": .integer(-1)]),
        ("aten.amax", ["self": one, "dim": .list([.integer(-2)]), "keepdim": .boolean(true)]),
        ("aten.maximum", ["self": one, "other": two]), ("aten.gelu", ["self": one]),
        ("aten.cumsum", ["self": one, "dim": .integer(0)]),
        ("aten.linear", ["input": one, "weight": .reference(.init("square"))]),
      ]
      guard let choice = choices.randomElement(using: &random) else { continue }
      spec.nodes.append(.init(id: "n\(index)", op: choice.0, arguments: choice.1))
      names.append("n\(index)")
    }
    spec.outputs = (0...1).compactMap { _ in names.randomElement(using: &random).map { .init($0) } }
    return spec
  }

  /// The same meaning with other names, order, and spelling, and with nodes that nothing uses.
  static func rewritten(_ spec: Spec, _ random: inout SeededRandom) -> Spec {
    var copy = spec
    for position in copy.nodes.indices {
      var arguments = copy.nodes[position].arguments
      switch copy.nodes[position].op {
      case "aten.add", "aten.sub": arguments["alpha"] = .integer(1)
      case "aten.gelu": arguments["approximate"] = .string("none")
      case "aten._softmax": arguments["dim"] = .integer(1)
      case "aten.mul": copy.nodes[position].op = "aten.mul.Scalar"
      case "aten.cumsum": arguments["dtype"] = .string("f32")
      case "aten.amax":
        if case .list? = arguments["dim"], arguments["keepdim"] != nil {
          arguments["dim"] = .integer(-2)
        }
      default: break
      }
      if copy.nodes[position].op == "aten.add", Bool.random(using: &random) {
        (arguments["self"], arguments["other"]) = (arguments["other"], arguments["self"])
      }
      copy.nodes[position].arguments = arguments
      if copy.nodes[position].op == "aten.linear", Bool.random(using: &random) {
        copy.nodes += asTransposedProduct(&copy.nodes[position])
      }
    }
    for (number, node) in copy.nodes.enumerated() where Bool.random(using: &random) {
      copy.nodes.append(.init(id: "dead\(number)", op: node.op, arguments: node.arguments))
    }
    copy.nodes.shuffle(using: &random)
    return renamed(copy)
  }

  /// Writes a `linear` as a product by a transposed matrix; gives the node that transposes it.
  private static func asTransposedProduct(_ node: inout Spec.Node) -> [Spec.Node] {
    let (input, weight) = (node.arguments["input"], node.arguments["weight"])
    guard let input, let weight else { return [] }
    let transposed = "\(node.id).t"
    node.op = "aten.mm"
    node.arguments = ["self": input, "mat2": .reference(.init(transposed))]
    return [Spec.Node(id: transposed, op: "aten.t", arguments: ["self": weight])]
  }

  private static func renamed(_ spec: Spec) -> Spec {
    func rename(_ argument: Spec.Argument) -> Spec.Argument {
      guard case .reference(let reference) = argument else { return argument }
      return .reference(.init("re.\(reference.name)", result: reference.result))
    }
    return Spec(
      inputs: spec.inputs.map { .init(name: "re.\($0.name)", type: $0.type) },
      nodes: spec.nodes.map {
        .init(id: "re.\($0.id)", op: $0.op, arguments: $0.arguments.mapValues(rename))
      },
      outputs: spec.outputs.map { .init("re.\($0.name)", result: $0.result) })
  }
}
