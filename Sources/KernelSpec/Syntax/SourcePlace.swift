/// Where a part of a spec was written, for messages.
///
/// All places are equal, because they are not part of what a spec says.
struct SourcePlace: Sendable, Hashable {
  /// The offset of its first byte in the text; `nil` for a part that was not read from one.
  var offset: Int?

  static func == (_: SourcePlace, _: SourcePlace) -> Bool { true }
  func hash(into _: inout Hasher) {}
}

/// The text that a spec was read from, for messages. All texts are equal, as places are.
struct SourceText: Sendable, Hashable {
  var bytes: [UInt8] = []

  static func == (_: SourceText, _: SourceText) -> Bool { true }
  func hash(into _: inout Hasher) {}
}

extension Spec {
  /// `error` with the position of `place`, when that is known and the error has none.
  func placed(_ error: SpecError, at place: SourcePlace) -> SpecError {
    guard error.position == nil, let offset = place.offset, offset <= source.bytes.count else {
      return error
    }
    return error.placed(at: .init(of: offset, in: source.bytes))
  }
}
