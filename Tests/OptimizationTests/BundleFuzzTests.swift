import KernelSpec
import Support
import TestSupport
import Testing
import Trust

@testable import CacheStore
@testable import Optimization

/// Bundles that somebody changed on their way: `make fuzz` does it for long.
@Suite struct BundleFuzzTests {
  @Test("no bytes make the reader of bundles give a kernel other bytes than its record says")
  func members() throws {
    let sound = try Self.bundle()
    var fuzzing = try Fuzzing(
      "bundle", tokens: ["records/", "blobs/", ".json", "ustar\0"],
      adding: [try Zstd.decompressed(sound)])
    try fuzzing.run(rounds: 1000) { input in
      // As it is, and in a whole frame, which goes further.
      return Self.outcome(of: input) + " " + Self.outcome(of: try Zstd.compress(input))
    }
  }

  @Test("no change of a record is believed to be signed")
  func records() throws {
    let signed = try Self.record(), key = try Self.key.get()
    let text = try signed.encoded()
    var fuzzing = try Fuzzing(
      "signed-record", tokens: ["\"", "{", "}", ",", "1e9"], adding: [text])
    try fuzzing.run(rounds: 2000) { input in
      guard let record = SignedRecord.decode(input) else { return "refused" }
      guard record.signer(among: [key.publicKey]) != nil else { return "unsigned" }
      // Only what is not signed may differ.
      #expect(record.message == signed.message)
      return "signed"
    }
  }

  @Test("a kernel of a changed bundle is refused, or all that is said of it belongs together")
  func imports() async throws {
    let temporary = try await TemporaryLibrary()
    let library = temporary.library
    let made = try await library.resolve("relu(x: f32[4])", .baseline)
    let artifact = try #require(made.kernel?.artifact)
    let sound = try library.exportBundle([made.key.digest], allowsUnsigned: true)
    var fuzzing = try Fuzzing("import", adding: [try Zstd.decompressed(sound)])
    try fuzzing.run(rounds: 500) { input in
      guard let bundle = try? Bundle(decoding: try Zstd.compress(input)) else { return "refused" }
      var outcomes: [String] = []
      for kernel in bundle.kernels {
        // Nobody is trusted here.
        #expect(try library.refusal(of: kernel) == .unsigned)
        let refusal = try library.refusal(of: kernel, allowsUnsigned: true)
        outcomes.append(refusal?.rawValue ?? "believed")
        if refusal == nil { #expect(kernel.artifact == artifact.bytes) }
      }
      return outcomes.joined(separator: " ")
    }
    #expect(try library.store.statistics().revisions == 1)
    try library.store.close()
    try temporary.remove()
  }

  private static func outcome(of bytes: [UInt8]) -> String {
    do {
      let bundle = try Bundle(decoding: bytes)
      for kernel in bundle.kernels {
        #expect(Digest(of: kernel.artifact) == kernel.record.artifact)
        #expect(Digest(of: kernel.source) == kernel.record.source)
      }
      return "bundle of \(bundle.kernels.count)"
    } catch {
      return "\(error)"
    }
  }

  private static let key = Result { try SigningKey(name: "fuzz") }

  private static func record(_ number: UInt8 = 0) throws -> SignedRecord {
    var record = SignedRecord(
      key: Digest(of: [number]), spec: "relu(x: f32[4])", name: "relu", hardware: "test",
      verdict: "baseline", artifact: Digest(of: artifact(number)), source: Digest(of: source),
      manifest: "{\"digest\":\"\(Digest(of: artifact(number)))\"}", evidence: "{\"checks\":[]}",
      searchSeconds: 1.5)
    try record.sign(with: key.get())
    return record
  }

  private static let source = Array("int kernel;".utf8)
  private static func artifact(_ number: UInt8) -> [UInt8] { [UInt8](repeating: number, count: 99) }

  private static func bundle() throws -> [UInt8] {
    try Bundle(
      kernels: (0..<3).map {
        ReceivedKernel(record: try record($0), artifact: artifact($0), source: source)
      }
    ).encoded()
  }
}

extension Zstd {
  /// Of a whole frame that tells its size.
  fileprivate static func decompressed(_ frame: [UInt8]) throws -> [UInt8] {
    try #require(size(of: frame[...]).flatMap { decompress(frame[...], sizeBytes: $0) })
  }
}
