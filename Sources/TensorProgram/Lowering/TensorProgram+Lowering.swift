package import KernelSpec

extension TensorProgram {
  /// The program that computes what `spec` says, one or more stages for each of its operators.
  ///
  /// - Throws: `LoweringError` for an operator without an entry in `LoweringTable`, or with arguments
  ///   that its entry does not cover.
  package init(lowering spec: CheckedSpec) throws(LoweringError) {
    let lowering = Lowering(spec)
    for position in spec.nodes.indices {
      try lowering.lower(nodeAt: position)
    }
    self = try lowering.finish()
  }
}

extension Lowering {
  fileprivate func lower(nodeAt position: Int) throws(LoweringError) {
    let operation = Operation(node: spec.nodes[position], position: position)
    guard let rule = LoweringTable.rules[operation.node.op] else {
      throw operation.error("the operator is not in the lowering table")
    }
    let results: [BufferID]
    do {
      results = try rule(self, operation)
    } catch let error as LoweringError {
      throw error
    } catch {
      throw operation.error("\(error)")
    }
    guard results.map({ type(of: $0) }).elementsEqual(operation.results, by: Self.agree) else {
      throw operation.error("its rule gave results of other types than the schema")
    }
    for (result, id) in results.enumerated() {
      values[.node(position, result: result)] = id
    }
  }

  private static func agree(_ made: TensorType, _ expected: TensorType) -> Bool {
    made.dtype == expected.dtype && made.shape == expected.shape
  }

  /// The program of the stages that the outputs need.
  fileprivate func finish() throws(LoweringError) -> TensorProgram {
    var outputs: [BufferID] = []
    for (position, value) in spec.outputs.enumerated() {
      guard let id = values[value] else {
        throw LoweringError(op: "output", node: position, reason: "the value is not defined")
      }
      let isOwn = !inputs.contains(id) && !outputs.contains(id)
      outputs.append(isOwn ? id : copy(id))
    }
    return program(of: outputs)
  }

  private func copy(_ id: BufferID) -> BufferID {
    let source = type(of: id)
    return map(TensorType(source.dtype, source.shape), name: "copy") { axes in
      load(id, axes.positions)
    }
  }
}
