import KernelSpec

/// The functions of ``CLibrary`` in OpenCL C: scalars only, and the language's own functions where it has them.
///
/// Those are as exact as OpenCL 1.2 asks (section 7.4: at most 16 units in the last place).
enum OpenCLLibrary {
  static func text(for items: Set<CLibrary.Item>) -> String {
    items.sorted().map { definition(of: $0) + "\n" }.joined()
  }

  private static func definition(of item: CLibrary.Item) -> String {
    switch item.function {
    case "widen": item.dtype == .bf16 ? widenBrain : widenHalf
    case "narrow": item.dtype == .bf16 ? narrowBrain : narrowHalf
    default: item.dtype.isFloatingPoint ? realFunction(item) : integerFunction(item)
    }
  }

  // MARK: - Floating point

  /// Functions that have another name in OpenCL.
  private static let builtins = [
    "absolute": "fabs", "round": "rint", "truncate": "trunc", "power": "pow",
    "expOfNonPositive": "exp",
  ]

  private static func realFunction(_ item: CLibrary.Item) -> String {
    let type = CDialect.openCL.scalarType(item.dtype)
    let one = "static inline \(type) \(item.name)(\(type) x)"
    let two = "static inline \(type) \(item.name)(\(type) x, \(type) y)"
    switch item.function {
    case "reciprocal": return "\(one) { return 1 / x; }"
    case "sigmoid": return "\(one) { return 1 / (1 + exp(-x)); }"
    case "sign": return "\(one) { return x > 0 ? 1 : x < 0 ? -1 : 0; }"
    case "isInfinite":
      return "static inline int \(item.name)(\(type) x) { return isinf(x) != 0; }"
    case "maximum": return "\(two) { return x > y || x != x ? x : y; }"
    case "minimum": return "\(two) { return x < y || x != x ? x : y; }"
    case "atan2", "fmod", "power":
      return "\(two) { return \(builtins[item.function] ?? item.function)(x, y); }"
    case "remainder":
      return """
        \(two) {
          \(type) r = fmod(x, y);
          return r != 0 && (r < 0) != (y < 0) ? r + y : r;
        }
        """
    case "floorDivide":
      return """
        \(two) {
          if (y == 0) return x / y;
          \(type) m = fmod(x, y), q = (x - m) / y;
          if (m != 0 && (y < 0) != (m < 0)) q -= 1;
          if (q == 0) return copysign(q, x / y);
          \(type) f = floor(q);
          return 2 * (q - f) > 1 ? f + 1 : f;
        }
        """
    default: return "\(one) { return \(builtins[item.function] ?? item.function)(x); }"
    }
  }

  // MARK: - Integers

  /// Arithmetic goes through `ulong`, which wraps; signed arithmetic that overflows is undefined.
  private static func integerFunction(_ item: CLibrary.Item) -> String {
    let type = CDialect.openCL.scalarType(item.dtype)
    let one = "static inline \(type) \(item.name)(\(type) x)"
    let two = "static inline \(type) \(item.name)(\(type) x, \(type) y)"
    let negated = "(\(type))(0 - (ulong)x)"
    switch item.function {
    case "absolute": return "\(one) { return x < 0 ? \(negated) : x; }"
    case "sign": return "\(one) { return (\(type))((x > 0) - (x < 0)); }"
    case "maximum": return "\(two) { return x > y ? x : y; }"
    case "minimum": return "\(two) { return x < y ? x : y; }"
    // Division by zero gives zero, and by -1 wraps: neither may trap.
    case "divide":
      return """
        \(two) {
          if (y == 0) return 0;
          return y < 0 && y == (\(type))-1 ? \(negated) : (\(type))(x / y);
        }
        """
    case "fmod":
      return """
        \(two) { return y == 0 || (y < 0 && y == (\(type))-1) ? 0 : (\(type))(x % y); }
        """
    case "floorDivide":
      return """
        \(two) {
          if (y == 0) return 0;
          if (y < 0 && y == (\(type))-1) return \(negated);
          return (\(type))(x / y - (x % y != 0 && (x < 0) != (y < 0)));
        }
        """
    case "remainder":
      return """
        \(two) {
          if (y == 0 || (y < 0 && y == (\(type))-1)) return 0;
          \(type) r = (\(type))(x % y);
          return (\(type))(r != 0 && (r < 0) != (y < 0) ? r + y : r);
        }
        """
    case "power":
      return """
        \(two) {
          if (y < 0) return (\(type))(x == 1 ? 1 : x == (\(type))-1 && x < 0 ? ((y & 1) ? -1 : 1) : 0);
          ulong r = 1, b = (ulong)x;
          for (; y; y = (\(type))(y >> 1)) { if (y & 1) r *= b; b *= b; }
          return (\(type))r;
        }
        """
    case "randomBits": return "\(two) \(philox)"
    default: return "\(one) { return x; }"
    }
  }

  /// Philox4x32-10: the first two of the words for a key and a counter of 64 bits.
  private static let philox = """
    {
      uint k0 = (uint)x, k1 = (uint)((ulong)x >> 32);
      uint a = (uint)y, b = (uint)((ulong)y >> 32), c = 0, d = 0;
      for (int round = 0; round < 10; round++) {
        const ulong p = (ulong)a * 0xD2511F53u, q = (ulong)c * 0xCD9E8D57u;
        a = (uint)(q >> 32) ^ b ^ k0;
        b = (uint)q;
        c = (uint)(p >> 32) ^ d ^ k1;
        d = (uint)p;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      return (long)(a | (ulong)b << 32);
    }
    """

  // MARK: - 16-bit floating point

  private static let widenBrain = """
    static inline float g_widen_bf16(ushort x) { return as_float((uint)x << 16); }
    """

  private static let narrowBrain = """
    static inline ushort g_narrow_bf16(float x) {
      uint i = as_uint(x);
      if ((i & 0x7fffffff) > 0x7f800000) return (ushort)(i >> 16 | 64);
      return (ushort)((i + 0x7fff + (i >> 16 & 1)) >> 16);
    }
    """

  /// No step needs denormals of `float`, which a device may flush to zero.
  private static let widenHalf = """
    static inline float g_widen_f16(ushort x) {
      uint sign = (uint)(x & 0x8000) << 16, e = x >> 10 & 31, m = x & 0x3ff;
      if (e == 31) return as_float(sign | 0x7f800000 | m << 13);
      if (e == 0) return as_float(sign | as_uint((float)m * 0x1p-24f));
      return as_float(sign | (e + 112) << 23 | m << 13);
    }
    """

  private static let narrowHalf = """
    static inline ushort g_narrow_f16(float x) {
      uint i = as_uint(x), sign = i >> 16 & 0x8000, a = i & 0x7fffffff, r;
      if (a >= 0x47800000) r = a > 0x7f800000 ? 0x7e00 : 0x7c00;
      else if (a < 0x38800000) r = as_uint(as_float(a) + 0.5f) - 0x3f000000;
      else r = (a + 0xc8000fff + (a >> 13 & 1)) >> 13;
      return (ushort)(r | sign);
    }
    """
}
