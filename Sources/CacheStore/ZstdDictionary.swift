import CZstd
import Support

/// A dictionary of zstd, prepared for decompression, and for compression when that was asked for.
final class ZstdDictionary: Sendable {
  /// Neither is changed after it was made, and zstd lets any number of threads use one.
  private nonisolated(unsafe) let reading: OpaquePointer
  private nonisolated(unsafe) let writing: OpaquePointer?

  /// - Parameters:
  ///   - bytes: what was trained, or any bytes that resemble what is to be compressed.
  ///   - level: with which is compressed; `nil` when nothing will be.
  /// - Returns: `nil` when zstd cannot use the bytes.
  init?(_ bytes: [UInt8], level: Int32?) {
    guard let reading = ZSTD_createDDict(bytes, bytes.count) else { return nil }
    let writing = level.flatMap { ZSTD_createCDict(bytes, bytes.count, $0) }
    guard level == nil || writing != nil else {
      ZSTD_freeDDict(reading)
      return nil
    }
    self.reading = reading
    self.writing = writing
  }

  deinit {
    ZSTD_freeDDict(reading)
    ZSTD_freeCDict(writing)
  }

  /// - Throws: `store-internal` when zstd fails, or the dictionary was not prepared for this.
  func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    guard let writing, let context = ZSTD_createCCtx() else { throw Self.failure("no context") }
    defer { ZSTD_freeCCtx(context) }
    // The number of the dictionary is beside the frame.
    ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0)
    ZSTD_CCtx_refCDict(context, writing)
    let bound = ZSTD_compressBound(bytes.count)
    var result = 0
    let frame = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
      result = ZSTD_compress2(context, buffer.baseAddress, bound, bytes, bytes.count)
      count = ZSTD_isError(result) == 0 ? result : 0
    }
    if ZSTD_isError(result) != 0 {
      throw Self.failure(String(cString: ZSTD_getErrorName(result)))
    }
    return frame
  }

  /// - Returns: `nil` unless the frame gives exactly so many bytes.
  func decompress(_ frame: ArraySlice<UInt8>, sizeBytes: Int) -> [UInt8]? {
    guard let context = ZSTD_createDCtx() else { return nil }
    defer { ZSTD_freeDCtx(context) }
    var isComplete = false
    let bytes = [UInt8](unsafeUninitializedCapacity: max(sizeBytes, 1)) { buffer, count in
      let written = frame.withUnsafeBytes {
        ZSTD_decompress_usingDDict(
          context, buffer.baseAddress, sizeBytes, $0.baseAddress, $0.count, reading)
      }
      isComplete = ZSTD_isError(written) == 0 && written == sizeBytes
      count = isComplete ? written : 0
    }
    return isComplete ? bytes : nil
  }

  /// What samples have in common.
  ///
  /// - Returns: `nil` when they are too few, or have nothing in common.
  static func train(_ samples: [[UInt8]], capacityBytes: Int) -> [UInt8]? {
    let joined = Array(samples.joined())
    let sizes = samples.map(\.count)
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: capacityBytes) { buffer, count in
      result = ZDICT_trainFromBuffer(
        buffer.baseAddress, capacityBytes, joined, sizes, UInt32(sizes.count))
      count = ZDICT_isError(result) == 0 ? result : 0
    }
    return ZDICT_isError(result) == 0 ? bytes : nil
  }

  private static func failure(_ reason: String) -> GranaryError {
    GranaryError(.storeInternal, "zstd: \(reason)", responsible: .internal)
  }
}
