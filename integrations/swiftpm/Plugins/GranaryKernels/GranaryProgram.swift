import Foundation

/// The files of a target that are specs.
enum SpecFile {
  static func isOne(_ file: URL) -> Bool {
    [".granary.json", ".granary.txt"].contains(where: file.lastPathComponent.hasSuffix)
  }
}

/// The command line of Granary, which is installed with the daemon.
enum GranaryProgram {
  struct Missing: Error, CustomStringConvertible {
    var description: String {
      "there is no program 'granary' in PATH; install Granary, or name the program in GRANARY_PROGRAM"
    }
  }

  static func found() throws -> URL {
    let environment = ProcessInfo.processInfo.environment
    if let named = environment["GRANARY_PROGRAM"] { return URL(filePath: named) }
    let folders = environment["PATH", default: "/usr/local/bin:/usr/bin"].split(separator: ":")
    let candidates = folders.map { URL(filePath: String($0)).appending(path: "granary") }
    guard
      let program = candidates.first(where: {
        FileManager.default.isExecutableFile(atPath: $0.path)
      })
    else { throw Missing() }
    return program
  }
}
