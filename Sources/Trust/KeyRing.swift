import Glibc
import Support

/// The keys of a daemon, in a folder: `signing.key`, that only its owner may read, and `trusted`, a public key a
/// line. What the own key signed is trusted too.
package struct KeyRing: Sendable {
  package let directory: String
  private let files = LocalFileSystem()

  package init(directory: String) { self.directory = directory }

  private var secretPath: String { directory + "/signing.key" }
  private var trustedPath: String { directory + "/trusted" }

  /// The key that signs; `nil` when none was generated.
  ///
  /// - Throws: `bad-key` when the file is damaged or others may read it.
  package func signingKey() throws -> SigningKey? {
    var status = stat()
    guard stat(secretPath, &status) == 0 else {
      if errno == ENOENT { return nil }
      throw GranaryError.system("stat", secretPath)
    }
    guard status.st_mode & 0o077 == 0 else {
      throw GranaryError(
        .badKey,
        "others than its owner may read \(secretPath): run 'chmod 600' on it, and consider a new key",
        responsible: .environment)
    }
    guard let bytes = try files.read(secretPath, limitBytes: 4096) else { return nil }
    return try SigningKey(parsing: String(decoding: bytes, as: UTF8.self))
  }

  /// Makes the key that signs.
  ///
  /// - Throws: `bad-key` when there is one and it is not to be replaced.
  package func generate(name: String, replacing: Bool = false) throws -> PublicKey {
    if !replacing, try files.sizeBytes(of: secretPath) != nil {
      throw GranaryError(
        .badKey, "\(secretPath) exists; what it signed is worth nothing without it",
        responsible: .input)
    }
    let key = try SigningKey(name: name)
    try files.createDirectory(directory)
    try files.write(Array(key.text.utf8), atomicallyTo: secretPath)
    return key.publicKey
  }

  /// The keys of others that are trusted, without the own.
  ///
  /// - Throws: `bad-key` that names the line.
  package func trusted() throws -> [PublicKey] {
    guard let bytes = try files.read(trustedPath, limitBytes: 1 << 20) else { return [] }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    return try lines.enumerated().compactMap { number, line in
      if line.hasPrefix("#") || line.allSatisfy(\.isWhitespace) { return nil }
      do {
        return try PublicKey(parsing: String(line))
      } catch {
        throw GranaryError(
          .badKey, "\(trustedPath):\(number + 1) is no public key", responsible: .environment)
      }
    }
  }

  /// Every key whose signatures count.
  package func accepted() throws -> [PublicKey] {
    try [signingKey()?.publicKey].compactMap { $0 } + trusted()
  }

  /// - Returns: whether it was not trusted before.
  package func trust(_ key: PublicKey) throws -> Bool {
    let known = try trusted()
    if known.contains(where: { $0.bytes == key.bytes }) { return false }
    try write(known + [key])
    return true
  }

  /// - Returns: whether it was trusted before.
  package func distrust(identifier: String) throws -> Bool {
    let known = try trusted()
    let left = known.filter { $0.identifier != identifier }
    if left.count < known.count { try write(left) }
    return left.count < known.count
  }

  private func write(_ keys: [PublicKey]) throws {
    try files.createDirectory(directory)
    let text = keys.map { $0.text + "\n" }.joined()
    try files.write(Array(text.utf8), atomicallyTo: trustedPath)
  }
}
