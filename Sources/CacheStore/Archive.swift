import CZstd
package import Support

/// Files in one stream: a POSIX tar in one zstd frame, that `tar --zstd -x` opens too.
package enum Archive {
  package struct Member: Sendable, Hashable {
    /// At most 100 bytes of ASCII.
    package var name: String
    package var bytes: [UInt8]

    package init(name: String, bytes: [UInt8]) {
      self.name = name
      self.bytes = bytes
    }
  }

  /// The most uncompressed bytes of an archive that is read.
  package static let limitBytes = 1 << 29
  private static let block = 512

  package static func encode(_ members: [Member]) throws -> [UInt8] {
    var tar: [UInt8] = []
    for member in members {
      tar += try header(member)
      tar += member.bytes
      tar += [UInt8](repeating: 0, count: padding(member.bytes.count))
    }
    tar += [UInt8](repeating: 0, count: 2 * block)
    return try Zstd.compress(tar)
  }

  /// - Throws: `bad-archive` for what is damaged, cut short, too large or no such archive. Only plain files with
  ///   names that lead nowhere else are taken.
  package static func decode(_ archive: [UInt8]) throws -> [Member] {
    guard let size = Zstd.size(of: archive[...]), size <= limitBytes,
      let tar = Zstd.decompress(archive[...], sizeBytes: size)
    else { throw damaged("it is no whole zstd archive of at most \(limitBytes) bytes") }
    var members: [Member] = []
    var position = 0
    while position + block <= tar.count,
      tar[position..<position + block].contains(where: { $0 != 0 })
    {
      let head = Array(tar[position..<position + block])
      guard checksum(head) == octal(head[148..<156]), let count = octal(head[124..<136]),
        head[156] == UInt8(ascii: "0") || head[156] == 0, head[345] == 0,
        count <= tar.count - position - block
      else { throw damaged("a member's header is damaged or of a kind that is not taken") }
      let name = String(decoding: head[..<100].prefix { $0 != 0 }, as: UTF8.self)
      guard isPlain(name) else { throw damaged("'\(name)' is no name of a member") }
      position += block
      members.append(Member(name: name, bytes: Array(tar[position..<position + count])))
      position += count + padding(count)
    }
    guard tar.count - position >= 2 * block else { throw damaged("it is cut short") }
    return members
  }

  private static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix("/") && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
      && !name.split(separator: "/", omittingEmptySubsequences: false)
        .contains { $0.isEmpty || $0 == "." || $0 == ".." }
  }

  private static func damaged(_ what: String) -> GranaryError {
    GranaryError(.badArchive, "the archive cannot be read: \(what)", responsible: .input)
  }

  private static func padding(_ count: Int) -> Int { (block - count % block) % block }

  /// Source: POSIX.1-2017, pax, "ustar Interchange Format".
  private static func header(_ member: Member) throws -> [UInt8] {
    let name = Array(member.name.utf8)
    guard name.count <= 100, isPlain(member.name), member.bytes.count < 1 << 33 else {
      throw GranaryError(
        .storeInternal, "'\(member.name)' does not fit an archive", responsible: .internal)
    }
    var head = [UInt8](repeating: 0, count: block)
    func put(_ bytes: [UInt8], at offset: Int) {
      head.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }
    func number(_ value: Int, digits: Int) -> [UInt8] {
      let text = String(value, radix: 8)
      return Array((String(repeating: "0", count: digits - text.count) + text).utf8) + [0]
    }
    put(name, at: 0)
    put(number(0o644, digits: 7), at: 100)
    put(number(0, digits: 7), at: 108)
    put(number(0, digits: 7), at: 116)
    put(number(member.bytes.count, digits: 11), at: 124)
    put(number(0, digits: 11), at: 136)
    head[156] = UInt8(ascii: "0")
    put(Array("ustar".utf8) + [0] + Array("00".utf8), at: 257)
    put(number(checksum(head), digits: 6) + [UInt8(ascii: " ")], at: 148)
    return head
  }

  /// The sum of the bytes, those of the checksum itself counted as spaces.
  private static func checksum(_ head: [UInt8]) -> Int {
    head.indices.reduce(0) { $0 + ((148..<156).contains($1) ? 32 : Int(head[$1])) }
  }

  private static func octal(_ field: ArraySlice<UInt8>) -> Int? {
    let digits = field.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "7") }
    return Int(String(decoding: digits, as: UTF8.self), radix: 8)
  }
}

extension GranaryError.Code {
  /// An archive is damaged, or holds what it must not.
  package static let badArchive = Self(rawValue: "bad-archive")
}

/// One-shot zstd.
enum Zstd {
  static func compress(_ bytes: [UInt8], level: Int32 = 3) throws -> [UInt8] {
    let bound = ZSTD_compressBound(bytes.count)
    var failure: String?
    let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      let written = bytes.withUnsafeBytes {
        ZSTD_compress(buffer.baseAddress, bound, $0.baseAddress, bytes.count, level)
      }
      if ZSTD_isError(written) != 0 {
        failure = String(cString: ZSTD_getErrorName(written))
      } else {
        count = written
      }
    }
    if let failure {
      throw GranaryError(.storeInternal, "zstd: \(failure)", responsible: .internal)
    }
    return frame
  }

  /// - Returns: `nil` unless the frame gives exactly so many bytes.
  static func decompress(_ frame: ArraySlice<UInt8>, sizeBytes: Int) -> [UInt8]? {
    var complete = false
    let bytes = [UInt8](unsafeUninitializedCapacity: max(sizeBytes, 1)) { buffer, count in
      let written = frame.withUnsafeBytes {
        ZSTD_decompress(buffer.baseAddress, sizeBytes, $0.baseAddress, $0.count)
      }
      complete = ZSTD_isError(written) == 0 && written == sizeBytes
      count = complete ? written : 0
    }
    return complete ? bytes : nil
  }

  /// The size that the first frame says it has.
  static func size(of frame: ArraySlice<UInt8>) -> Int? {
    let size = frame.withUnsafeBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
    return size > UInt64(Int.max) ? nil : Int(size)
  }
}
