package import KernelSpec

/// What servers of the Remote Execution API keep at `/ac`: the outputs of an action by their digests, and its
/// standard output, in which a record travels.
///
/// A server that checks such values refuses one whose blobs it does not have, and keeps those that it has.
/// Source: `build/bazel/remote/execution/v2/remote_execution.proto`, messages `ActionResult`, `OutputFile`, `Digest`.
package struct ActionResult: Sendable, Hashable {
  package struct OutputFile: Sendable, Hashable {
    package var path: String
    package var digest: Digest
    package var sizeBytes: Int

    package init(path: String, digest: Digest, sizeBytes: Int) {
      self.path = path
      self.digest = digest
      self.sizeBytes = sizeBytes
    }
  }

  package var files: [OutputFile]
  package var standardOutput: [UInt8]
  /// Other blobs that it names: of its standard output and error, and of the trees of its directories.
  package private(set) var otherBlobs: [Digest] = []
  /// The trees of its directories, which name more blobs.
  package private(set) var trees: [Digest] = []

  package init(files: [OutputFile], standardOutput: [UInt8]) {
    self.files = files
    self.standardOutput = standardOutput
  }

  private enum Field {
    static let outputFiles = 2, outputDirectories = 3
    static let standardOutput = 5, standardOutputDigest = 6, standardErrorDigest = 8
    static let treeDigest = 3
    static let path = 1, digest = 2
    static let hash = 1, size = 2
  }

  package func encoded() -> [UInt8] {
    var message = ProtocolBuffer.Writer()
    for file in files {
      var digest = ProtocolBuffer.Writer()
      digest.put(Field.hash, Array(file.digest.hex.utf8))
      digest.put(Field.size, UInt64(file.sizeBytes))
      var output = ProtocolBuffer.Writer()
      output.put(Field.path, Array(file.path.utf8))
      output.put(Field.digest, digest.bytes)
      message.put(Field.outputFiles, output.bytes)
    }
    message.put(Field.standardOutput, standardOutput)
    return message.bytes
  }

  /// - Returns: `nil` for bytes that are no such message. Fields that are not known are passed over.
  package init?(decoding bytes: [UInt8]) {
    files = []
    standardOutput = []
    guard let fields = ProtocolBuffer.fields(of: bytes[...]) else { return nil }
    for field in fields {
      switch (field.number, field.value) {
      case (Field.outputFiles, .bytes(let file)):
        guard let file = OutputFile(decoding: file) else { return nil }
        files.append(file)
      case (Field.standardOutput, .bytes(let output)): standardOutput = Array(output)
      case (Field.standardOutputDigest, .bytes(let digest)),
        (Field.standardErrorDigest, .bytes(let digest)):
        guard let digest = WireDigest(decoding: digest) else { return nil }
        otherBlobs.append(digest.digest)
      case (Field.outputDirectories, .bytes(let directory)):
        for part in ProtocolBuffer.fields(of: directory) ?? [] where part.number == Field.treeDigest
        {
          guard case .bytes(let tree) = part.value, let tree = WireDigest(decoding: tree) else {
            return nil
          }
          trees.append(tree.digest)
        }
      default: break
      }
    }
  }
}

extension ActionResult {
  /// The files that a tree of the Remote Execution API names: message `Tree`; `nil` for bytes that are none.
  package static func files(ofTree bytes: [UInt8]) -> [Digest]? {
    guard let directories = ProtocolBuffer.fields(of: bytes[...]) else { return nil }
    var files: [Digest] = []
    // Fields 1 and 2 are its root and the directories below, whose field 1 are files with their digest in field 2.
    for case (1...2, .bytes(let directory)) in directories.map({ ($0.number, $0.value) }) {
      guard let nodes = ProtocolBuffer.fields(of: directory) else { return nil }
      for case (1, .bytes(let node)) in nodes.map({ ($0.number, $0.value) }) {
        for case (2, .bytes(let digest)) in (ProtocolBuffer.fields(of: node) ?? []).map({
          ($0.number, $0.value)
        }) {
          guard let digest = WireDigest(decoding: digest) else { return nil }
          files.append(digest.digest)
        }
      }
    }
    return files
  }
}

/// Message `Digest`.
private struct WireDigest {
  var digest: Digest
  var sizeBytes: Int

  init?(decoding bytes: ArraySlice<UInt8>) {
    var (hex, size) = ("", UInt64(0))
    for part in ProtocolBuffer.fields(of: bytes) ?? [] {
      if part.number == 1, case .bytes(let text) = part.value {
        hex = String(decoding: text, as: UTF8.self)
      }
      if part.number == 2, case .number(let value) = part.value { size = value }
    }
    guard let digest = Digest(hex: hex), size <= UInt64(Int.max) else { return nil }
    self.digest = digest
    sizeBytes = Int(size)
  }
}

extension ActionResult.OutputFile {
  fileprivate init?(decoding bytes: ArraySlice<UInt8>) {
    var path = ""
    var found: WireDigest?
    for field in ProtocolBuffer.fields(of: bytes) ?? [] {
      switch (field.number, field.value) {
      case (1, .bytes(let text)): path = String(decoding: text, as: UTF8.self)
      case (2, .bytes(let digest)): found = WireDigest(decoding: digest)
      default: break
      }
    }
    guard let found else { return nil }
    self.init(path: path, digest: found.digest, sizeBytes: found.sizeBytes)
  }
}

/// The wire format of Protocol Buffers, as far as it is needed. Source: protobuf.dev, "Encoding".
enum ProtocolBuffer {
  enum Value {
    case number(UInt64)
    case bytes(ArraySlice<UInt8>)
  }

  struct Writer {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ field: Int, _ value: UInt64) {
      putVariable(UInt64(field << 3))
      putVariable(value)
    }

    mutating func put(_ field: Int, _ value: [UInt8]) {
      putVariable(UInt64(field << 3 | 2))
      putVariable(UInt64(value.count))
      bytes += value
    }

    private mutating func putVariable(_ value: UInt64) {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
  }

  /// - Returns: `nil` when the bytes are not well formed.
  static func fields(of bytes: ArraySlice<UInt8>) -> [(number: Int, value: Value)]? {
    var rest = bytes
    var fields: [(number: Int, value: Value)] = []
    while !rest.isEmpty {
      guard let tag = variable(&rest), tag >> 3 > 0, tag >> 3 < 1 << 29 else { return nil }
      let number = Int(tag >> 3)
      switch tag & 7 {
      case 0:
        guard let value = variable(&rest) else { return nil }
        fields.append((number, .number(value)))
      case 2:
        guard let count = variable(&rest), count <= UInt64(rest.count) else { return nil }
        fields.append((number, .bytes(rest.prefix(Int(count)))))
        rest = rest.dropFirst(Int(count))
      case 1, 5:
        let count = tag & 7 == 1 ? 8 : 4
        guard rest.count >= count else { return nil }
        rest = rest.dropFirst(count)
      default: return nil
      }
    }
    return fields
  }

  private static func variable(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    return nil
  }
}
