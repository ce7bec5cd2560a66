import KernelSpec
import TensorProgram

/// Along which axis the innermost loop of a reduction reads memory well.
struct LoopOrder {
  /// What is loaded, as the place of each element.
  private let loads: [(indices: [Index], strides: [Int])]

  init(_ value: Expression, in program: TensorProgram) {
    var loads: [(indices: [Index], strides: [Int])] = []
    value.visit { part in
      guard case .load(let buffer, _, let indices) = part else { return }
      loads.append((indices, program[buffer].type.resolvedStrides))
    }
    self.loads = loads
  }

  /// Whether the innermost loop should run along an axis of the output, with an accumulator for each of its
  /// elements, instead of along the last reduced axis.
  func prefers(_ axis: Axis, to reduced: Axis?) -> Bool {
    guard let reduced else { return true }
    let (along, across) = (jumps(along: axis), jumps(along: reduced))
    if along != across { return along < across }
    // Few terms are not worth a vector, and few elements are not worth their accumulators.
    return axis.extent >= 8 || axis.extent >= reduced.extent
  }

  /// How many loads do not read the same or the next element when `axis` advances.
  private func jumps(along axis: Axis) -> Int {
    loads.count { indices, strides in
      var stride: Int? = 0
      for (index, factor) in zip(indices, strides) {
        guard let so = stride, let step = index.step(along: axis) else { return true }
        stride = so + step * factor
      }
      return stride != 0 && stride != 1
    }
  }
}
