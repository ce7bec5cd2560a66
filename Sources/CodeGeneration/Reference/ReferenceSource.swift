package import KernelSpec
package import TensorProgram

/// Plain C in double precision that computes what a program means.
///
/// It judges the kernels that sketches make, so it shares nothing with their rendering: naive loops, libm, no
/// fusion. Floating-point values are `double` and integers `int64_t` everywhere; every output is `f64`, or `i64`
/// for integers and `bool`.
package enum ReferenceSource {
  /// The source for `program`; it needs libm, which its options name (`-lm`).
  package static func make(for program: TensorProgram) -> KernelSource {
    let layout = ReferenceLayout(program)
    let observed = program.observedBuffers
    let functions = program.stages.indices.map {
      ReferenceStage(position: $0, program: program, observed: observed).text
    }
    let text = ([prelude(program), library] + functions + [entry(program, layout)]).joined(
      separator: "\n")
    let outputs = program.outputs.map { buffer -> TensorType in
      let type = program[buffer].type
      return TensorType(type.dtype.isFloatingPoint ? .f64 : .i64, type.shape)
    }
    return KernelSource(
      language: .c, text: text,
      // Without -fno-trapping-math: with it, gcc 12 mixes up the masks of vectors when a loop chooses between a
      // widened number and a constant by a comparison of 64-bit integers (-O3 with AVX-512).
      compilerOptions: ["-O3", "-fno-math-errno", "-fwrapv", "-lm"],
      interface: KernelInterface(
        entryPoint: "granary_entry", inputs: program.inputs.map { program[$0].type },
        outputs: outputs, inputDomains: program.inputDomains,
        workspaceBytes: layout.workspaceBytes, alignmentBytes: 64))
  }

  private static func prelude(_ program: TensorProgram) -> String {
    """
    #include <math.h>
    #include <stdint.h>
    #include <string.h>

    typedef void (*granary_body)(void *argument, int64_t index, int32_t thread);
    typedef struct granary_context {
      uint32_t size;
      int32_t thread_count;
      void (*parallel_for)(const struct granary_context *context, int64_t count, granary_body body,
                           void *argument);
      void *host;
    } granary_context;

    typedef struct { void *buffer[\(max(program.buffers.count, 1))]; } reference_call;

    static inline double from_bf16(uint16_t x) {
      uint32_t bits = (uint32_t)x << 16;
      float f;
      memcpy(&f, &bits, 4);
      return f;
    }
    static inline double from_f16(uint16_t x) {
      int exponent = x >> 10 & 31, fraction = x & 1023;
      double size = exponent == 31 ? (fraction ? NAN : INFINITY)
          : exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24);
      return x & 0x8000 ? -size : size;
    }
    static inline double to_f32(double x) { return (double)(float)x; }
    /* The nearest number with the given bits after the point and exponents from least to most, ties to even. */
    static inline double nearest(double x, int digits, int least, double most) {
      if (x != x) return x;
      if (fabs(x) < ldexp(1.0, least)) {
        /* Its last bit is that of the smallest number. */
        const double lift = ldexp(1.5, 52 + least - digits);
        return copysign((x + lift) - lift, x);
      }
      uint64_t bits;
      memcpy(&bits, &x, 8);
      const uint64_t half = UINT64_C(1) << (51 - digits);
      bits = (bits + half - 1 + (bits >> (52 - digits) & 1)) & -(half << 1);
      memcpy(&x, &bits, 8);
      return fabs(x) > most ? copysign(INFINITY, x) : x;
    }
    static inline double to_f16(double x) { return nearest(x, 10, -14, 65504.0); }
    static inline double to_bf16(double x) { return nearest(x, 7, -126, 0x1.FEp127); }
    """
  }

  /// What expressions call.
  private static let library = """
    static inline double larger(double x, double y) { return x != x || x > y ? x : y; }
    static inline double smaller(double x, double y) { return x != x || x < y ? x : y; }
    static inline int64_t quotient(int64_t x, int64_t y) { return y == 0 ? 0 : y == -1 ? -x : x / y; }
    static inline int64_t dividend_sign(int64_t x, int64_t y) { return y == 0 || y == -1 ? 0 : x % y; }
    static inline int64_t divisor_sign(int64_t x, int64_t y) {
      int64_t r = dividend_sign(x, y);
      return r != 0 && (r < 0) != (y < 0) ? r + y : r;
    }
    static inline int64_t floor_quotient(int64_t x, int64_t y) {
      return y == 0 ? 0 : quotient(x - divisor_sign(x, y), y);
    }
    static inline double float_divisor_sign(double x, double y) {
      double r = fmod(x, y);
      return r != 0 ? ((r < 0) != (y < 0) ? r + y : r) : r;
    }
    static inline double float_floor_quotient(double x, double y) {
      if (y == 0) return x / y;
      double r = fmod(x, y), q = (x - r) / y;
      if (r != 0 && (r < 0) != (y < 0)) q -= 1;
      return q == 0 ? copysign(0.0, x / y) : nearbyint(q);
    }
    static inline int64_t integer_power(int64_t x, int64_t y) {
      if (y < 0) return x == 1 ? 1 : x == -1 ? (y & 1 ? -1 : 1) : 0;
      int64_t r = 1;
      for (; y; y >>= 1, x *= x) if (y & 1) r *= x;
      return r;
    }
    static inline int64_t random_bits(int64_t key, int64_t counter) {
      uint32_t k0 = (uint32_t)key, k1 = (uint32_t)((uint64_t)key >> 32);
      uint32_t w[4] = {(uint32_t)counter, (uint32_t)((uint64_t)counter >> 32), 0, 0};
      for (int round = 0; round < 10; round++) {
        uint64_t p = (uint64_t)w[0] * 0xD2511F53u, q = (uint64_t)w[2] * 0xCD9E8D57u;
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ w[1] ^ k0, (uint32_t)q,
                            (uint32_t)(p >> 32) ^ w[3] ^ k1, (uint32_t)p};
        memcpy(w, next, sizeof w);
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
      }
      return (int64_t)(w[0] | (uint64_t)w[1] << 32);
    }
    static inline double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

    """

  private static func entry(_ program: TensorProgram, _ layout: ReferenceLayout) -> String {
    var lines = [
      "int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,",
      "                      const granary_context *context) {", "  reference_call call;",
      "  char *memory = workspace;", "  (void)memory; (void)inputs;",
    ]
    for position in program.buffers.indices {
      lines.append("  call.buffer[\(position)] = \(layout.address(of: BufferID(position)));")
    }
    for (position, stage) in program.stages.enumerated() {
      // A stage with an order of its own runs as a whole.
      let count = stage.isOrdered ? 1 : stage.domain.first?.extent ?? 1
      lines.append("  context->parallel_for(context, \(count), stage\(position), &call);")
    }
    return (lines + ["  return 0;", "}", ""]).joined(separator: "\n")
  }
}

/// Where the reference keeps intermediate buffers: one after the other, eight bytes an element.
private struct ReferenceLayout {
  let program: TensorProgram
  private(set) var offsets: [BufferID: Int] = [:]
  private(set) var workspaceBytes = 0

  init(_ program: TensorProgram) {
    self.program = program
    let external = Set(program.inputs + program.outputs)
    for stage in program.stages where !external.contains(stage.output) {
      offsets[stage.output] = workspaceBytes
      let size = program[stage.output].type.elementCount * 8
      workspaceBytes += (size + 63) / 64 * 64
    }
  }

  func address(of buffer: BufferID) -> String {
    if let input = program.inputs.firstIndex(of: buffer) { return "(void *)inputs[\(input)]" }
    if let output = program.outputs.firstIndex(of: buffer) { return "outputs[\(output)]" }
    return offsets[buffer].map { "memory + \($0)" } ?? "0"
  }
}
