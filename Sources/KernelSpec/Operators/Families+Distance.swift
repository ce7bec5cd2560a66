/// Result types of distances between vectors, and of Fourier transforms.
enum Distance {
  static func pairs(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (one, two) = (try call.tensor("x1"), try call.tensor("x2"))
    guard one.dtype == two.dtype, one.dtype.isFloatingPoint, one.rank >= 2, two.rank >= 2,
      one.shape[one.rank - 1] == two.shape[two.rank - 1]
    else { throw call.fail("distances of \(one) and \(two)", expected: "[…,P,M] and […,R,M]") }
    try requireOrder(call)
    // How it is computed has no influence on what.
    call.arguments["compute_mode"] = CheckedSpec.Argument.none
    let batch = try TypePromotion.broadcast(
      Array(one.shape.dropLast(2)), Array(two.shape.dropLast(2)))
    let shape = batch + [one.shape[one.rank - 2], two.shape[two.rank - 2]]
    return [try TensorType.checked(one.dtype, shape)]
  }

  static func own(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let type = try call.tensor("self")
    guard type.rank == 2, type.dtype.isFloatingPoint else {
      throw call.fail("distances within \(type)", expected: "floating-point of rank 2")
    }
    try requireOrder(call)
    let count = type.shape[0]
    return [try TensorType.checked(type.dtype, [count * max(count - 1, 0) / 2])]
  }

  private static func requireOrder(_ call: OperatorCall) throws(SpecError) {
    guard let order = call.optionalScalar("p")?.double, order >= 0 else {
      throw call.fail("p is negative", expected: "at least 0")
    }
  }
}

/// A tensor of complex numbers is one of real numbers with a last dimension of 2: real and imaginary part.
enum Fourier {
  /// The dimensions of the transform, counted from the front, and the shape without the parts.
  private static func shape(_ call: inout OperatorCall, isComplex: Bool) throws(SpecError)
    -> (shape: [Int], dimensions: [Int], dtype: DType)
  {
    let type = try call.tensor("self")
    guard type.dtype == .f32 || type.dtype == .f64, !isComplex || type.shape.last == 2 else {
      throw call.fail(
        "\(call.schema.name) of \(type)",
        expected: isComplex ? "f32 or f64 with a last dimension of 2" : "f32 or f64")
    }
    let shape = isComplex ? Array(type.shape.dropLast()) : type.shape
    var dimensions: [Int] = []
    for dimension in try call.integers("dim") {
      dimensions.append(try call.normalized(dimension, rank: shape.count))
    }
    guard !dimensions.isEmpty, Set(dimensions).count == dimensions.count, !shape.isEmpty,
      (0...2).contains(try call.integer("normalization")),
      dimensions.allSatisfy({ shape[$0] > 0 && shape[$0] <= longest })
    else {
      throw call.fail(
        "\(call.schema.name) along \(dimensions) of \(type)",
        expected: "dimensions of 1 to \(longest)")
    }
    call.arguments["dim"] = .integers(dimensions)
    return (shape, dimensions, type.dtype)
  }

  /// Transforms are products with matrices of this many rows and columns at most.
  private static let longest = 8192

  static func fromReal(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    var (shape, dimensions, dtype) = try shape(&call, isComplex: false)
    if call.flag("onesided"), let last = dimensions.last { shape[last] = shape[last] / 2 + 1 }
    return [try TensorType.checked(dtype, shape + [2])]
  }

  static func toReal(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    var (shape, dimensions, dtype) = try shape(&call, isComplex: true)
    let size = try call.integer("last_dim_size")
    guard size > 0, size <= longest, let last = dimensions.last, shape[last] >= size / 2 + 1 else {
      throw call.fail("last_dim_size \(size)", expected: "at most \(longest), of half as many")
    }
    shape[last] = size
    return [try TensorType.checked(dtype, shape)]
  }

  static func complex(_ call: inout OperatorCall) throws(SpecError) -> [TensorType] {
    let (shape, _, dtype) = try shape(&call, isComplex: true)
    return [try TensorType.checked(dtype, shape + [2])]
  }
}

extension OperatorTable {
  static let distances: [Operator?] = [
    .primitive(
      "_cdist_forward(Tensor x1, Tensor x2, float p, int? compute_mode) -> Tensor", Distance.pairs),
    .primitive("_pdist_forward(Tensor self, float p=2) -> Tensor", Distance.own),
  ]

  static let fourierTransforms: [Operator?] = [
    .primitive(
      "_fft_r2c(Tensor self, int[] dim, int normalization, bool onesided) -> Tensor",
      Fourier.fromReal),
    .primitive(
      "_fft_c2r(Tensor self, int[] dim, int normalization, SymInt last_dim_size) -> Tensor",
      Fourier.toReal),
    .primitive(
      "_fft_c2c(Tensor self, SymInt[] dim, int normalization, bool forward) -> Tensor",
      Fourier.complex),
  ]
}
