package import KernelSpec
package import TensorProgram

/// Plain C in double precision that computes what a program means, and how far a right evaluation may be from it.
///
/// It judges the kernels that sketches make, so it shares nothing with their rendering: naive loops, libm, no
/// fusion. Floating-point values are `double` and integers `int64_t` everywhere. The outputs are the program's, as
/// `f64`, or `i64` for integers and `bool`; then, for each of them, the largest error of each element as `f32`.
package enum ReferenceSource {
  /// The source for `program`; it needs libm, which its options name (`-lm`).
  package static func make(for whole: TensorProgram) -> KernelSource {
    let program = whole.computingLargeTemporariesInPlace()
    let layout = ReferenceLayout(program)
    let loops = program.stages.indices.map { ReferenceRecurrence(position: $0, layout) }
    let functions = loops.enumerated().flatMap { position, loop in
      loop?.functions
        ?? [ReferenceStage(position: position, program: program, layout: layout).text]
    }
    let buffers = loops.reduce(max(program.buffers.count, 1)) { max($0, $1?.bufferCount ?? 0) }
    let text =
      ([prelude(bufferCount: buffers), ReferenceLibrary.text] + functions
      + [entry(program, layout, loops)])
      .joined(separator: "\n")
    let values = program.outputs.map { buffer -> TensorType in
      let type = program[buffer].type
      return TensorType(type.dtype.isFloatingPoint ? .f64 : .i64, type.shape)
    }
    let errors = program.outputs.map { TensorType(.f32, program[$0].type.shape) }
    return KernelSource(
      language: .c, text: text,
      // Without -fno-trapping-math: with it, gcc 12 mixes up the masks of vectors when a loop chooses between a
      // widened number and a constant by a comparison of 64-bit integers (-O3 with AVX-512).
      compilerOptions: [
        "-O3", "-fno-math-errno", "-fwrapv", "-mprefer-vector-width=512", "-lm",
      ],
      interface: KernelInterface(
        entryPoint: "granary_entry", inputs: program.inputs.map { program[$0].type },
        outputs: values + errors, inputDomains: program.inputDomains,
        workspaceBytes: layout.workspaceBytes, alignmentBytes: 64))
  }

  private static func prelude(bufferCount count: Int) -> String {
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

    typedef struct { void *buffer[\(count)]; float *error[\(count)]; } reference_call;

    """
  }

  private static func entry(
    _ program: TensorProgram, _ layout: ReferenceLayout, _ loops: [ReferenceRecurrence?]
  ) -> String {
    var lines = [
      "int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,",
      "                      const granary_context *context) {", "  reference_call call;",
      "  char *memory = workspace;", "  (void)memory; (void)inputs;",
    ]
    for position in program.buffers.indices {
      let buffer = BufferID(position)
      lines.append("  call.buffer[\(position)] = \(layout.address(of: buffer));")
      lines.append("  call.error[\(position)] = \(layout.addressOfErrors(of: buffer));")
    }
    for (position, output) in program.outputs.enumerated() where layout.exact.contains(output) {
      let size = program[output].type.elementCount * 4
      lines.append("  memset(outputs[\(program.outputs.count + position)], 0, \(size));")
    }
    for (position, stage) in program.stages.enumerated() {
      if let loop = loops[position] {
        lines += loop.statements
        continue
      }
      // A stage with an order of its own runs as a whole.
      let count = stage.isOrdered ? 1 : stage.domain.first?.extent ?? 1
      lines.append("  context->parallel_for(context, \(count), stage\(position), &call);")
    }
    return (lines + ["  return 0;", "}", ""]).joined(separator: "\n")
  }
}
