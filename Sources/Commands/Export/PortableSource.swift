package import KernelSpec

/// The source of a kernel as two files that a program is built with: C, and a header for C and C++.
///
/// The C file needs a compiler with vector extensions (gcc or clang) and a C library, and no other file but its
/// header. It defines `NAME_portable`, a `granary_fallback` of `granary.h`, which runs the kernel on the thread that
/// calls it; with `GRANARY_PORTABLE_ONLY` also `NAME`, which the header declares with the types of the tensors.
package struct PortableSource {
  package var name: String
  /// The names of the inputs, in the order of the kernel.
  package var inputs: [String]
  /// What identifies the spec: the SHA-256 of the file that holds it.
  package var specDigest: Digest
  package var artifact: Digest
  package var source: KernelSource

  package init(
    name: String, inputs: [String], specDigest: Digest, artifact: Digest, source: KernelSource
  ) {
    self.name = name
    self.inputs = inputs
    self.specDigest = specDigest
    self.artifact = artifact
    self.source = source
  }

  /// Whether a name can be that of a C function or parameter.
  package static func isIdentifier(_ name: String) -> Bool {
    guard let first = name.utf8.first, first == UInt8(ascii: "_") || isLetter(first) else {
      return false
    }
    return name.utf8.allSatisfy {
      isLetter($0) || $0 == UInt8(ascii: "_") || (UInt8(ascii: "0")...UInt8(ascii: "9")) ~= $0
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")) ~= byte | 0x20
  }

  /// The header, `NAME.h`.
  package var header: String {
    """
    /* Written by `granary export-source`. */
    #pragma once
    #include <stdint.h>
    #ifdef __cplusplus
    extern "C" {
    #endif
    /* Returns 0, or a status of granary.h. Inputs as the spec lays them out, outputs contiguous. */
    int32_t \(name)(\(parameters));
    /* The kernel of this source tree, on the thread that calls it: a granary_fallback. */
    int32_t \(name)_portable(void *argument, const void *const *inputs, void *const *outputs);
    #ifdef __cplusplus
    }
    #endif

    """
  }

  /// The C file. Its first lines are read by the build's rules.
  package var text: String {
    """
    /* Written by `granary export-source`; not to be edited.
     * granary-spec: \(specDigest)
     * granary-artifact: \(artifact)
     * granary-options: \(source.compilerOptions.joined(separator: " "))
     */
    #include <stdlib.h>
    #include <string.h>

    #include "\(name).h"

    #define \(source.interface.entryPoint) \(name)_kernel
    \(source.text)
    \(glue)
    #ifdef GRANARY_PORTABLE_ONLY
    int32_t \(name)(\(parameters)) {
      const void *inputs[] = {\(inputs.joined(separator: ", "))};
      void *outputs[] = {\(outputNames.joined(separator: ", "))};
      return \(name)_portable(0, inputs, outputs);
    }
    #endif

    """
  }

  /// Gives the kernel the alignment and the memory that it expects.
  private var glue: String {
    let interface = source.interface
    let alignment = max(interface.alignmentBytes, 64)
    let workspace = max(interface.workspaceBytes, 1)
    return """

      static void \(name)_in_turn(const granary_context *context, int64_t count, granary_body body, void *argument) {
        (void)context;
        for (int64_t index = 0; index < count; index++) body(argument, index, 0);
      }

      static void *\(name)_allocated(size_t bytes) {
        return aligned_alloc(\(alignment), (bytes + \(alignment - 1)) / \(alignment) * \(alignment));
      }

      int32_t \(name)_portable(void *argument, const void *const *inputs, void *const *outputs) {
        enum { INPUTS = \(interface.inputs.count), OUTPUTS = \(interface.outputs.count) };
        static const size_t input_bytes[] = {\(Self.sizes(interface.inputs))};
        static const size_t output_bytes[] = {\(Self.sizes(interface.outputs))};
        const void *given[INPUTS + 1];
        void *taken[OUTPUTS + 1], *copies[INPUTS + OUTPUTS + 1];
        int32_t status = 107, count = 0;
        (void)argument;
        copies[count++] = \(name)_allocated(\(workspace));
        for (int i = 0; i < INPUTS; i++) {
          given[i] = inputs[i];
          if ((uintptr_t)inputs[i] % \(alignment) == 0) continue;
          void *copy = copies[count++] = \(name)_allocated(input_bytes[i]);
          if (copy) memcpy(copy, inputs[i], input_bytes[i]);
          given[i] = copy;
        }
        for (int i = 0; i < OUTPUTS; i++) {
          taken[i] = outputs[i];
          if ((uintptr_t)outputs[i] % \(alignment) != 0) taken[i] = copies[count++] = \(name)_allocated(output_bytes[i]);
        }
        int whole = 1;
        for (int i = 0; i < count; i++) whole = whole && copies[i];
        if (whole) {
          granary_context context = {sizeof context, 1, \(name)_in_turn, 0};
          status = \(name)_kernel(given, taken, copies[0], &context);
          for (int i = 0; status == 0 && i < OUTPUTS; i++)
            if (taken[i] != outputs[i]) memcpy(outputs[i], taken[i], output_bytes[i]);
        }
        while (count > 0) free(copies[--count]);
        return status;
      }
      """
  }

  private static func sizes(_ types: [TensorType]) -> String {
    // A last one, for C has no arrays of none.
    (types.map { "\(max($0.storageBytes, 1))" } + ["0"]).joined(separator: ", ")
  }

  private var outputNames: [String] { source.interface.outputs.indices.map { "out\($0)" } }

  private var parameters: String {
    let given = zip(source.interface.inputs, inputs)
      .map { "const \(Self.cType($0.dtype)) *\($1)" }
    let written = zip(source.interface.outputs, outputNames).map {
      "\(Self.cType($0.dtype)) *\($1)"
    }
    return (given + written).joined(separator: ", ")
  }

  /// 16-bit floats are their raw words.
  private static func cType(_ dtype: DType) -> String {
    switch dtype {
    case .f64: "double"
    case .f32: "float"
    case .f16, .bf16: "uint16_t"
    case .i64: "int64_t"
    case .i32: "int32_t"
    case .i16: "int16_t"
    case .i8: "int8_t"
    case .u8, .bool: "uint8_t"
    }
  }
}
