import KernelSpec

/// The C types that the functions of a contraction are written with.
struct ElementTypesText {
  /// What names of functions and types begin with.
  let prefix: String
  /// The type of the sums.
  let accumulator: DType
  let vectorBytes: Int

  /// `T` is the type of the sums, `V` a vector of them, and `VU` one that may lie anywhere.
  /// Integers wrap.
  var definitions: String {
    let element =
      switch accumulator {
      case .f64: "double"
      case .i64: "uint64_t"
      case .f32: "float"
      default: "uint32_t"
      }
    return """
      typedef \(element) \(prefix)element;
      typedef \(prefix)element \(prefix)vector __attribute__((vector_size(\(vectorBytes))));
      typedef \(prefix)vector \(prefix)loose
          __attribute__((aligned(\(accumulator.sizeBytes)), may_alias));
      #define T \(prefix)element
      #define V \(prefix)vector
      #define VU \(prefix)loose
      """
  }

  static let ends = ["#undef T", "#undef V", "#undef VU", ""]
}
