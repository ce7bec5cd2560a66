package import KernelSpec

/// The functions that generated C may call: written once as templates, emitted for the types in use.
package enum CLibrary {
  /// A function of the library for one type: the name in C is `g_<function>_<type>`, such as `g_exp_f32x16`.
  package struct Item: Sendable, Hashable, Comparable {
    package var function: String
    package var dtype: DType
    /// 1 for a scalar.
    package var lanes: Int

    package init(_ function: String, _ dtype: DType, lanes: Int = 1) {
      self.function = function
      self.dtype = dtype
      self.lanes = lanes
    }

    package var name: String { "g_\(function)_\(typeName)" }
    package var typeName: String { lanes == 1 ? dtype.rawValue : "\(dtype.rawValue)x\(lanes)" }

    package static func < (first: Item, second: Item) -> Bool { first.name < second.name }
  }
}
