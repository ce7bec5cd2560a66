import KernelSpec

/// The elements of every buffer during one evaluation, row-major: real numbers or integers by type.
///
/// Owns the memory that compiled expressions point into; they must not outlive it.
final class EvaluationMemory {
  let buffers: [Buffer]
  /// For each buffer one of the two is not empty, unless the buffer is.
  private(set) var reals: [UnsafeMutableBufferPointer<Double>] = []
  private(set) var integers: [UnsafeMutableBufferPointer<Int64>] = []
  /// The first access outside a tensor.
  var problem: String?

  init(_ buffers: [Buffer]) {
    self.buffers = buffers
    for buffer in buffers {
      let count = buffer.type.elementCount
      let isReal = buffer.type.dtype.isFloatingPoint
      let real = UnsafeMutableBufferPointer<Double>.allocate(capacity: isReal ? count : 0)
      let integer = UnsafeMutableBufferPointer<Int64>.allocate(capacity: isReal ? 0 : count)
      real.initialize(repeating: 0)
      integer.initialize(repeating: 0)
      reals.append(real)
      integers.append(integer)
    }
  }

  deinit {
    for pointer in reals { pointer.deallocate() }
    for pointer in integers { pointer.deallocate() }
  }

  /// - Returns: whether the value has as many elements, of the right kind.
  func fill(_ id: BufferID, _ value: TensorValue) -> Bool {
    switch value.storage {
    case .reals(let values):
      guard values.count == reals[id.position].count else { return false }
      _ = reals[id.position].update(from: values)
    case .integers(let values):
      guard values.count == integers[id.position].count else { return false }
      _ = integers[id.position].update(from: values)
    }
    return true
  }

  /// Rounds every element to the buffer's type.
  func round(_ id: BufferID) {
    let type = buffers[id.position].type.dtype
    let elements = reals[id.position]
    for index in elements.indices { elements[index] = type.rounded(elements[index]) }
  }

  func value(of id: BufferID, type: TensorType) -> TensorValue {
    type.dtype.isFloatingPoint
      ? TensorValue(type.dtype, type.shape, reals: Array(reals[id.position]))
      : TensorValue(type.dtype, type.shape, integers: Array(integers[id.position]))
  }
}
