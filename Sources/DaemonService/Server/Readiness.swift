import CLinux

/// What a socket is watched for, or was seen to be ready for.
struct Readiness: OptionSet {
  let rawValue: UInt32

  static let readable = Readiness(rawValue: UInt32(GRANARY_READABLE))
  static let writable = Readiness(rawValue: UInt32(GRANARY_WRITABLE))
  /// Comes unasked: nothing can be sent any more.
  static let hungUp = Readiness(rawValue: UInt32(GRANARY_HUNG_UP))
}
