/// What a shared object may contain: code and constants, nothing that changes or that runs by
/// itself.
///
/// Source of the layout: System V ABI, "Object Files" and "Program Loading and Dynamic Linking".
enum SharedObjectRules {
  private static let load = 1
  private static let dynamic = 2
  private static let threadLocal = 7
  private static let readOnlyAfterRelocation = 0x6474_e552
  private static let writable = 2

  /// The first broken rule: writable data that is left after relocation (a kernel keeps no state
  /// between calls), thread-local data, or functions that run when it is loaded.
  static func objection(to bytes: [UInt8]) -> String? {
    guard let headers = programHeaders(of: bytes) else {
      return "the compiler's output is not a shared object"
    }
    if headers.contains(where: { $0.type == threadLocal }) {
      return "the kernel has thread-local data; a kernel keeps no state between calls"
    }
    let sealedEnd =
      headers.first { $0.type == readOnlyAfterRelocation }.map { $0.address + $0.memorySize } ?? 0
    let hasState = headers.contains {
      $0.type == load && $0.flags & writable != 0 && $0.address + $0.memorySize > sealedEnd
    }
    if hasState {
      return "the kernel has writable static data; a kernel keeps no state between calls"
    }
    guard let table = headers.first(where: { $0.type == dynamic }) else { return nil }
    return runsWhenLoaded(table, bytes)
      ? "the kernel has a function that runs when it is loaded" : nil
  }

  private struct ProgramHeader {
    let type, flags, offset, address, fileSize, memorySize: Int
  }

  private static func programHeaders(of bytes: [UInt8]) -> [ProgramHeader]? {
    guard bytes.count >= 64, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]),
      let start = number(bytes, 32, 8), let count = number(bytes, 56, 2)
    else { return nil }
    var headers: [ProgramHeader] = []
    for index in 0..<count {
      let at = start + 56 * index
      guard let type = number(bytes, at, 4), let flags = number(bytes, at + 4, 4),
        let offset = number(bytes, at + 8, 8), let address = number(bytes, at + 16, 8),
        let fileSize = number(bytes, at + 32, 8), let memorySize = number(bytes, at + 40, 8),
        address <= Int.max / 4, memorySize <= Int.max / 4
      else { return nil }
      headers.append(
        ProgramHeader(
          type: type, flags: flags, offset: offset, address: address, fileSize: fileSize,
          memorySize: memorySize))
    }
    return headers
  }

  /// Whether the dynamic section names DT_INIT, DT_INIT_ARRAY or DT_PREINIT_ARRAY.
  private static func runsWhenLoaded(_ table: ProgramHeader, _ bytes: [UInt8]) -> Bool {
    for index in 0..<(min(table.fileSize, bytes.count) / 16) {
      guard let tag = number(bytes, table.offset + 16 * index, 8), tag != 0 else { return false }
      if [12, 25, 32].contains(tag) { return true }
    }
    return false
  }

  /// A little-endian number, or `nil` where it does not lie within the bytes or in `Int`.
  private static func number(_ bytes: [UInt8], _ offset: Int, _ size: Int) -> Int? {
    guard offset >= 0, offset <= bytes.count - size else { return nil }
    let value = (0..<size).reduce(UInt64(0)) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    return Int(exactly: value)
  }
}
