import KernelSpec

/// Functions with one text for scalars and vectors, and integer functions.
extension CLibrary {
  /// The words of a template: `$F` the type, `$I` the integer type of equal size, `$name` the type's name, `$c` the
  /// suffix of constants, `$Z` zero in every lane.
  static func genericFunction(_ item: Item) -> Definition? {
    if item.function == "pick" { return pick(item) }
    guard let template = genericTemplates[item.function] else { return nil }
    guard template.dtypes.contains(item.dtype) else { return nil }
    let float = item.lanes > 1 ? item.typeName : CDialect.c.scalarType(item.dtype)
    let integer = Item("", item.dtype == .f32 ? .i32 : .i64, lanes: item.lanes)
    let words = [
      "$name": item.typeName, "$Z": "(\(float)){0}", "$F": float,
      "$I": item.lanes > 1 ? integer.typeName : CDialect.c.scalarType(integer.dtype),
      "$c": item.dtype == .f32 ? "f" : "", "$whole": item.dtype == .f32 ? "0x1p23f" : "0x1p52",
    ]
    let text = words.reduce(template.text) { $0.replacingOccurrences($1.key, with: $1.value) }
    let requires = ["pick"] + template.requires
    return Definition(
      requires: requires.map { Item($0, item.dtype, lanes: item.lanes) }, text: text)
  }

  /// What templates need of a type: a choice, and conversions from and to integers and bits.
  private static func pick(_ item: Item) -> Definition {
    let bits = item.dtype == .f32 ? 32 : 64
    let name = item.typeName
    guard item.lanes > 1 else {
      let float = CDialect.c.scalarType(item.dtype)
      return Definition(
        text: """
          INLINE \(float) g_pick_\(name)(int m, \(float) x, \(float) y) { return m ? x : y; }
          INLINE int\(bits)_t g_toInt_\(name)(\(float) x) { return (int\(bits)_t)x; }
          INLINE \(float) g_toFloat_\(name)(int\(bits)_t x) { return (\(float))x; }
          INLINE int\(bits)_t g_asInt_\(name)(\(float) x) {
            union { int\(bits)_t i; \(float) f; } u;
            u.f = x;
            return u.i;
          }
          INLINE \(float) g_asFloat_\(name)(int\(bits)_t x) {
            union { int\(bits)_t i; \(float) f; } u;
            u.i = x;
            return u.f;
          }
          INLINE \(float) g_power2_\(name)(int\(bits)_t x) {
            union { int\(bits)_t i; \(float) f; } u;
            u.i = (int\(bits)_t)((uint\(bits)_t)(x + \(bits == 32 ? 127 : 1023)) << \(bits == 32 ? 23 : 52));
            return u.f;
          }
          """)
    }
    let integer = "i\(bits)x\(item.lanes)"
    return Definition(
      text: """
        INLINE \(name) g_pick_\(name)(\(integer) m, \(name) x, \(name) y) {
          return (\(name))((m & (\(integer))x) | (~m & (\(integer))y));
        }
        INLINE \(integer) g_toInt_\(name)(\(name) x) { return __builtin_convertvector(x, \(integer)); }
        INLINE \(name) g_toFloat_\(name)(\(integer) x) { return __builtin_convertvector(x, \(name)); }
        INLINE \(integer) g_asInt_\(name)(\(name) x) { return (\(integer))x; }
        INLINE \(name) g_asFloat_\(name)(\(integer) x) { return (\(name))x; }
        INLINE \(name) g_power2_\(name)(\(integer) x) {
          return (\(name))((x + \(bits == 32 ? 127 : 1023)) << \(bits == 32 ? 23 : 52));
        }
        """)
  }

  struct GenericTemplate: Sendable {
    var dtypes: Set<DType> = [.f32, .f64]
    var requires: [String] = []
    var text: String
  }

  /// Philox4x32-10: the first two of the words for a key and a counter of 64 bits.
  private static let philox = """
    (int64_t x, int64_t y) {
      uint32_t k0 = (uint32_t)x, k1 = (uint32_t)((uint64_t)x >> 32);
      uint32_t a = (uint32_t)y, b = (uint32_t)((uint64_t)y >> 32), c = 0, d = 0;
      for (int round = 0; round < 10; round++) {
        const uint64_t p = (uint64_t)a * 0xD2511F53u, q = (uint64_t)c * 0xCD9E8D57u;
        a = (uint32_t)(q >> 32) ^ b ^ k0;
        b = (uint32_t)q;
        c = (uint32_t)(p >> 32) ^ d ^ k1;
        d = (uint32_t)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      return (int64_t)(a | (uint64_t)b << 32);
    }
    """

  static func integerFunction(_ item: Item) -> Definition {
    let type = CDialect.c.scalarType(item.dtype)
    let body: String
    switch item.function {
    case "absolute": body = "(\(type) x) { return (\(type))(x < 0 ? -x : x); }"
    case "sign": body = "(\(type) x) { return (\(type))((x > 0) - (x < 0)); }"
    case "maximum": body = "(\(type) x, \(type) y) { return x > y ? x : y; }"
    case "minimum": body = "(\(type) x, \(type) y) { return x < y ? x : y; }"
    // Division by zero gives zero, and by -1 wraps: neither may trap.
    case "divide":
      body =
        "(\(type) x, \(type) y) { return (\(type))(y == 0 ? 0 : y == (\(type))-1 && y < 0 ? -x : x / y); }"
    case "fmod":
      body =
        "(\(type) x, \(type) y) { return (\(type))(y == 0 || (y == (\(type))-1 && y < 0) ? 0 : x % y); }"
    case "floorDivide":
      body = """
        (\(type) x, \(type) y) {
          if (y == 0) return 0;
          if (y < 0 && y == (\(type))-1) return (\(type))-x;
          \(type) q = (\(type))(x / y);
          return (\(type))(q - (x % y != 0 && (x < 0) != (y < 0)));
        }
        """
    case "remainder":
      body = """
        (\(type) x, \(type) y) {
          if (y == 0 || (y < 0 && y == (\(type))-1)) return 0;
          \(type) r = (\(type))(x % y);
          return (\(type))(r != 0 && (r < 0) != (y < 0) ? r + y : r);
        }
        """
    case "power":
      body = """
        (\(type) x, \(type) y) {
          if (y < 0) return (\(type))(x == 1 ? 1 : x == (\(type))-1 && x < 0 ? ((y & 1) ? -1 : 1) : 0);
          \(type) r = 1;
          for (; y; y = (\(type))(y >> 1)) { if (y & 1) r = (\(type))(r * x); x = (\(type))(x * x); }
          return r;
        }
        """
    case "randomBits": body = philox
    default: body = "(\(type) x) { return x; }"
    }
    return Definition(text: "INLINE \(type) \(item.name)\(body)")
  }
}

extension String {
  /// The text with every occurrence of `word` replaced.
  func replacingOccurrences(_ word: String, with replacement: String) -> String {
    split(separator: word, omittingEmptySubsequences: false).joined(separator: replacement)
  }
}
