import KernelSpec

/// Loads, stores, selections, conversions and reductions: functions whose text follows from the type.
extension CLibrary {
  static func structure(of item: Item) -> Definition? {
    if item.dtype.isHalf && (item.function == "widen" || item.function == "narrow") {
      return conversion(item)
    }
    guard item.lanes > 1 else { return nil }
    switch item.function {
    case "set": return set(item)
    case "load": return load(item)
    case "load_even": return loadEven(item)
    case "load_evens": return loadHalf(item, from: 0)
    case "load_odds": return loadHalf(item, from: 1)
    case "store", "stream": return store(item)
    case "select": return select(item)
    case "prefix_add": return prefixSum(item)
    case "last": return last(item)
    case let name where name.hasPrefix("reduce_"): return reduction(item)
    default: return nil
    }
  }

  /// The vector type of values in registers: `bool` is `i32`.
  private static func valueType(_ item: Item) -> String {
    item.dtype == .bool ? "i32x\(item.lanes)" : item.typeName
  }

  private static func set(_ item: Item) -> Definition {
    let element = item.dtype == .bool ? "-x" : "x"
    let elements = [String](repeating: element, count: item.lanes).joined(separator: ", ")
    let type = valueType(item)
    let argument = CDialect.c.scalarType(item.dtype)
    return Definition(
      text: "INLINE \(type) \(item.name)(\(argument) x) { return (\(type)){\(elements)}; }")
  }

  private static func load(_ item: Item) -> Definition {
    let vector = "*(const \(item.typeName)_u *)p"
    let value =
      item.dtype == .bool
      ? "(\(valueType(item)))(__builtin_convertvector(\(vector), \(valueType(item))) != 0)" : vector
    let element = CDialect.c.memoryType(item.dtype)
    return Definition(
      text: "INLINE \(valueType(item)) \(item.name)(const \(element) *p) { return \(value); }")
  }

  /// Every second element; none beyond the last of them is read.
  private static func loadEven(_ item: Item) -> Definition {
    let places = (0..<item.lanes).map { lane in
      "\(2 * lane < item.lanes ? 2 * lane : 2 * lane + 1)"
    }
    let vector = "*(const \(item.typeName)_u *)"
    let element = CDialect.c.memoryType(item.dtype)
    return Definition(
      text: """
        INLINE \(item.typeName) \(item.name)(const \(element) *p) {
          const \(item.typeName) x = \(vector)p, y = \(vector)(p + \(item.lanes - 1));
          return G_SHUFFLE(i\(item.dtype.sizeBytes * 8)x\(item.lanes), x, y, \(places.joined(separator: ", ")));
        }
        """)
  }

  /// Every second element of two vectors, from the first or the second on: loads of both halves share them.
  private static func loadHalf(_ item: Item, from start: Int) -> Definition {
    let places = (0..<item.lanes).map { "\(2 * $0 + start)" }.joined(separator: ", ")
    let vector = "*(const \(item.typeName)_u *)"
    let element = CDialect.c.memoryType(item.dtype)
    return Definition(
      text: """
        INLINE \(item.typeName) \(item.name)(const \(element) *p) {
          const \(item.typeName) x = \(vector)p, y = \(vector)(p + \(item.lanes));
          return G_SHUFFLE(i\(item.dtype.sizeBytes * 8)x\(item.lanes), x, y, \(places));
        }
        """)
  }

  private static func store(_ item: Item) -> Definition {
    let element = CDialect.c.memoryType(item.dtype)
    let value =
      item.dtype == .bool ? "__builtin_convertvector(v & 1, \(item.typeName))" : "v"
    let plain = "*(\(item.typeName)_u *)p = \(value);"
    let head = "INLINE void \(item.name)(\(element) *p, \(valueType(item)) v) {"
    guard item.function == "stream" else { return Definition(text: "\(head) \(plain) }") }
    let size = item.lanes * item.dtype.sizeBytes
    return Definition(
      text: """
        \(head)
        #if defined(__clang__)
          if (((uintptr_t)p & \(size - 1)) == 0) {
            __builtin_nontemporal_store(\(value), (\(item.typeName) *)p);
            return;
          }
        #endif
          \(plain)
        }
        """)
  }

