/// What of a machine may change without its being another kind of hardware.
package struct MachineState: Sendable, Hashable {
  /// The release of the operating system's kernel, as `uname -r` says it.
  package var kernel: String
  /// The revision of the microcode of the first processor; `nil` where it is not told.
  package var microcode: String?

  package init(kernel: String, microcode: String?) {
    self.kernel = kernel
    self.microcode = microcode
  }

  /// The state of the machine that the files describe.
  package init(files: any FileReading = SystemFiles()) {
    let release = files.text(at: "/proc/sys/kernel/osrelease") ?? ""
    kernel = String(release.prefix { !$0.isWhitespace })
    let lines = (files.text(at: "/proc/cpuinfo") ?? "").split(separator: "\n")
    microcode = lines.first { $0.hasPrefix("microcode") }?.split(separator: ":").last
      .map { String($0.drop { $0 == " " }) }
  }
}
