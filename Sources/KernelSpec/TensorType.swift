/// The element type, shape and memory layout of a tensor.
public struct TensorType: Sendable, Hashable, Codable {
  public var dtype: DType
  /// The extent of each dimension, outermost first; empty for a scalar.
  public var shape: [Int]
  /// The distance in elements between neighbours along each dimension; `nil` for a contiguous tensor.
  ///
  /// Zero along a dimension means that the tensor is broadcast there.
  public var strides: [Int]?

  public init(_ dtype: DType, _ shape: [Int], strides: [Int]? = nil) {
    self.dtype = dtype
    self.shape = shape
    self.strides = strides == Self.contiguousStrides(shape) ? nil : strides
  }

  public var rank: Int { shape.count }
  public var elementCount: Int { shape.reduce(1, *) }

  /// The strides in force: those given, or those of a contiguous tensor.
  public var resolvedStrides: [Int] { strides ?? Self.contiguousStrides(shape) }

  /// The number of elements of the smallest buffer that holds the tensor.
  public var storageElementCount: Int {
    if shape.contains(0) { return 0 }
    return 1 + zip(shape, resolvedStrides).reduce(0) { $0 + ($1.0 - 1) * $1.1 }
  }

  /// The size of the smallest buffer that holds the tensor.
  public var storageBytes: Int { storageElementCount * dtype.sizeBytes }

  /// The row-major strides of `shape`, in elements.
  package static func contiguousStrides(_ shape: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: shape.count)
    for dimension in shape.indices.dropLast().reversed() {
      strides[dimension] = strides[dimension + 1] * max(shape[dimension + 1], 1)
    }
    return strides
  }
}

extension TensorType: CustomStringConvertible {
  /// The written form, for example `f32[256,1024]` or `f32[256,1024]{1,256}`.
  public var description: String {
    let extents = shape.map(String.init).joined(separator: ",")
    let layout = strides.map { "{\($0.map(String.init).joined(separator: ","))}" } ?? ""
    return "\(dtype.rawValue)[\(extents)]\(layout)"
  }
}
