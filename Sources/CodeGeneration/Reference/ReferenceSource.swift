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
    let stages = program.stages.indices.map {
      ReferenceStage(position: $0, program: program, layout: layout)
    }
    // The layers of a network repeat: of hundreds of stages most are the same but for their buffers.
    var functions: [String] = []
    var names: [String: String] = [:]
    let calls = stages.map { stage -> (function: String, buffers: [BufferID]) in
      let text = stage.text
      let name = names[text] ?? "stage\(functions.count)"
      if names[text] == nil { functions.append("static void \(name)\(text)") }
      names[text] = name
      return (name, stage.buffers)
    }
    let most = calls.map(\.buffers.count).max() ?? 1
    let text =
      ([prelude(most), ReferenceLibrary.text] + functions + [entry(program, layout, calls)])
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
    _ program: TensorProgram, _ layout: ReferenceLayout,
    _ calls: [(function: String, buffers: [BufferID])]
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
    for (stage, call) in zip(program.stages, calls) {
      // A stage with an order of its own runs as a whole.
      let count = stage.isOrdered ? 1 : stage.domain.first?.extent ?? 1
      let values = call.buffers.map(layout.address).joined(separator: ", ")
      let errors = call.buffers.map(layout.addressOfErrors).joined(separator: ", ")
      lines.append("  { reference_call call = {{\(values)}, {\(errors)}};")
      lines.append("  context->parallel_for(context, \(count), \(call.function), &call); }")
    }
    return (lines + ["  return 0;", "}", ""]).joined(separator: "\n")
  }
}
