import DaemonAPI
import DaemonClient
import KernelSpec

/// Brings the contiguous arrays of files into the layout that a kernel's input has.
enum TensorLayout {
  /// - Throws: `bad-request` when the array is not of the input's dtype or shape.
  static func buffer(
    of array: NumPyFile, as type: TensorType, name: String, _ interface: KernelInterface
  ) throws(ServiceError) -> AlignedBuffer {
    guard array.dtype == type.dtype, array.shape == type.shape else {
      throw ServiceError(
        .badRequest,
        "input \(name) must be \(TensorType(type.dtype, type.shape)), "
          + "but the file has \(TensorType(array.dtype, array.shape))")
    }
    let buffer = AlignedBuffer(
      byteCount: type.storageBytes, alignment: interface.alignmentBytes)
    guard let strides = type.strides else {
      buffer.pointer.copyMemory(from: array.bytes, byteCount: array.bytes.count)
      return buffer
    }
    scatter(array.bytes, type, strides, to: buffer.pointer)
    return buffer
  }

  private static func scatter(
    _ bytes: [UInt8], _ type: TensorType, _ strides: [Int], to target: UnsafeMutableRawPointer
  ) {
    let size = type.dtype.sizeBytes
    var index = [Int](repeating: 0, count: type.rank)
    for element in 0..<type.elementCount {
      let offset = zip(index, strides).reduce(0) { $0 + $1.0 * $1.1 }
      for byte in 0..<size {
        target.storeBytes(
          of: bytes[element * size + byte], toByteOffset: offset * size + byte, as: UInt8.self)
      }
      for dimension in index.indices.reversed() {
        index[dimension] += 1
        if index[dimension] < type.shape[dimension] { break }
        index[dimension] = 0
      }
    }
  }
}
