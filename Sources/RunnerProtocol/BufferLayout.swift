/// Which end of a buffer lies against a guard page.
package enum GuardPlacement: Int, Sendable, Hashable, CaseIterable {
  /// The buffer starts right behind a guard page: an access before it faults.
  case start
  /// The buffer ends right before a guard page, as far as its alignment lets it: an access behind
  /// it faults.
  case end

  package var other: GuardPlacement { self == .start ? .end : .start }
}

/// Where the buffers of one kind lie in their shared memory.
///
/// Each buffer has whole pages of its own, with room for either placement, so that one mapping
/// serves both.
package struct BufferLayout: Sendable, Hashable {
  package static let pageBytes = 4096

  package let regions: [Region]
  /// The size of the shared memory.
  package let totalBytes: Int

  package struct Region: Sendable, Hashable {
    /// The offset of the buffer's pages in the shared memory.
    package let offset: Int
    /// The size of the buffer's pages.
    package let capacity: Int
    /// The size of the buffer.
    package let count: Int
    private let endOffset: Int

    init(offset: Int, capacity: Int, count: Int, endOffset: Int) {
      self.offset = offset
      self.capacity = capacity
      self.count = count
      self.endOffset = endOffset
    }

    /// The offset of the buffer within its pages.
    package func start(_ placement: GuardPlacement) -> Int {
      placement == .start ? 0 : endOffset
    }

    /// The bytes of the shared memory that hold the buffer.
    package func range(_ placement: GuardPlacement) -> Range<Int> {
      let start = offset + self.start(placement)
      return start..<start + count
    }

    /// The bytes of the shared memory that hold the buffer's pages.
    package var pages: Range<Int> { offset..<offset + capacity }
  }

  /// Lays out buffers of the given sizes, each aligned to `alignment` bytes, at most a page.
  package init(sizes: [Int], alignment: Int) {
    let page = Self.pageBytes
    let step = Swift.max(1, Swift.min(alignment, page))
    var regions: [Region] = []
    var offset = 0
    for size in sizes {
      let capacity = Swift.max(page, (size + page - 1) / page * page)
      let rounded = (size + step - 1) / step * step
      regions.append(
        Region(
          offset: offset, capacity: capacity, count: size,
          endOffset: Swift.max(0, capacity - rounded)))
      offset += capacity
    }
    self.regions = regions
    self.totalBytes = Swift.max(offset, page)
  }
}

/// The bytes that memory is filled with before a kernel may write to it.
package enum Poison {
  /// A NaN in every floating-point format, and -1 in every integer format.
  package static let output: UInt8 = 0xFF
  /// Differs from call to call, so that a kernel that reads workspace it did not write gives
  /// varying results.
  package static func workspace(call: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: 0x5B &+ 29 &* call)
  }
}
