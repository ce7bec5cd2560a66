import Testing

private let longestFile = 500
private let longestFunction = 70

@Test("no file is longer than 500 lines")
func filesAreShort() throws {
  let long = try SourceTree.own.files(in: ["Sources", "Tests", "cache-schema/Sources"])
    .filter { $0.lines.count > longestFile }
    .map { "\($0.path): \($0.lines.count) lines" }
  #expect(long.isEmpty, "\(long.joined(separator: "\n"))")
}

@Test("no function is longer than 70 lines")
func functionsAreShort() throws {
  let long = try SourceTree.own.files(in: ["Sources", "cache-schema/Sources"])
    .flatMap { file in
      functionLengths(in: file).filter { $0.length > longestFunction }
        .map { "\(file.path):\($0.line): \($0.length) lines" }
    }
  #expect(long.isEmpty, "\(long.joined(separator: "\n"))")
}

/// The functions of a file by their indentation: the formatter closes each at the column where it began.
private func functionLengths(in file: SourceTree.File) -> [(line: Int, length: Int)] {
  var found: [(line: Int, length: Int)] = []
  for (start, line) in file.lines.enumerated() where isFunctionStart(line) {
    let indentation = line.prefix { $0 == " " }
    let end = file.lines[(start + 1)...].firstIndex { $0 == indentation + "}" }
    if let end { found.append((start + 1, end - start + 1)) }
  }
  return found
}

private func isFunctionStart(_ line: Substring) -> Bool {
  let words = line.split(separator: " ")
  return words.prefix(4).contains("func") && !line.contains("}")
}

/// What production code must not contain, and why.
private let banned: [(text: String, reason: String)] = [
  ("try!", "an error must not stop the process"),
  ("fatalError(", "input must not stop the process"),
  ("import Foundation\n", "FoundationEssentials starts faster"),
  (" as! ", "a cast must not stop the process"),
  ("Thread.sleep", "wait for an event instead"),
  ("Task.detached", "tasks must be structured"),
  ("@preconcurrency import", "hides data races"),
]

@Test("production code has none of the banned calls")
func productionCodeHasNoBannedCalls() throws {
  var violations: [String] = []
  for file in try SourceTree.own.files(in: ["Sources", "cache-schema/Sources"]) {
    for (number, line) in file.lines.enumerated() where !isComment(line) {
      for rule in banned where (line + "\n").contains(rule.text) {
        violations.append("\(file.path):\(number + 1): \(rule.text): \(rule.reason)")
      }
    }
  }
  #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
}

private func isComment(_ line: Substring) -> Bool {
  line.drop { $0 == " " }.hasPrefix("//")
}

@Test("each unchecked claim about concurrency has its proof beside it")
func uncheckedClaimsAreExplained() throws {
  var violations: [String] = []
  for file in try SourceTree.own.files(in: ["Sources", "cache-schema/Sources"]) {
    for (number, line) in file.lines.enumerated()
    where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
      let before = file.lines[max(0, number - 6)...number]
      if !before.contains(where: isComment) {
        violations.append("\(file.path):\(number + 1): no comment explains why this is safe")
      }
    }
  }
  #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
}

@Test("every environment variable that is read is documented")
func environmentVariablesAreDocumented() throws {
  let documented = try SourceTree.own.file("docs/configuration.md").lines.joined(separator: "\n")
  var missing: Set<String> = []
  for file in try SourceTree.own.files(in: ["Sources", "cache-schema/Sources"]) {
    for line in file.lines where !isComment(line) {
      for match in line.matches(of: /"(GRANARY_[A-Z_]+)"/)
      where !documented.contains(match.1) {
        missing.insert("\(match.1) in \(file.path)")
      }
    }
  }
  #expect(missing.isEmpty, "\(missing.sorted().joined(separator: "\n"))")
}
