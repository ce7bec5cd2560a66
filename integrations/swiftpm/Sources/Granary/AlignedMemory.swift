/// Memory of a tensor, aligned as every kernel needs it, so that nothing is copied when one runs.
///
/// Nothing guards it against use by two threads at once.
public final class AlignedMemory {
  static let alignment = 64

  public let bytes: UnsafeMutableRawBufferPointer

  /// Zeros.
  public init(byteCount: Int) {
    bytes = .allocate(byteCount: byteCount, alignment: Self.alignment)
    bytes.initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// A copy of what a buffer holds.
  public convenience init(copying source: UnsafeRawBufferPointer) {
    self.init(byteCount: source.count)
    bytes.copyMemory(from: source)
  }

  /// A copy of an array's elements.
  public convenience init<Element: BitwiseCopyable>(_ array: [Element]) {
    self.init(byteCount: array.count * MemoryLayout<Element>.stride)
    array.withUnsafeBytes { bytes.copyMemory(from: $0) }
  }

  deinit { bytes.deallocate() }

  /// A copy of the elements.
  public func array<Element: BitwiseCopyable>(of type: Element.Type) -> [Element] {
    withExtendedLifetime(self) { Array(bytes.bindMemory(to: Element.self)) }
  }

  static func isAligned(_ address: UnsafeRawPointer?) -> Bool {
    Int(bitPattern: address) % alignment == 0
  }
}
