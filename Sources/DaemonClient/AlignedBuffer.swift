/// Memory for one tensor, aligned as kernels need it. Freed when it is released.
public final class AlignedBuffer {
  public let pointer: UnsafeMutableRawPointer
  public let byteCount: Int

  /// - Parameter alignment: a power of two.
  public init(byteCount: Int, alignment: Int) {
    self.byteCount = byteCount
    pointer = .allocate(byteCount: max(1, byteCount), alignment: max(64, alignment))
    pointer.initializeMemory(as: UInt8.self, repeating: 0, count: max(1, byteCount))
  }

  deinit { pointer.deallocate() }

  public var bytes: [UInt8] {
    Array(UnsafeRawBufferPointer(start: pointer, count: byteCount))
  }
}
