/// The control groups that this process is in.
struct ControlGroups {
  var files: any FileReading

  /// The folders that describe the process's group, and every group around it, for one controller.
  func folders(of controller: String) -> [(path: String, isUnified: Bool)] {
    guard let membership = files.text(at: "/proc/self/cgroup") else { return [] }
    return membership.split(separator: "\n").flatMap { folders(line: $0, controller) }
  }

  /// - Parameter line: `hierarchy:controllers:path`; version 2 has hierarchy 0 and no controllers.
  private func folders(line: Substring, _ controller: String) -> [(String, Bool)] {
    let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3 else { return [] }
    if parts[0] == "0", parts[1].isEmpty {
      return groups(around: parts[2]).map { ("/sys/fs/cgroup\($0)", true) }
    }
    guard parts[1].split(separator: ",").contains(Substring(controller)) else { return [] }
    // Controllers that share a hierarchy have one folder, and often links by their own names.
    return groups(around: parts[2]).flatMap { group in
      Set([String(parts[1]), controller]).sorted().map { ("/sys/fs/cgroup/\($0)\(group)", false) }
    }
  }

  /// The group and its ancestors: `/a/b`, `/a`, and the empty path of the root.
  private func groups(around path: Substring) -> [String] {
    var names = path.split(separator: "/")
    var groups: [String] = []
    while !names.isEmpty {
      groups.append("/" + names.joined(separator: "/"))
      names.removeLast()
    }
    return groups + [""]
  }
}
