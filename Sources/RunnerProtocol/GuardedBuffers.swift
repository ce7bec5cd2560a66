import CLinux
import Glibc

/// The buffers of one kind, between guard pages.
struct GuardedBuffers {
  let layout: BufferLayout
  /// The first page of each buffer.
  private let pages: [UnsafeMutableRawPointer]

  /// Maps every region of `memory`, with a page that faults on either side.
  ///
  /// - Throws: `RunnerFailure` when address space or memory is short.
  init(layout: BufferLayout, memory: Int32, writable: Bool) throws(RunnerFailure) {
    let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
    try self.init(layout: layout) { first, region in
      mmap(
        first, region.capacity, protection, MAP_SHARED | MAP_FIXED | MAP_POPULATE, memory,
        region.offset)
    }
  }

  /// Takes memory that nobody shares, with a page that faults on either side of every region.
  ///
  /// - Parameter inLargePages: whether to ask for these, which take less time to be touched first.
  /// - Throws: `RunnerFailure` when address space or memory is short.
  init(layout: BufferLayout, inLargePages: Bool) throws(RunnerFailure) {
    try self.init(layout: layout) { first, region in
      let mapped = mmap(
        first, region.capacity, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | (inLargePages ? 0 : MAP_POPULATE), -1, 0)
      // Whether the system follows makes no difference to what the kernel sees.
      if inLargePages, mapped == first { madvise(first, region.capacity, MADV_HUGEPAGE) }
      return mapped
    }
  }

  private init(
    layout: BufferLayout,
    _ map: (UnsafeMutableRawPointer, BufferLayout.Region) -> UnsafeMutableRawPointer?
  ) throws(RunnerFailure) {
    self.layout = layout
    var pages: [UnsafeMutableRawPointer] = []
    for region in layout.regions {
      let first = try Self.reserve(region) + BufferLayout.pageBytes
      guard map(first, region) == first else {
        throw RunnerFailure("cannot map a buffer of \(region.count) bytes")
      }
      pages.append(first)
    }
    self.pages = pages
  }

  private static func reserve(_ region: BufferLayout.Region) throws(RunnerFailure)
    -> UnsafeMutableRawPointer
  {
    let reserved = mmap(
      nil, region.capacity + 2 * BufferLayout.pageBytes, PROT_NONE,
      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let reserved, reserved != MAP_FAILED else {
      throw RunnerFailure("cannot reserve \(region.capacity) bytes of address space")
    }
    return reserved
  }

  func pointer(_ index: Int, _ placement: GuardPlacement) -> UnsafeMutableRawPointer {
    pages[index] + layout.regions[index].start(placement)
  }

  func pointers(_ placement: GuardPlacement) -> [UnsafeMutableRawPointer?] {
    layout.regions.indices.map { pointer($0, placement) }
  }

  func poison(_ placement: GuardPlacement, with byte: UInt8) {
    for index in layout.regions.indices {
      memset(pointer(index, placement), Int32(byte), layout.regions[index].count)
    }
  }

  /// What a crash report calls these buffers. The guard pages belong to the region.
  func regions(kind: Int32) -> [granary_region] {
    layout.regions.indices.map { index in
      let first = UInt(bitPattern: pages[index])
      let capacity = UInt(layout.regions[index].capacity)
      let page = UInt(BufferLayout.pageBytes)
      return granary_region(
        first: first - page, end: first + capacity + page, buffer: first,
        buffer_end: first + capacity, kind: kind, index: Int32(index))
    }
  }
}

/// Why a runner could not be made ready.
struct RunnerFailure: Error {
  let message: String
  init(_ message: String) { self.message = message }
}
