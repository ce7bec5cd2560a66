import KernelSpec

extension ExpressionCompiler {
  /// An element of a buffer; a position outside it is noted as the problem of the evaluation.
  func load<Element>(
    _ id: BufferID, _ indices: [Index], _ count: Int, _ element: @escaping (Int) -> Element,
    otherwise: @escaping () -> Element
  ) -> () -> Element {
    let position = elementPosition(id, indices)
    let memory = memory
    return {
      let at = position()
      guard at >= 0, at < count else {
        memory.problem =
          memory.problem ?? "a position is outside \(memory.buffers[id.position].name)"
        return otherwise()
      }
      return element(at)
    }
  }

  /// The row-major position of an element; -1 where an index that is read from data is out of bounds.
  private func elementPosition(_ id: BufferID, _ indices: [Index]) -> Position {
    let shape = memory.buffers[id.position].type.shape
    var known = Index.constant(0)
    var total: Position?
    for ((index, extent), stride) in zip(
      zip(indices, shape), TensorType.contiguousStrides(shape))
    {
      guard index.readsData else {
        known = known + index * stride
        continue
      }
      let (value, before) = (position(index), total)
      total = {
        let at = value()
        let rest = before?() ?? 0
        return at >= 0 && at < extent && rest >= 0 ? rest + at * stride : -1
      }
    }
    let rest = position(known)
    guard let total else { return rest }
    return {
      let at = total()
      return at < 0 ? -1 : at + rest()
    }
  }

  /// The value of an index: a linear form of the axes, with other terms where it is not one.
  func position(_ index: Index) -> Position {
    var form = LinearForm()
    collect(index, times: 1, into: &form)
    let axes = axes
    let base = form.constant
    let coefficients = form.coefficients.sorted { $0.key < $1.key }.filter { $0.value != 0 }
    var result: Position
    switch coefficients.count {
    case 0: result = { base }
    case 1:
      let (slot, factor) = (coefficients[0].key, coefficients[0].value)
      result = factor == 1 && base == 0 ? { axes[slot] } : { base + axes[slot] * factor }
    case 2:
      let (one, two) = (coefficients[0], coefficients[1])
      let (slot1, factor1, slot2, factor2) = (one.key, one.value, two.key, two.value)
      result = { base + axes[slot1] * factor1 + axes[slot2] * factor2 }
    default:
      let factors = coefficients.map { (slot: $0.key, factor: $0.value) }
      result = {
        var sum = base
        for term in factors { sum += axes[term.slot] * term.factor }
        return sum
      }
    }
    for term in form.others {
      let rest = result
      result = { rest() + term() }
    }
    return result
  }

  /// `constant + Σ coefficient · axis + Σ others`
  private struct LinearForm {
    var constant = 0
    var coefficients: [Int: Int] = [:]
    var others: [Position] = []
  }

  private func collect(_ index: Index, times factor: Int, into form: inout LinearForm) {
    switch index {
    case .constant(let value): form.constant += value * factor
    case .axis(let axis): form.coefficients[slots[axis] ?? 0, default: 0] += factor
    case .sum(let first, let second):
      collect(first, times: factor, into: &form)
      collect(second, times: factor, into: &form)
    case .product(let inner, let by): collect(inner, times: factor * by, into: &form)
    case .quotient(let inner, let divisor):
      let value = position(inner)
      form.others.append { value().flooredQuotient(divisor) * factor }
    case .remainder(let inner, let divisor):
      let value = position(inner)
      form.others.append {
        let remainder = value() % divisor
        return (remainder < 0 ? remainder + divisor : remainder) * factor
      }
    case .value(let expression):
      let value = integer(expression)
      form.others.append { Int(value()) &* factor }
    }
  }
}