  private static func select(_ item: Item) -> Definition {
    let type = valueType(item)
    let size = item.dtype == .bool ? 4 : item.dtype.sizeBytes
    let bits = "i\(size * 8)x\(item.lanes)"
    let mask = size == 4 ? "m" : "__builtin_convertvector(m, \(bits))"
    return Definition(
      text: """
        INLINE \(type) \(item.name)(i32x\(item.lanes) m, \(type) x, \(type) y) {
          \(bits) k = \(mask);
          return (\(type))((k & (\(bits))x) | (~k & (\(bits))y));
        }
        """)
  }

  /// Combines halves until one element is left.
  private static func reduction(_ item: Item) -> Definition {
    let function = String(item.function.dropFirst("reduce_".count))
    if let combined = wholeCombination(function, item) { return shuffled(item, combined) }
    let scalar = Item(function, item.dtype)
    let element = CDialect.c.scalarType(item.dtype)
    return Definition(
      requires: [scalar],
      text: """
        INLINE \(element) \(item.name)(\(valueType(item)) x) {
          \(element) a[\(item.lanes)];
          for (int l = 0; l < \(item.lanes); l++) a[l] = x[l];
          for (int s = \(item.lanes / 2); s > 0; s /= 2)
            for (int l = 0; l < s; l++) a[l] = (\(element))\(scalar.name)(a[l], a[l + s]);
          return a[0];
        }
        """)
  }

  /// The combination of the vectors `x` and `y`, and what it uses; `nil` where there is only one for scalars.
  private static func wholeCombination(
    _ function: String, _ item: Item
  ) -> (text: String, requires: [Item])? {
    switch function {
    case "add": return ("x + y", [])
    case "multiply": return ("x * y", [])
    case "logicalOr": return ("x | y", [])
    case "logicalAnd": return ("x & y", [])
    default:
      guard item.dtype.isFloatingPoint else { return nil }
      let whole = Item(function, item.dtype, lanes: item.lanes)
      return ("\(whole.name)(x, y)", [whole])
    }
  }

  /// A reduction by shuffles, each of which brings the upper half of what is left to the lower.
  private static func shuffled(
    _ item: Item, _ combination: (text: String, requires: [Item])
  ) -> Definition {
    let type = valueType(item)
    let bits = item.dtype == .bool ? 32 : item.dtype.sizeBytes * 8
    var steps: [String] = []
    var half = item.lanes / 2
    while half > 0 {
      let places = (0..<item.lanes).map { "\(($0 + half) % item.lanes)" }.joined(separator: ", ")
      steps.append("  y = G_SHUFFLE(i\(bits)x\(item.lanes), x, x, \(places));")
      steps.append("  x = \(combination.text);")
      half /= 2
    }
    return Definition(
      requires: combination.requires,
      text: """
        INLINE \(CDialect.c.scalarType(item.dtype)) \(item.name)(\(type) x) {
          \(type) y;
        \(steps.joined(separator: "\n"))
          return \(item.dtype == .bool ? "x[0] != 0" : "x[0]");
        }
        """)
  }

  /// In each lane the sum of it and all before it.
  private static func prefixSum(_ item: Item) -> Definition {
    let bits = item.dtype.sizeBytes * 8
    // A compiler that knows of the zeros shifts by expansion under a mask, which takes several times as long as a
    // permutation on Zen 5 (cumsum of rows of 4096: 1.67 times as fast with it hidden).
    let hidden = """
      #if defined(__AVX512F__)
        __asm__("" : "+v"(z));
      #endif

      """
    var steps: [String] = []
    var step = 1
    while step < item.lanes {
      let places = (0..<item.lanes).map { $0 < step ? "\(item.lanes)" : "\($0 - step)" }
        .joined(separator: ", ")
      steps.append("  x += G_SHUFFLE(i\(bits)x\(item.lanes), x, z, \(places));")
      step *= 2
    }
    return Definition(
      text: """
        INLINE \(item.typeName) \(item.name)(\(item.typeName) x) {
          \(item.typeName) z = {0};
        \(item.lanes * item.dtype.sizeBytes == 64 ? hidden : "")\(steps.joined(separator: "\n"))
          return x;
        }
        """)
  }

