import Glibc

/// Finds a C compiler on the search path.
struct CompilerSearch {
  let environment: [String: String]
  private static let names = ["clang"] + (14...30).reversed().map { "clang-\($0)" } + ["gcc", "cc"]

  /// - Returns: an absolute path.
  func find() throws(EvaluationError) -> String {
    if let chosen = environment["GRANARY_CC"], !chosen.isEmpty {
      guard let path = locate(chosen) else {
        throw EvaluationError(
          .compilerMissing, "GRANARY_CC names \(chosen), which is not a program")
      }
      return path
    }
    for name in Self.names {
      if let path = locate(name) { return path }
    }
    throw EvaluationError(
      .compilerMissing, "no C compiler on PATH; install clang, or set GRANARY_CC to a compiler")
  }

  private func locate(_ name: String) -> String? {
    if name.contains("/") { return name.hasPrefix("/") && access(name, X_OK) == 0 ? name : nil }
    return (environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
      .lazy.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }
      .first { access($0, X_OK) == 0 }
  }
}
