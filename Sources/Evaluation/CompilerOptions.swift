import KernelSpec

/// The options that a kernel is compiled with.
enum CompilerOptions {
  /// Always given. Contraction to fused multiply-adds is allowed; reordering of sums is not, unless
  /// a source asks for it.
  private static let fixed = [
    "-std=gnu11", "-shared", "-fPIC", "-march=native", "-ffp-contract=fast", "-fno-math-errno",
    "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-nostdlib",
    "-ffunction-sections", "-Wl,--gc-sections", "-Wl,--no-undefined", "-Wl,-z,relro,-z,now",
    "-Wl,-z,noexecstack", "-Wl,--build-id=none", "-Wl,-s", "-w",
  ]

  /// The first option that could reach files, plugins or other programs, if any.
  static func refused(in options: [String], for purpose: CompilationPurpose) -> String? {
    options.first { option in
      if option == "-lm" { return purpose != .reference }
      // Of the options of the machine only those that choose no other instruction set than this machine's.
      let prefixes = ["-O", "-f", "-mprefer-vector-width=", "-D", "-U", "-std=", "-Wno-"]
      let forbidden = [
        "-fplugin", "-fpass-plugin", "-fuse-ld", "-fprofile", "-fsanitize",
        "-fopenmp",
      ]
      return !prefixes.contains(where: option.hasPrefix)
        || forbidden.contains(where: option.hasPrefix)
        || option.contains("=/")
    }
  }

  /// Clang stops at an option of gcc's passes over trees, which it has no equal of.
  private static let refusedByClang = "-fno-tree-"
  /// With it, gcc 12 mixes up the masks of vectors when a loop chooses between a converted value and a constant.
  private static let wrongInGCC = "-fno-trapping-math"

  /// What is given to the compiler: the source, and what stands in for the C library.
  static func text(of source: KernelSource) -> String {
    if source.compilerOptions.contains("-lm") { return source.text }
    return source.text + "\n" + FreestandingSupport.text
  }

  /// Of the options that a source asks for, those that this compiler is given.
  static func chosen(by source: KernelSource, compiler: String) -> [String] {
    var refused = [compiler.contains("clang") ? refusedByClang : wrongInGCC]
    #if !arch(x86_64)
      refused.append("-mprefer-vector-width=")
    #endif
    return source.compilerOptions.filter { option in !refused.contains(where: option.hasPrefix) }
  }

  /// The arguments after the compiler's name. A source with `-lm` is linked with the C library too.
  static func arguments(for source: KernelSource, compiler: String) -> [String] {
    let chosen = chosen(by: source, compiler: compiler).filter { $0 != "-lm" }
    let optimization = chosen.contains { $0.hasPrefix("-O") } ? [] : ["-O2"]
    let libraries = source.compilerOptions.contains("-lm") ? ["-lm", "-lc"] : []
    return fixed + optimization + chosen + ["-x", "c", "kernel.c", "-o", "kernel.so"]
      + ["-x", "none"] + libraries
  }
}

/// What compilers call without being asked: clearing, copying and comparing memory.
///
/// Appended to each source that is linked with no library. Hidden, so that nothing is exported, and
/// dropped by the linker when unused. The barriers keep a compiler from turning the loops into
/// calls of themselves.
enum FreestandingSupport {
  static let text = """
    #define GRANARY_SUPPORT __attribute__((visibility("hidden"), noinline))
    GRANARY_SUPPORT void *memset(void *to, int value, __SIZE_TYPE__ count) {
    #if defined(__x86_64__)
      void *at = to;
      __asm__ volatile("rep stosb" : "+D"(at), "+c"(count) : "a"(value) : "memory");
    #else
      unsigned char *at = to;
      while (count-- > 0) { *at++ = (unsigned char)value; __asm__ volatile(""); }
    #endif
      return to;
    }
    GRANARY_SUPPORT void *memcpy(void *to, const void *from, __SIZE_TYPE__ count) {
    #if defined(__x86_64__)
      void *at = to;
      __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(count) : : "memory");
    #else
      unsigned char *at = to;
      const unsigned char *of = from;
      while (count-- > 0) { *at++ = *of++; __asm__ volatile(""); }
    #endif
      return to;
    }
    GRANARY_SUPPORT void *memmove(void *to, const void *from, __SIZE_TYPE__ count) {
      unsigned char *at = to;
      const unsigned char *of = from;
      if (at <= of) return memcpy(to, from, count);
      while (count-- > 0) { at[count] = of[count]; __asm__ volatile(""); }
      return to;
    }
    """
}
