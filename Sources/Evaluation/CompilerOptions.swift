import KernelSpec

/// The options that a kernel is compiled with.
enum CompilerOptions {
  /// Always given. Contraction to fused multiply-adds is allowed; reordering of sums is not, unless
  /// a source asks for it.
  private static let fixed = [
    "-std=gnu11", "-fPIC", "-march=native", "-ffp-contract=fast", "-fno-math-errno",
    "-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-ffunction-sections", "-w",
  ]

  /// Always given to the linker.
  private static let linking = [
    "-shared", "--gc-sections", "--no-undefined", "-z", "relro", "-z", "now", "-z", "noexecstack",
    "--build-id=none", "-s",
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

  /// The command that makes `kernel.so` of `kernel.c`, both in its directory. A source with `-lm` is linked with
  /// the C library too.
  static func command(for source: KernelSource, compiler: String) -> [String] {
    linksApart(source, compiler)
      ? ["/bin/sh", "-c", compilingThenLinking, "sh", compiler] + compiling(source, compiler)
        + ["-c", "-x", "c", "kernel.c", "-o", "kernel.o"]
      : [compiler] + compiling(source, compiler) + ["-shared", "-nostdlib"]
        + linking.dropFirst().map { "-Wl,\($0)" }
        + ["-x", "c", "kernel.c", "-o", "kernel.so", "-x", "none"] + libraries(of: source)
  }

  /// A clang that has to link as well starts a second process of itself to compile, which takes 20 to 30 ms of about
  /// 125 (measured: clang 14, 23 kernels of four operators); the linker alone takes 4 ms.
  private static func linksApart(_ source: KernelSource, _ compiler: String) -> Bool {
    #if arch(x86_64)
      compiler.contains("clang") && libraries(of: source).isEmpty
    #else
      // Which of a processor's faults the linker works around is for the compiler to say.
      false
    #endif
  }

  private static let compilingThenLinking =
    "\"$@\" && exec ld -m elf_x86_64 --hash-style=both \(linking.joined(separator: " "))"
    + " -o kernel.so kernel.o"

  private static func compiling(_ source: KernelSource, _ compiler: String) -> [String] {
    let chosen = chosen(by: source, compiler: compiler).filter { $0 != "-lm" }
    return fixed + (chosen.contains { $0.hasPrefix("-O") } ? [] : ["-O2"]) + chosen
  }

  private static func libraries(of source: KernelSource) -> [String] {
    source.compilerOptions.contains("-lm") ? ["-lm", "-lc"] : []
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
