import KernelSpec

extension LoweringTable {
  /// Operators that make a tensor from numbers.
  static let creations: [String: Rule] = [
    "aten.full.default": { lowering, operation in
      let value = try operation.scalar("fill_value")
      return [lowering.map(operation.result) { _ in .number(value, operation.result.dtype) }]
    },
    "aten.arange.start_step": { try $0.arange($1) },
  ]

  /// Operators that give the elements of a tensor again, perhaps in another type.
  static let copies: [String: Rule] = {
    var rules: [String: Rule] = [:]
    for name in ["clone", "alias", "_to_copy", "contiguous", "detach"] {
      rules["aten.\(name).default"] = { lowering, operation in
        try lowering.rearrange(operation) { $0 }
      }
    }
    return rules
  }()
}

extension Lowering {
  /// `start + step · i`, in `i64` for integers and in `f64` for fractions, as PyTorch on a CPU.
  fileprivate func arange(_ operation: Operation) throws -> [BufferID] {
    let start = operation.optionalScalar("start") ?? .integer(0)
    let step = operation.optionalScalar("step") ?? .integer(1)
    let result = operation.result
    return [
      map(result, name: "range") { axes in
        let i = Index.axis(axes[0])
        if let first = start.wholeNumber, let stride = step.wholeNumber {
          return .index(i * stride + first, result.dtype.computeType)
        }
        let type = DType.f64
        return .number(start, type) + .index(i, type) * .number(step, type)
      }
    ]
  }
}

extension CheckedSpec.Scalar {
  /// The number, when it is a whole one of at most 53 bits.
  fileprivate var wholeNumber: Int? {
    switch self {
    case .integer(let value): Int(value)
    case .boolean(let value): value ? 1 : 0
    case .real(let value): abs(value) < 0x1p53 ? Int(exactly: value) : nil
    }
  }
}
