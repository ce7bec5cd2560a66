import KernelSpec

extension TensorProgram {
  /// The program with cheap stages folded into those that use them, and the rest grouped into kernels.
  ///
  /// Guarantees the same values up to the rounding of intermediate results, and deterministic output: equal
  /// programs give equal kernels.
  package func fused() -> FusedProgram {
    var grouping = KernelGrouping(program: simplified().squeezed().inlined().aligned())
    return grouping.fusedProgram()
  }

  /// The program with the dimensions of extent 1 taken out of its temporaries, so that stages which differ
  /// only in kept dimensions run over the same axes.
  func squeezed() -> TensorProgram {
    let fixed = Set(inputs).union(outputs).union(stages.filter(\.isOrdered).map(\.output))
    var result = self
    for position in buffers.indices where !fixed.contains(BufferID(position)) {
      let type = buffers[position].type
      result.buffers[position].type = TensorType(type.dtype, type.shape.filter { $0 != 1 })
    }
    result.stages = stages.map { stage in
      var squeezed = stage.mapExpression { squeezing($0, except: fixed) }
      if !fixed.contains(stage.output) { squeezed.dropUnitAxes() }
      return squeezed
    }
    return result
  }

  private func squeezing(_ expression: Expression, except fixed: Set<BufferID>) -> Expression {
    let inner = expression.mapChildren(
      { squeezing($0, except: fixed) },
      index: { index in
        index.rewritten(axis: { _ in nil }, expression: { squeezing($0, except: fixed) })
      })
    guard case .load(let buffer, let type, let indexes) = inner, !fixed.contains(buffer) else {
      return inner
    }
    let kept = zip(indexes, self[buffer].type.shape).filter { $0.1 != 1 }.map(\.0)
    return .load(buffer, type, kept)
  }
}

extension Stage {
  fileprivate mutating func dropUnitAxes() {
    if case .scan(let dimension, let combiner, let value) = body {
      // A scan over one element is a map.
      if domain[dimension].extent == 1 {
        body = .map(value)
      } else {
        let before = domain[..<dimension].filter { $0.extent == 1 }.count
        body = .scan(dimension: dimension - before, combiner: combiner, value: value)
      }
    }
    domain.removeAll { $0.extent == 1 }
  }
}
