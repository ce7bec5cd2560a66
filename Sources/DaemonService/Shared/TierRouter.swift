import DaemonAPI
import KernelSpec
package import RemoteTiers
import Support
import Synchronization

/// Serves values in the layout of bazel-remote: `/ac/DIGEST` and `/cas/DIGEST`, with GET, HEAD and PUT.
///
/// Each value has its SHA-256 as its tag, and a PUT may say which tag must be there: of those who put at once under
/// the same condition, one succeeds.
/// What the store has comes first; on the shelf is what clients put. A value at `/ac` is an `ActionResult`, and is
/// only given when every blob that it names is here. Nothing that a client puts is ever served as a kernel to a
/// client of the socket.
package struct TierRouter: RequestResponding {
  /// What the store has for an address. It may block.
  package typealias Source = @Sendable (RemoteAddress) throws -> [UInt8]?

  package let counters = ServerCounters()
  package var hotRoutes: HotRoutes? { nil }
  let source: Source
  /// `nil` for a server that takes nothing.
  let shelf: ValueShelf?
  /// Whether values at `/ac` may be anything.
  let takesAnyRecords: Bool
  let traffic = TierTraffic()
  private let order = PutOrder()

  package init(source: @escaping Source, shelf: ValueShelf?, takesAnyRecords: Bool = false) {
    self.source = source
    self.shelf = shelf
    self.takesAnyRecords = takesAnyRecords
  }

  package func respond(to request: Request) async -> Response {
    do {
      // Files and the index are read and written: on a thread that may wait.
      return try await OwnThread.run { try answer(request) }
    } catch let error as ServiceError {
      return .failure(error)
    } catch let error as GranaryError {
      return .failure(Self.failure(error))
    } catch {
      return .failure(ServiceError(.internalError, "\(error)"))
    }
  }

  private func answer(_ request: Request) throws -> Response {
    guard let address = Self.address(of: request.target) else {
      throw ServiceError(.notFound, "values are at /ac/ and /cas/, with 64 hexadecimal digits")
    }
    switch request.method {
    case "GET", "HEAD":
      let value = try value(at: address)
      traffic.count(found: value != nil)
      guard let value else { throw ServiceError(.notFound, "there is no such value") }
      return Self.complete(value, tag: Self.tag(of: value, at: address))
    case "PUT":
      guard try put(request.body, at: address, if: request.condition) else {
        return .complete(status: 412, type: "text/plain", body: [Array("it is not so".utf8)[...]])
      }
      traffic.countPut()
      return Self.complete([], tag: Self.tag(of: request.body, at: address))
    default:
      throw ServiceError(.methodNotAllowed, "values take GET, HEAD and PUT")
    }
  }

  /// Nothing but exactly such a path is one: no prefix, no query, no escape.
  static func address(of target: String) -> RemoteAddress? {
    for space in RemoteAddress.Space.allCases {
      let prefix = "/\(space.rawValue)/"
      if target.hasPrefix(prefix), let digest = Digest(hex: String(target.dropFirst(prefix.count)))
      {
        return RemoteAddress(space: space, digest: digest)
      }
    }
    return nil
  }

  private static func complete(_ bytes: [UInt8], tag: String) -> Response {
    .complete(status: 200, type: "application/octet-stream", body: [bytes[...]], tag: tag)
  }

  private static func tag(of value: [UInt8], at address: RemoteAddress) -> String {
    "\"\(address.space == .blobs ? address.digest : Digest(of: value))\""
  }

  /// - Returns: whether the condition held.
  private func put(_ bytes: [UInt8], at address: RemoteAddress, if condition: Condition) throws
    -> Bool
  {
    // Blobs of one address are equal: nobody need wait for another.
    if address.space == .blobs, condition == Condition() {
      try put(bytes, at: address)
      return true
    }
    return try order.lock.withLock { _ in
      let tag =
        condition == Condition()
        ? nil : try value(at: address).map { Self.tag(of: $0, at: address) }
      guard condition.holds(of: tag) else { return false }
      try put(bytes, at: address)
      return true
    }
  }

  private static func failure(_ error: GranaryError) -> ServiceError {
    let code: ServiceError.Code =
      switch error.code {
      case .tierWrongBytes: .badRequest
      case .tooLarge: .tooLarge
      default: .environment
      }
    return ServiceError(code, error.message)
  }
}

extension TierRouter {
  /// No client puts the empty blob, since everybody has it.
  private static let empty = RemoteAddress.blob(Digest(of: []))

  private func value(at address: RemoteAddress) throws -> [UInt8]? {
    if address == Self.empty { return [] }
    if let own = try source(address) { return own }
    guard let kept = try shelf?.get(address) else { return nil }
    return try address.space == .blobs || takesAnyRecords || isWhole(kept) ? kept : nil
  }

  private func put(_ bytes: [UInt8], at address: RemoteAddress) throws {
    guard let shelf else {
      throw ServiceError(.forbidden, "this server takes nothing: its serve_writes is false")
    }
    if address.space == .records, !takesAnyRecords, ActionResult(decoding: bytes) == nil {
      throw ServiceError(
        .badRequest, "a value at /ac is an ActionResult; serve_any_records lets others in")
    }
    if address == Self.empty, bytes.isEmpty { return }
    try shelf.put(bytes, at: address)
  }

  /// Whether everything is here that an action result names: a client that believes it would fail later.
  private func isWhole(_ record: [UInt8]) throws -> Bool {
    guard let result = ActionResult(decoding: record) else { return false }
    for digest in result.files.map(\.digest) + result.otherBlobs {
      guard try has(digest) else { return false }
    }
    for tree in result.trees {
      guard let bytes = try value(at: .blob(tree)), let files = ActionResult.files(ofTree: bytes),
        try files.allSatisfy(has)
      else { return false }
    }
    return true
  }

  private func has(_ digest: Digest) throws -> Bool {
    let address = RemoteAddress.blob(digest)
    return try shelf?.contains(address) == true || value(at: address) != nil
  }
}

/// Lets one PUT at a time look at a value and replace it.
private final class PutOrder: Sendable {
  let lock = Mutex(())
}

/// What a server of values has done since the start. Safe to use from every thread.
final class TierTraffic: Sendable {
  private let asked = Atomic(0)
  private let found = Atomic(0)
  private let taken = Atomic(0)

  func count(found isFound: Bool) {
    asked.add(1, ordering: .relaxed)
    if isFound { found.add(1, ordering: .relaxed) }
  }

  func countPut() { taken.add(1, ordering: .relaxed) }

  var text: String {
    "\(asked.load(ordering: .relaxed)) asked, \(found.load(ordering: .relaxed)) found, "
      + "\(taken.load(ordering: .relaxed)) put"
  }
}
