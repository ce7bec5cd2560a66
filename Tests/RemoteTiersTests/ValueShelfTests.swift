import KernelSpec
import SimulatedFiles
import Support
import Testing

@testable import RemoteTiers

@Suite("The shelf") struct ValueShelfTests {
  private func blob(_ number: UInt8, _ count: Int) -> (bytes: [UInt8], address: RemoteAddress) {
    let bytes = [UInt8](repeating: number, count: count)
    return (bytes, .blob(Digest(of: bytes)))
  }

  @Test("what was used longest ago goes when the limit is passed, and the sum is right")
  func limit() throws {
    let shelf = try ValueShelf(root: "/shelf", limitBytes: 1000, fileSystem: SimulatedFileSystem())
    for number in UInt8(0)..<9 {
      try shelf.put(blob(number, 100).bytes, at: blob(number, 100).address)
    }
    #expect(try shelf.get(blob(0, 100).address) != nil)
    try shelf.put(blob(20, 300).bytes, at: blob(20, 300).address)
    #expect(try shelf.get(blob(0, 100).address) == blob(0, 100).bytes)
    #expect(!shelf.contains(blob(1, 100).address) && !shelf.contains(blob(2, 100).address))
    #expect(try shelf.get(blob(20, 300).address) == blob(20, 300).bytes)
    #expect(shelf.statistics.bytes <= 1000)
    #expect(shelf.statistics.bytes == (shelf.statistics.values - 1) * 100 + 300)
    let error = #expect(throws: GranaryError.self) {
      try shelf.put(blob(1, 1001).bytes, at: blob(1, 1001).address)
    }
    #expect(error?.code == .tooLarge)
  }

  @Test("values survive a restart, a damaged one is missing and then gone")
  func restart() throws {
    let files = SimulatedFileSystem()
    let first = try ValueShelf(root: "/shelf", limitBytes: 10_000, fileSystem: files)
    let (bytes, address) = blob(1, 100)
    let record = RemoteAddress.record(key: Digest(of: [1]))
    try first.put(bytes, at: address)
    try first.put([1, 2, 3], at: record)
    let second = try ValueShelf(root: "/shelf", limitBytes: 10_000, fileSystem: files)
    #expect(second.statistics == first.statistics)
    #expect(try second.get(address) == bytes)
    #expect(try second.get(record) == [1, 2, 3])
    for path in ["/shelf/\(address.path)", "/shelf/\(record.path)"] {
      var damaged = try #require(try files.read(path, limitBytes: 1 << 20))
      damaged[damaged.count - 1] ^= 1
      try files.write(damaged, atomicallyTo: path)
    }
    #expect(try second.get(address) == nil)
    #expect(try second.get(record) == nil)
    #expect(second.statistics == (0, 0))
  }

  @Test("bytes under another digest are refused")
  func wrongBytes() throws {
    let shelf = try ValueShelf(root: "/shelf", limitBytes: 1000, fileSystem: SimulatedFileSystem())
    let error = #expect(throws: GranaryError.self) { try shelf.put([1], at: blob(2, 1).address) }
    #expect(error?.code == .tierWrongBytes)
    #expect(shelf.statistics == (0, 0))
  }
}
