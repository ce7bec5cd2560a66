package import KernelSpec
package import TensorProgram

/// Plain C in double precision that computes what a program means, and how far a right evaluation may be from it.
///
/// It judges the kernels that sketches make, so it shares nothing with their rendering: naive loops, libm, no
/// fusion. Floating-point values are `double` and integers `int64_t` everywhere. The outputs are the program's, as
/// `f64`, or `i64` for integers and `bool`; then, for each of them, the largest error of each element as `f32`.
package enum ReferenceSource {
  /// The source for `program`; it needs libm, which its options name (`-lm`).
  ///
  /// - Parameter largeSum: how many terms all elements of a stage must have for its loops to be arranged for speed.
  ///   Those of smaller ones run sooner than more text is compiled.
  package static func make(for whole: TensorProgram, largeSum: Int = 1 << 20) -> KernelSource {
    let program = whole.computingLargeTemporariesInPlace().writingPaddingOut(largeSum: largeSum)
    let layout = ReferenceLayout(program)
    var functions = ReferenceFunctions()
    let statements = program.stages.indices.flatMap { position in
      ReferenceRecurrence(position: position, layout)?.statements(&functions)
        ?? functions.call(
          ReferenceStage(position: position, program: program, layout: layout, largeSum: largeSum),
          values: layout.address, errors: layout.addressOfErrors)
    }
    let text =
      ([prelude(functions.mostBuffers), ReferenceLibrary.text] + functions.texts
      + [entry(program, layout, statements)])
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

  /// - Parameter count: the most buffers that a stage uses.
  private static func prelude(_ count: Int) -> String {
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
    _ program: TensorProgram, _ layout: ReferenceLayout, _ statements: [String]
  ) -> String {
    var lines = [
      "int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,",
      "                      const granary_context *context) {",
      "  char *memory = workspace;", "  (void)memory; (void)inputs;",
    ]
    for (position, output) in program.outputs.enumerated() where layout.exact.contains(output) {
      let size = program[output].type.elementCount * 4
      lines.append("  memset(outputs[\(program.outputs.count + position)], 0, \(size));")
    }
    return (lines + statements + ["  return 0;", "}", ""]).joined(separator: "\n")
  }
}
