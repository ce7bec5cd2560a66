import FoundationEssentials
import KernelSpec
import SimulatedFiles
import Support
import TestSupport
import Testing

@testable import CacheStore

/// What others wrote, changed at random: `make fuzz` does it for long.
@Suite struct StoreFuzzTests {
  @Test("no bytes make the reader of blobs believe what is not so")
  func blobs() throws {
    var fuzzing = try Fuzzing(
      "blob", adding: [try Self.blob(), try Blob.encode([], digest: Digest(of: []))])
    try fuzzing.run(rounds: 2000) { input in
      let outcome = Self.outcome(of: input)
      // What only the checks of the header would refuse goes further with a right one.
      return outcome + " " + Self.outcome(of: Self.withHeader(input))
    }
  }

  @Test("no bytes make the reader of records believe what is not so")
  func records() throws {
    var fuzzing = try Fuzzing("record", adding: [try Self.record()])
    try fuzzing.run(rounds: 2000) { input in
      guard let record = RevisionRecord(decoding: try Blob.encode(input, digest: Digest(of: input)))
      else { return "refused" }
      #expect(record.row.seal == record.facts.seal)
      #expect(record.blobs.allSatisfy { Digest(of: $0.bytes) == $0.digest })
      return "record of \(record.blobs.count)"
    }
  }

  @Test("no bytes make the reader of archives give a name that leads elsewhere")
  func archives() throws {
    var fuzzing = try Fuzzing(
      "archive", tokens: ["../", "/", "ustar\0", "0000777\0"], adding: [try Self.archive()])
    try fuzzing.run(rounds: 2000) { input in
      do {
        let members = try Archive.decode(try Zstd.compress(input))
        #expect(members.allSatisfy { !$0.name.hasPrefix("/") && !$0.name.contains("..") })
        return "archive of \(members.count)"
      } catch let error as GranaryError {
        return error.message
      }
    }
  }

  @Test("no packed text is read beyond its bounds")
  func texts() throws {
    let packer = TextPacker()
    let text = Array(try packer.pack("{\"a\":1}\0{\"b\":2}"))
    var fuzzing = try Fuzzing("text", adding: [text])
    try fuzzing.run(rounds: 2000) { input in
      packer.unpack(details: Data(input), artifact: Digest(of: [])) == nil ? "refused" : "text"
    }
  }

  @Test("a database that was changed anywhere opens or is refused, and what it serves is right")
  func databases() throws {
    let bytes = noise(3000, seed: 5)
    let template = StoreFixture()
    let store = try template.open()
    for index in 0..<20 { try store.publish("k\(index)", bytes) }
    try store.close()
    let path = template.directory + "/index.sqlite"
    let sound = try #require(try LocalFileSystem().read(path, limitBytes: 1 << 24))
    // A change of a few bytes within the database: `place, bytes…`, so that the inputs stay small.
    var fuzzing = try Fuzzing("database", adding: [[0, 0, 0, 16, 1], [0, 0, 64, 0, 255, 255]])
    try fuzzing.run(rounds: 20) { input in
      let fixture = StoreFixture()
      var damaged = sound
      let place = input.prefix(4).reduce(0) { $0 << 8 | Int($1) } % sound.count
      for (offset, byte) in input.dropFirst(4).enumerated() where place + offset < sound.count {
        damaged[place + offset] ^= byte
      }
      try LocalFileSystem().write(damaged, atomicallyTo: fixture.directory + "/index.sqlite")
      try LocalFileSystem().write([], atomicallyTo: fixture.directory + "/unclean")
      do {
        let store = try fixture.open()
        var served = 0
        for index in 0..<20 {
          guard let found = try store.lookup(key: key("k\(index)")) else { continue }
          #expect(found.artifact.bytes == bytes)
          served += 1
        }
        try store.close()
        return "served \(served)"
      } catch let error as GranaryError {
        return error.code.rawValue
      }
    }
  }

  private static func outcome(of blob: [UInt8]) -> String {
    guard blob.count > Blob.headerBytes, let digest = Digest(bytes: Array(blob[16..<48])) else {
      return "short"
    }
    guard let bytes = Blob.decode(blob) else { return Blob.fault(of: blob, digest: digest) }
    #expect(Digest(of: bytes) == digest)
    return "blob"
  }

  private static func withHeader(_ input: [UInt8]) -> [UInt8] {
    guard input.count > Blob.headerBytes else { return input }
    var blob = Array("GRNB".utf8) + [1, 0, 0, 0] + input[8..<48]
    blob.append(littleEndian: UInt64(input.count - Blob.headerBytes))
    return blob + Digest(of: blob).bytes.prefix(8) + input[Blob.headerBytes...]
  }

  private static func blob() throws -> [UInt8] {
    let bytes = Array("what is kept, and kept, and kept".utf8)
    return try Blob.encode(bytes, digest: Digest(of: bytes))
  }

  private static func record() throws -> [UInt8] {
    let fixture = StoreFixture()
    let store = try fixture.open()
    try store.publish("a", [1, 2, 3])
    let file = try #require(fixture.files.paths.first { $0.contains("/records/") })
    let blob = try #require(try fixture.files.read(file, limitBytes: .max))
    return try #require(Blob.decode(blob))
  }

  private static func archive() throws -> [UInt8] {
    let archive = try Archive.encode([
      .init(name: "records/a.json", bytes: Array("{}".utf8)),
      .init(name: "blobs/b", bytes: [UInt8](repeating: 7, count: 600)),
    ])
    let size = try #require(Zstd.size(of: archive[...]))
    return try #require(Zstd.decompress(archive[...], sizeBytes: size))
  }
}
