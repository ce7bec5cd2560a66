import CHardware

/// What a probe must know of the running process that no file tells.
package struct ProcessFacts: Sendable, Hashable {
  /// As `uname -m` says.
  package var machine: String
  /// The cores that the process may be scheduled on, ascending.
  package var usableCores: [Int]
  /// The C library and its version, for example `glibc 2.36`.
  package var libc: String
  /// The length of a scalable vector register; 0 where there is none.
  package var scalableVectorBytes: Int

  package init(machine: String, usableCores: [Int], libc: String, scalableVectorBytes: Int = 0) {
    self.machine = machine
    self.usableCores = usableCores
    self.libc = libc
    self.scalableVectorBytes = scalableVectorBytes
  }

  /// The facts of this process.
  package static func current() -> ProcessFacts {
    ProcessFacts(
      machine: machineName(), usableCores: affinity(), libc: libcName(),
      scalableVectorBytes: Int(granary_scalable_vector_bytes()))
  }

  private static func machineName() -> String {
    var name = [CChar](repeating: 0, count: 128)
    granary_machine_name(&name, name.count)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func affinity() -> [Int] {
    var cores = [Int32](repeating: 0, count: 8192)
    let count = granary_usable_cores(&cores, Int32(cores.count))
    return cores.prefix(Int(count)).map(Int.init)
  }

  private static func libcName() -> String {
    let version = String(cString: granary_libc_version())
    return version.isEmpty ? "unknown" : "glibc \(version)"
  }
}
