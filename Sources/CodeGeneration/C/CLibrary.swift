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

  /// The definitions of `items` and of all that they use, each before its first use.
  package static func text(for items: Set<Item>) -> String {
    var emitter = Emitter()
    for item in items.sorted() { emitter.require(item) }
    return emitter.text
  }

  /// A definition in C for one type.
  struct Template: Sendable {
    var function: String
    var dtype: DType
    var requires: [String]
    var text: String

    init(_ function: String, _ dtype: DType, requires: [String] = [], _ text: String) {
      self.function = function
      self.dtype = dtype
      self.requires = requires
      self.text = text
    }
  }

  static let templates: [Item: Template] = Dictionary(
    (doubleFunctions + doubleTrigonometry).map { (Item($0.function, $0.dtype), $0) }
  ) { first, _ in first }

  /// How a function of the library is defined.
  struct Definition {
    var requires: [Item] = []
    var text: String
  }

  static func definition(of item: Item) -> Definition {
    if let structural = structure(of: item) { return structural }
    if let template = templates[item] {
      let requires = template.requires.map { Item($0, item.dtype) }
      return Definition(requires: requires, text: template.text)
    }
    if item.dtype.isFloatingPoint, let generic = genericFunction(item) { return generic }
    if item.lanes > 1 { return lanewise(item) }
    if item.function == "sqrt" { return root(item) }
    if item.function == "isInfinite" { return isInfinite(item) }
    if item.dtype.isFloatingPoint { return throughDouble(item) }
    return integerFunction(item)
  }

  private static func root(_ item: Item) -> Definition {
    let type = CDialect.c.scalarType(item.dtype)
    let suffix = item.dtype == .f32 ? "f" : ""
    return Definition(
      text: "INLINE \(type) \(item.name)(\(type) x) { return __builtin_sqrt\(suffix)(x); }")
  }

  private static func isInfinite(_ item: Item) -> Definition {
    let type = CDialect.c.scalarType(item.dtype)
    return Definition(
      text: "INLINE int \(item.name)(\(type) x) { return x == x && x - x != x - x; }")
  }

  private static func arity(_ function: String) -> Int {
    BinaryNames.all.contains(function) ? 2 : 1
  }

  /// A vector function that calls the scalar one for each lane.
  private static func lanewise(_ item: Item) -> Definition {
    let scalar = Item(item.function, item.dtype)
    let type = item.typeName
    let names = ["x", "y"].prefix(arity(item.function))
    let result = item.function == "widen" ? "f32x\(item.lanes)" : type
    let argument = item.function == "narrow" ? "f32x\(item.lanes)" : type
    return Definition(
      requires: [scalar],
      text: """
        INLINE \(result) \(item.name)(\(names.map { "\(argument) \($0)" }.joined(separator: ", "))) {
          \(result) r;
          #pragma GCC unroll \(item.lanes)
          for (int l = 0; l < \(item.lanes); l++) r[l] = \(scalar.name)(\(names.map { "\($0)[l]" }.joined(separator: ", ")));
          return r;
        }
        """)
  }

  /// A function on `f32` computed in `f64`.
  private static func throughDouble(_ item: Item) -> Definition {
    let double = Item(item.function, .f64)
    let names = ["x", "y"].prefix(arity(item.function))
    return Definition(
      requires: [double],
      text: """
        INLINE float \(item.name)(\(names.map { "float \($0)" }.joined(separator: ", "))) {
          return (float)\(double.name)(\(names.map { "(double)\($0)" }.joined(separator: ", ")));
        }
        """)
  }

  private enum BinaryNames {
    static let all: Set<String> = [
      "power", "atan2", "maximum", "minimum", "fmod", "remainder", "floorDivide", "divide",
      "randomBits",
    ]
  }

  private struct Emitter {
    private var emitted: Set<Item> = []
    private var widths: Set<Int> = []
    private var functions: [String] = []

    mutating func require(_ item: Item) {
      guard emitted.insert(item).inserted else { return }
      if item.lanes > 1 { widths.insert(item.lanes) }
      let definition = CLibrary.definition(of: item)
      for required in definition.requires { require(required) }
      functions.append(definition.text)
    }

    var text: String {
      guard !functions.isEmpty else { return "" }
      let inline = "#define INLINE static inline __attribute__((always_inline, unused))"
      let types = widths.sorted().flatMap(vectorTypes)
      let shuffle = functions.contains { $0.contains("G_SHUFFLE") } ? [CLibrary.shuffleMacro] : []
      return ([inline] + types + shuffle + functions + [""]).joined(separator: "\n")
    }

    /// `<type>x<lanes>` is a vector in a register, `<type>x<lanes>_u` one anywhere in memory.
    private func vectorTypes(_ lanes: Int) -> [String] {
      DType.allCases.flatMap { dtype -> [String] in
        let element = CDialect.c.memoryType(dtype)
        let name = Item("", dtype, lanes: lanes).typeName
        let size = "vector_size(\(lanes * dtype.sizeBytes))"
        return [
          "typedef \(element) \(name) __attribute__((\(size)));",
          "typedef \(element) \(name)_u __attribute__((\(size), aligned(1), may_alias));",
        ]
      }
    }
  }
}
