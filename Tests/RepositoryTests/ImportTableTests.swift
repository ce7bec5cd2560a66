import Testing

/// What each module may import of the others: the table of docs/architecture.md.
private let allowed: [String: Set<String>] = [
  "Support": [],
  "CacheSchema": [],
  "KernelSpec": ["Support"],
  "Hardware": ["KernelSpec", "Support"],
  "TensorProgram": ["KernelSpec", "Support"],
  "CodeGeneration": ["TensorProgram", "Hardware", "KernelSpec", "Support"],
  "Search": ["Hardware", "KernelSpec", "Support"],
  "RunnerProtocol": ["Support"],
  "Evaluation": ["RunnerProtocol", "Hardware", "KernelSpec", "Support"],
  "Knowledge": ["Hardware", "KernelSpec", "Support"],
  "CacheStore": ["CacheSchema", "Hardware", "KernelSpec", "Support"],
  "RemoteTiers": ["KernelSpec", "Support"],
  "Trust": ["KernelSpec", "Support"],
  "Optimization": [
    "Support", "KernelSpec", "Hardware", "TensorProgram", "CodeGeneration", "Search",
    "RunnerProtocol", "Evaluation", "Knowledge", "CacheStore", "RemoteTiers", "Trust",
  ],
  "DaemonAPI": ["KernelSpec", "Support"],
  "DaemonClient": ["DaemonAPI", "KernelSpec", "Support"],
  "Commands": ["DaemonAPI", "DaemonClient", "Hardware", "KernelSpec", "Support", "Trust"],
  "DaemonService": [
    "Optimization", "DaemonAPI", "CacheStore", "Evaluation", "Hardware", "KernelSpec",
    "RemoteTiers", "RunnerProtocol", "Support", "Trust",
  ],
  "granary": ["Commands"],
  "granaryd": ["DaemonService"],
  "granary-runner": ["RunnerProtocol"],
]

@Test("modules import only what the table of the architecture allows")
func modulesImportOnlyWhatTheTableAllows() throws {
  var violations: [String] = []
  for file in try SourceTree.own.files(in: ["Sources", "cache-schema/Sources"]) {
    let parts = file.path.split(separator: "/")
    let module = String(parts[0] == "Sources" ? parts[1] : parts[2])
    guard let permitted = allowed[module] else {
      violations.append("\(file.path): the module is not in the table")
      continue
    }
    for line in file.lines {
      let words = line.split(separator: " ")
      guard let position = words.firstIndex(of: "import"), position <= 1, words.count > position + 1
      else { continue }
      let imported = String(words[position + 1])
      if allowed[imported] != nil, imported != module, !permitted.contains(imported) {
        violations.append("\(file.path): imports \(imported)")
      }
    }
  }
  #expect(violations.isEmpty, "\(violations.joined(separator: "\n"))")
}
