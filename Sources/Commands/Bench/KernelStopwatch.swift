import CLinux
import DaemonAPI
import DaemonClient
import Glibc
import Hardware
import KernelSpec
import Support

/// Measures kernels of one spec in this process, on inputs that are drawn once.
struct KernelStopwatch {
  private let inputs: [AlignedBuffer]
  private let outputs: [AlignedBuffer]
  private let threadCount: Int
  /// How long the calls of all kernels together may take, and how many of each there are at most.
  private let seconds: Double
  private let rounds: Int

  init(_ interface: KernelInterface, seconds: Double = 2, rounds: Int = 50) {
    self.seconds = seconds
    self.rounds = rounds
    threadCount = max(1, ProcessFacts.current().usableCores.count)
    var random = SeededRandom(seed: 42)
    inputs = interface.inputs.enumerated().map { position, type in
      let domains = interface.inputDomains
      let domain = domains.indices.contains(position) ? domains[position] : .any
      let buffer = AlignedBuffer(
        byteCount: type.storageElementCount * type.dtype.sizeBytes,
        alignment: interface.alignmentBytes)
      Self.fill(buffer, type.dtype, domain, &random)
      return buffer
    }
    outputs = interface.outputs.map {
      AlignedBuffer(
        byteCount: $0.elementCount * $0.dtype.sizeBytes, alignment: interface.alignmentBytes)
    }
  }

  /// The median microseconds of a call of each artifact, called in turns so that noise meets all alike.
  ///
  /// - Throws: `ServiceError` for a kernel that cannot be loaded or refuses its inputs.
  func microseconds(of artifacts: [Artifact]) throws(ServiceError) -> [Double] {
    var kernels: [LoadedKernel] = []
    let threads = try KernelThreads(count: threadCount)
    for artifact in artifacts { kernels.append(try LoadedKernel(artifact, on: threads)) }
    for kernel in kernels { _ = try call(kernel) }
    var times = [[Double]](repeating: [], count: kernels.count)
    let end = now() + seconds
    for round in 0..<rounds where round < Self.leastRounds || now() < end {
      for (position, kernel) in kernels.enumerated() { times[position].append(try call(kernel)) }
    }
    return times.map(\.median)
  }

  private static let leastRounds = 3

  private func call(_ kernel: LoadedKernel) throws(ServiceError) -> Double {
    let start = now()
    try kernel.call(
      inputs: inputs.map { UnsafeRawPointer($0.pointer) }, outputs: outputs.map(\.pointer))
    return (now() - start) * 1e6
  }

  private func now() -> Double { Double(granary_now()) * 1e-9 }

  /// Fills a buffer with a block of values within the domain, again and again.
  private static func fill(
    _ buffer: AlignedBuffer, _ dtype: DType, _ domain: InputDomain, _ random: inout SeededRandom
  ) {
    let size = dtype.sizeBytes
    let block = min(buffer.byteCount / size, 1 << 16)
    for index in 0..<block {
      store(dtype, domain, &random, at: buffer.pointer + index * size)
    }
    var filled = block * size
    while filled > 0, filled < buffer.byteCount {
      let count = min(filled, buffer.byteCount - filled)
      memcpy(buffer.pointer + filled, buffer.pointer, count)
      filled += count
    }
  }

  private static func store(
    _ dtype: DType, _ domain: InputDomain, _ random: inout SeededRandom,
    at place: UnsafeMutableRawPointer
  ) {
    let bits = random.next()
    let integer =
      switch domain {
      case .index(let bound), .signedIndex(let bound), .indexOr(let bound, _):
        Int64(bits % UInt64(max(1, bound)))
      case .any, .positive: Int64(bits % 2)
      }
    let number: Double? =
      switch domain {
      case .any: Double(bits >> 11) * 0x1p-52 - 1
      case .positive: Double(bits >> 11) * 0x1p-53 + 0.5
      case .index, .signedIndex, .indexOr: nil
      }
    switch dtype {
    case .f64: place.storeBytes(of: number ?? Double(integer), as: Double.self)
    case .f32: place.storeBytes(of: Float(number ?? Double(integer)), as: Float.self)
    case .bf16:
      let value = Float(number ?? Double(integer)).bitPattern >> 16
      place.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
    // A half between 1/2 and 1, with a sign where that may be.
    case .f16:
      let sign: UInt64 = domain == .any ? (bits >> 63) << 15 : 0
      let half = number == nil ? 0 : 0x3800 | (bits & 0x3FF) | sign
      place.storeBytes(of: UInt16(truncatingIfNeeded: half), as: UInt16.self)
    case .i64: place.storeBytes(of: integer, as: Int64.self)
    case .i32: place.storeBytes(of: Int32(truncatingIfNeeded: integer), as: Int32.self)
    case .i16: place.storeBytes(of: Int16(truncatingIfNeeded: integer), as: Int16.self)
    case .i8, .u8, .bool: place.storeBytes(of: UInt8(truncatingIfNeeded: integer), as: UInt8.self)
    }
  }
}
