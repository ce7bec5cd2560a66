/// The body of `POST /v1/export`: what goes into a bundle.
public struct ExportRequest: Sendable, Hashable, Codable {
  /// Whole keys; without them, every entry.
  public var keys: [String]?
  /// Whether a bundle that nobody signs will do.
  public var unsigned: Bool?

  public init(keys: [String]? = nil, unsigned: Bool? = nil) {
    self.keys = keys
    self.unsigned = unsigned
  }
}

/// What became of the kernels of a bundle.
public struct ImportReport: Sendable, Hashable, Codable {
  /// Kernels that were taken in, or would be.
  public var admitted: Int
  /// Kernels that the store had, or had newer.
  public var known: Int
  /// Kernels that failed their verification on this machine.
  public var failed: [String]

  public init(admitted: Int, known: Int, failed: [String]) {
    self.admitted = admitted
    self.known = known
    self.failed = failed
  }
}
