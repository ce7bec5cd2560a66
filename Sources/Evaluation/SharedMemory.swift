import CLinux
import Glibc

/// Memory that a runner sees too. Its size is sealed: the other side cannot shrink it.
final class SharedMemory {
  let descriptor: Int32
  let bytes: UnsafeMutableRawBufferPointer

  init(name: String, size: Int) throws(EvaluationError) {
    descriptor = granary_memory(name, UInt64(size))
    guard descriptor >= 0 else {
      throw EvaluationError(.systemRefused, "no shared memory of \(size) bytes")
    }
    guard
      let start = mmap(
        nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0),
      start != MAP_FAILED
    else {
      close(descriptor)
      throw EvaluationError(.systemRefused, "cannot map \(size) bytes")
    }
    bytes = UnsafeMutableRawBufferPointer(start: start, count: size)
  }

  deinit {
    munmap(bytes.baseAddress, bytes.count)
    close(descriptor)
  }

  func fill(with byte: UInt8) {
    if let first = bytes.baseAddress { memset(first, Int32(byte), bytes.count) }
  }

  /// Writes at most `limit` bytes of `source`.
  func write(_ source: [UInt8], at offset: Int, limit: Int) {
    source.withUnsafeBytes { source in
      guard let first = bytes.baseAddress, let from = source.baseAddress else { return }
      memcpy(first + offset, from, min(source.count, limit))
    }
  }

  func read(_ range: Range<Int>) -> [UInt8] {
    [UInt8](byteCount: range.count) { target in
      if let first = bytes.baseAddress, let to = target.baseAddress {
        memcpy(to, first + range.lowerBound, range.count)
      }
    }
  }

  func holds(_ expected: [UInt8], at offset: Int) -> Bool {
    expected.withUnsafeBytes { expected in
      guard let left = bytes.baseAddress, let right = expected.baseAddress else { return true }
      return memcmp(left + offset, right, expected.count) == 0
    }
  }

  /// Whether every byte of `range` is `byte`.
  func holdsOnly(_ byte: UInt8, in range: Range<Int>) -> Bool {
    bytes[range].allSatisfy { $0 == byte }
  }
}
