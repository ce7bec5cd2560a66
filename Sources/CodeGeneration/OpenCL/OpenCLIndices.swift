import KernelSpec
import TensorProgram

/// How loads stay inside their buffers where there is no status to report an index that does not.
extension CWriter {
  /// An element, with positions in a table clamped into it.
  mutating func deviceLoad(_ buffer: BufferID, _ type: DType, _ index: Index) -> String {
    let scalarType = dialect.scalarType(type)
    let count = elementCounts[buffer.position]
    guard count > 0 else { return "((\(scalarType))0)" }
    let address = address(buffer, index)
    let isCertain =
      !index.readsData || bounds.decide(index, lower: 0, upper: count) == true
    let place = isCertain ? address : "clamp((long)(\(address)), 0L, \(count - 1)L)"
    let element = "\(name(of: buffer))[\(place)]"
    if type == .bool { return "(\(element) != 0)" }
    guard let table = tableSizes[buffer], type.isInteger else { return element }
    let last = min(Int64(max(table - 1, 0)), type.largestInteger)
    return "clamp(\(element), (\(scalarType))0, (\(scalarType))\(last))"
  }
}

extension TensorProgram {
  /// The number of rows that positions in an input may name, for inputs that hold positions.
  var tableSizes: [BufferID: Int] {
    let tables = zip(inputs, inputDomains).compactMap { buffer, domain -> (BufferID, Int)? in
      if case .index(let bound) = domain { (buffer, bound) } else { nil }
    }
    return Dictionary(tables) { min($0, $1) }
  }
}
