/// What became of the bytes that another program keeps under a name.
public struct ForeignReport: Sendable, Hashable, Codable {
  public var name: String
  public var changed: Bool

  public init(name: String, changed: Bool) {
    self.name = name
    self.changed = changed
  }
}
