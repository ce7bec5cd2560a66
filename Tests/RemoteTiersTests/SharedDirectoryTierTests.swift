import Glibc
import KernelSpec
import SimulatedFiles
import Support
import TestSupport
import Testing

@testable import RemoteTiers

@Suite struct SharedDirectoryTierTests {
  let files = SimulatedFileSystem()
  var tier: SharedDirectoryTier { SharedDirectoryTier(root: "/shared", fileSystem: files) }

  @Test("keeps what every tier promises") func conformance() async throws {
    try await TierConformance(tier: tier).run()
  }

  @Test("keeps its promises on a real file system") func realFiles() async throws {
    let folder = TemporaryFolder()
    let local = LocalFileSystem()
    try await TierConformance(tier: SharedDirectoryTier(root: folder.path)).run()
    for space in try local.list(folder.path) {
      for shard in try local.list(folder.file(space)) {
        let files = try local.list(folder.file("\(space)/\(shard)"))
        #expect(!files.contains { $0.hasSuffix(temporaryFileSuffix) })
      }
    }
  }

  @Test("a change of any byte makes a value missing, and putting it again heals it")
  func corruption() async throws {
    let value = Array("value".utf8)
    for address in [RemoteAddress.blob(Digest(of: value)), .record(key: Digest(of: [1]))] {
      try await tier.put(value, at: address)
      let path = "/shared/" + address.path
      for offset in 0..<(try #require(try files.sizeBytes(of: path))) {
        files.corrupt(path) { $0[offset] ^= 1 }
        #expect(try await tier.get(address) == nil, "byte \(offset) of \(path)")
        try await tier.put(value, at: address)
        #expect(try await tier.get(address) == value)
      }
      files.corrupt(path) { $0.removeLast() }
      #expect(try await tier.get(address) == nil)
      files.corrupt(path) { $0 = [] }
      #expect(try await tier.get(address) == nil)
    }
  }

  @Test("a record under another key is missing") func movedRecord() async throws {
    let (first, second) = (RemoteAddress.record(key: Digest(of: [1])), Digest(of: [2]))
    try await tier.put([5], at: first)
    try files.rename(
      "/shared/" + first.path, to: "/shared/" + RemoteAddress.record(key: second).path)
    #expect(try await tier.get(.record(key: second)) == nil)
  }

  @Test("a crash at any step of a put leaves the old or the new value", arguments: 0..<3)
  func crash(step: Int) async throws {
    let address = RemoteAddress.record(key: Digest(of: [1]))
    try await tier.put([1], at: address)
    files.fail(atStep: step)
    await #expect(throws: GranaryError.self) { try await tier.put([2], at: address) }
    files.recover()
    #expect(try await tier.get(address) == [1])
    try await tier.put([3], at: address)
    #expect(try await tier.get(address) == [3])
  }
}
