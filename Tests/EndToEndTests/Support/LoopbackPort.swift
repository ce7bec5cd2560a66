import Glibc

/// A port of the loopback interface that nobody listens on.
enum LoopbackPort {
  static func free() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    guard isBound else { throw ProgramError(description: "no port is free") }
    return Int(UInt16(bigEndian: address.sin_port))
  }
}

/// A program of this machine: in `PATH`, or where Debian puts servers.
func installed(_ program: String) -> String? {
  let path = getenv("PATH").map { String(cString: $0) } ?? ""
  let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/bin"]
  return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
}
