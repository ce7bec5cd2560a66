import CGranary

/// A kernel, named by what it computes. The process looks for it when it is first run.
public struct Kernel: Sendable {
  private let spec: String
  private let inputBytes: [Int]
  private let outputBytes: [Int]

  /// - Parameters:
  ///   - spec: In either of the forms that a spec has.
  ///   - inputBytes: The size of each input.
  ///   - outputBytes: The size of each output.
  public init(spec: String, inputBytes: [Int], outputBytes: [Int]) {
    self.spec = spec
    self.inputBytes = inputBytes
    self.outputBytes = outputBytes
  }

  /// Runs the kernel. What is not aligned to 64 bytes is copied.
  ///
  /// - Parameters:
  ///   - inputs: Laid out as the spec says.
  ///   - outputs: Contiguous, and written completely; they overlap no other buffer.
  ///   - hasFallback: Whether the caller computes the outputs itself where there is no kernel.
  /// - Returns: Whether the kernel ran; `false` only with a fallback.
  /// - Throws: A failure without a fallback, when an index is out of range, or for buffers of other sizes.
  public func run(
    _ inputs: [UnsafeRawBufferPointer], into outputs: [UnsafeMutableRawBufferPointer],
    hasFallback: Bool
  ) throws(KernelFailure) -> Bool {
    let sizes = (inputs.map(\.count), outputs.map(\.count))
    guard sizes == (inputBytes, outputBytes) else {
      throw KernelFailure(
        status: Int32(GRANARY_BAD_ARGUMENT),
        description: "inputs of \(inputBytes) bytes and outputs of \(outputBytes) are needed, "
          + "not \(sizes.0) and \(sizes.1)")
    }
    let sources = inputs.map {
      AlignedMemory.isAligned($0.baseAddress) ? nil : AlignedMemory(copying: $0)
    }
    let targets = outputs.map {
      AlignedMemory.isAligned($0.baseAddress) ? nil : AlignedMemory(byteCount: $0.count)
    }
    let status = withExtendedLifetime((sources, targets)) {
      let status = call(
        zip(inputs, sources).map {
          $1.map { UnsafeRawPointer($0.bytes.baseAddress) } ?? $0.baseAddress
        },
        zip(outputs, targets).map { $1?.bytes.baseAddress ?? $0.baseAddress })
      for case (let output, let target?) in zip(outputs, targets) where status == GRANARY_OK {
        output.copyMemory(from: UnsafeRawBufferPointer(target.bytes))
      }
      return status
    }
    if status == GRANARY_OK { return true }
    let failure = KernelFailure(status: status, description: String(cString: granary_message()))
    guard hasFallback, !failure.isCallers else { throw failure }
    failure.noteFallback()
    return false
  }

  /// The same over memory of which nothing is copied.
  public func run(
    _ inputs: [AlignedMemory], into outputs: [AlignedMemory], hasFallback: Bool
  ) throws(KernelFailure) -> Bool {
    defer { withExtendedLifetime((inputs, outputs)) {} }
    return try run(
      inputs.map { UnsafeRawBufferPointer($0.bytes) }, into: outputs.map(\.bytes),
      hasFallback: hasFallback)
  }

  private func call(_ inputs: [UnsafeRawPointer?], _ outputs: [UnsafeMutableRawPointer?]) -> Int32 {
    granary_run(spec, nil, inputs, outputs, nil, nil)
  }
}