  /// The last lane in every lane.
  private static func last(_ item: Item) -> Definition {
    let bits = item.dtype.sizeBytes * 8
    let places = [String](repeating: "\(item.lanes - 1)", count: item.lanes)
      .joined(separator: ", ")
    return Definition(
      text: """
        INLINE \(item.typeName) \(item.name)(\(item.typeName) x) {
          return G_SHUFFLE(i\(bits)x\(item.lanes), x, x, \(places));
        }
        """)
  }

  /// Picks lanes of `x`, counted from 0, and of `y`, which come after; the positions have the integer type `I`.
  static let shuffleMacro = """
    #if defined(__clang__)
    #define G_SHUFFLE(I, x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
    #else
    #define G_SHUFFLE(I, x, y, ...) __builtin_shuffle(x, y, (I){__VA_ARGS__})
    #endif
    """

  // MARK: - 16-bit floating point

  private static func conversion(_ item: Item) -> Definition? {
    if item.lanes > 1 {
      guard item.dtype == .bf16 else { return nil }
      return item.function == "widen" ? widenBrains(item) : narrowBrains(item)
    }
    switch (item.function, item.dtype) {
    case ("widen", .bf16): return Definition(text: widenBrain)
    case ("narrow", .bf16): return Definition(text: narrowBrain)
    case ("widen", _): return Definition(text: widenHalf)
    default: return Definition(text: narrowHalf)
    }
  }

  private static func widenBrains(_ item: Item) -> Definition {
    let (wide, bits) = ("f32x\(item.lanes)", "i32x\(item.lanes)")
    return Definition(
      text: """
        INLINE \(wide) \(item.name)(\(item.typeName) x) {
          return (\(wide))(__builtin_convertvector(x, \(bits)) << 16);
        }
        """)
  }

  private static func narrowBrains(_ item: Item) -> Definition {
    let (wide, bits) = ("f32x\(item.lanes)", "i32x\(item.lanes)")
    return Definition(
      text: """
        INLINE \(item.typeName) \(item.name)(\(wide) x) {
          \(bits) b = (\(bits))x, nan = (\(bits))(x != x);
          \(bits) r = (b + 0x7fff + ((b >> 16) & 1)) >> 16;
          r = (nan & ((b >> 16) | 64)) | (~nan & r);
          return __builtin_convertvector(r, \(item.typeName));
        }
        """)
  }

  private static let widenBrain = """
    INLINE float g_widen_bf16(uint16_t x) {
      union { uint32_t i; float f; } u;
      u.i = (uint32_t)x << 16;
      return u.f;
    }
    """

  private static let narrowBrain = """
    INLINE uint16_t g_narrow_bf16(float x) {
      union { float f; uint32_t i; } u;
      u.f = x;
      if (x != x) return (uint16_t)(u.i >> 16 | 64);
      return (uint16_t)((u.i + 0x7fff + (u.i >> 16 & 1)) >> 16);
    }
    """

  /// F. Giesen's conversions: a multiplication places the exponent and makes denormals exact.
  private static let widenHalf = """
    INLINE float g_widen_f16(uint16_t x) {
      union { uint32_t i; float f; } u;
      u.i = (uint32_t)(x & 0x7fff) << 13;
      u.f *= 0x1p112f;
      if ((x & 0x7c00) == 0x7c00) u.i |= 0x7f800000;
      u.i |= (uint32_t)(x & 0x8000) << 16;
      return u.f;
    }
    """

  private static let narrowHalf = """
    INLINE uint16_t g_narrow_f16(float x) {
      union { float f; uint32_t i; } u;
      u.f = x;
      uint32_t sign = u.i >> 16 & 0x8000, r;
      u.i &= 0x7fffffff;
      if (u.i >= 0x47800000) r = u.i > 0x7f800000 ? 0x7e00 : 0x7c00;
      else if (u.i < 0x38800000) { u.f += 0.5f; r = u.i - 0x3f000000; }
      else r = (u.i + 0xc8000fff + (u.i >> 13 & 1)) >> 13;
      return (uint16_t)(r | sign);
    }
    """
}
