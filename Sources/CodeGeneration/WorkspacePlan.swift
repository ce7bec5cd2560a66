import KernelSpec
package import TensorProgram

/// Where buffers between kernels lie in the workspace: 64-byte aligned, sharing memory when not alive together.
struct WorkspacePlan {
  private(set) var offsets: [BufferID: Int] = [:]
  private(set) var totalBytes = 0

  init(_ fused: FusedProgram) {
    var placed: [(range: Range<Int>, life: ClosedRange<Int>)] = []
    for (buffer, life) in fused.lifetimes {
      let size = max(roundUp(fused.program[buffer].type.storageBytes, to: 64), 64)
      let taken = placed.filter { $0.life.overlaps(life) }.map(\.range)
        .sorted { $0.lowerBound < $1.lowerBound }
      var offset = 0
      for range in taken where offset + size > range.lowerBound {
        offset = max(offset, range.upperBound)
      }
      offsets[buffer] = offset
      totalBytes = max(totalBytes, offset + size)
      placed.append((offset..<offset + size, life))
    }
  }
}

extension FusedProgram {
  /// The buffers between kernels, with the first and last kernel that touches each, in order of position.
  fileprivate var lifetimes: [(BufferID, ClosedRange<Int>)] {
    let external = Set(program.inputs + program.outputs)
    let locals = kernels.reduce(into: Set<BufferID>()) { $0.formUnion($1.locals) }
    var lives: [BufferID: ClosedRange<Int>] = [:]
    for (position, kernel) in kernels.enumerated() {
      for buffer in kernel.touchedBuffers
      where !external.contains(buffer) && !locals.contains(buffer) {
        let first = lives[buffer]?.lowerBound ?? position
        lives[buffer] = first...position
      }
    }
    return lives.sorted { $0.key.position < $1.key.position }
  }
}

extension FusedKernel {
  /// Every buffer that a stage of the kernel reads or writes.
  package var touchedBuffers: Set<BufferID> {
    var touched = Set(stages.map(\.output))
    for stage in stages {
      touched.formUnion(stage.loads.map(\.buffer))
    }
    return touched
  }
}

/// `value` rounded up to a multiple of `unit`.
package func roundUp(_ value: Int, to unit: Int) -> Int { (value + unit - 1) / unit * unit }

/// The part of a kernel's interface that the program alone decides.
struct KernelInterfaceOutline {
  let inputs: [TensorType]
  let outputs: [TensorType]
  let domains: [InputDomain]

  init(_ program: TensorProgram) {
    inputs = program.inputs.map { program[$0].type }
    outputs = program.outputs.map { program[$0].type }
    domains = program.inputDomains
  }

  func interface(workspaceBytes: Int) -> KernelInterface {
    let alignment = (inputs + outputs).map(\.dtype.sizeBytes).max() ?? 1
    return KernelInterface(
      entryPoint: "granary_entry", inputs: inputs, outputs: outputs, inputDomains: domains,
      workspaceBytes: workspaceBytes, alignmentBytes: workspaceBytes > 0 ? 64 : alignment)
  }
}
