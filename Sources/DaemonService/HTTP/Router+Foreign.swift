import CacheStore
import DaemonAPI
import Support

/// What other programs keep: bytes in, the same bytes out.
extension Router {
  func foreignBytes(of name: String) throws(ServiceError) -> Response {
    let found = try withForeign(name) { try $0.bytes(of: name) }
    guard let found else { throw ServiceError(.notFound, "nothing is kept as '\(name)'") }
    return .complete(status: 200, type: "application/octet-stream", body: [found[...]])
  }

  func keepForeign(_ bytes: [UInt8], as name: String) throws(ServiceError) -> Response {
    try withForeign(name) { try $0.keep(bytes, as: name) }
    return .json(ForeignReport(name: name, changed: true))
  }

  func removeForeign(_ name: String) throws(ServiceError) -> Response {
    .json(ForeignReport(name: name, changed: try withForeign(name) { try $0.remove(name) }))
  }

  private func withForeign<Value>(_ name: String, _ body: (ForeignArtifacts) throws -> Value)
    throws(ServiceError) -> Value
  {
    guard let foreign else { throw ServiceError(.notFound, "this daemon keeps nothing of others") }
    guard name.utf8.count <= ForeignArtifacts.nameLimit, name.utf8.allSatisfy(Self.isPlain) else {
      throw ServiceError(
        .badRequest,
        "a name has at most \(ForeignArtifacts.nameLimit) of the characters A-Z a-z 0-9 . _ -")
    }
    do {
      return try body(foreign)
    } catch let error as GranaryError where error.code == .tooLarge {
      throw ServiceError(.tooLarge, error.message)
    } catch {
      throw ServiceError(.environment, "\(error)")
    }
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
      UInt8(ascii: "-"):
      true
    default: false
    }
  }
}
