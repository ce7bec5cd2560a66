/// Products that can be written in several ways, in one: `mm` and `addmm` by a transposed matrix as `linear`,
/// `linear` by a transposed matrix as `mm` or `addmm`, and `matmul` of two matrices or of two stacks as `mm` or
/// `bmm`.
///
/// Each pair sums the same products of the same elements, so no result changes.
extension GraphBuilder {
  /// The operator that the product is written as instead, with its arguments; `nil` when it stays as it is.
  func rewrittenProduct(_ call: OperatorCall) -> (
    name: String, arguments: [String: CheckedSpec.Argument]
  )? {
    switch call.schema.fullName {
    case "aten.mm.default": asLinear(call, input: "self", transposed: "mat2", bias: nil)
    case "aten.addmm.default" where call.isPlainSum:
      asLinear(call, input: "mat1", transposed: "mat2", bias: "self")
    case "aten.linear.default": asProduct(call)
    case "aten.matmul.default": asProductOfMatrices(call)
    default: nil
    }
  }

  private func asLinear(
    _ call: OperatorCall, input: String, transposed: String, bias: String?
  ) -> (String, [String: CheckedSpec.Argument])? {
    guard let weight = transposedMatrix(call.arguments[transposed]),
      let first = call.arguments[input]
    else { return nil }
    var arguments: [String: CheckedSpec.Argument] = [
      "input": first, "weight": weight, "bias": .none,
    ]
    if let bias {
      guard let type = call.optionalTensor(bias), type.rank == 1,
        type.shape == call.optionalTensor(transposed)?.shape.suffix(1).map({ $0 })
      else { return nil }
      arguments["bias"] = call.arguments[bias]
    }
    return ("aten.linear.default", arguments)
  }

  private func asProduct(_ call: OperatorCall) -> (String, [String: CheckedSpec.Argument])? {
    guard call.optionalTensor("input")?.rank == 2, let input = call.arguments["input"],
      let matrix = transposedMatrix(call.arguments["weight"])
    else { return nil }
    guard let bias = call.optionalTensor("bias") else {
      return ("aten.mm.default", ["self": input, "mat2": matrix])
    }
    guard bias.rank == 1, let added = call.arguments["bias"] else { return nil }
    return ("aten.addmm.default", ["self": added, "mat1": input, "mat2": matrix])
  }

  private func asProductOfMatrices(
    _ call: OperatorCall
  ) -> (String, [String: CheckedSpec.Argument])? {
    guard let one = call.optionalTensor("self"), let two = call.optionalTensor("other"),
      let first = call.arguments["self"], let second = call.arguments["other"],
      one.rank == two.rank
    else { return nil }
    let arguments = ["self": first, "mat2": second]
    if one.rank == 2 { return ("aten.mm.default", arguments) }
    guard one.rank == 3, one.shape[0] == two.shape[0] else { return nil }
    return ("aten.bmm.default", arguments)
  }

  /// The matrix that an argument is the transpose of.
  private func transposedMatrix(
    _ argument: CheckedSpec.Argument?
  ) -> CheckedSpec.Argument? {
    guard case .tensor(.node(let position, _))? = argument,
      nodes[position].op == "aten.permute.default",
      nodes[position].arguments["dims"] == .integers([1, 0])
    else { return nil }
    return nodes[position].arguments["self"]
  }
}

extension OperatorCall {
  /// Whether neither the product nor what is added to it is scaled.
  fileprivate var isPlainSum: Bool {
    ["alpha", "beta"].allSatisfy { optionalScalar($0)?.double == 1 }
  }
}
