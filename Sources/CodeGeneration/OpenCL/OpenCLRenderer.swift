import KernelSpec
import TensorProgram

/// Renders tile kernels as OpenCL C 1.2: one `__kernel` function for each, one work item for each block.
///
/// - Values are scalars, and a block's points run one after the other.
/// - Every kernel that needs the workspace is given all of it and adds its own offsets: parts of a buffer as
///   arguments would have to keep the device's alignment and must not overlap.
/// - OpenCL has no channel for a status, so an index outside its table cannot be reported as it is in C. It is
///   clamped into the table instead, and the result is that of the nearest row: memory is never left.
struct OpenCLRenderer {
  let program: TensorProgram
  let fused: FusedProgram
  let outline: KernelInterfaceOutline
  private let plan: WorkspacePlan

  init(_ fused: FusedProgram) {
    self.fused = fused
    program = fused.program
    outline = KernelInterfaceOutline(fused.program)
    plan = WorkspacePlan(fused)
  }

  /// - Throws: `unsupported-language` when a kernel is text of another language.
  func source(_ kernels: [LoweredKernel]) throws(CodeGenerationError) -> KernelSource {
    var functions: [String] = []
    var launches: [KernelLaunch] = []
    var library: Set<CLibrary.Item> = []
    var scratchBytes = 0
    for kernel in kernels {
      guard case .tiles(let tiles) = kernel else {
        throw CodeGenerationError(.unsupportedLanguage, "A kernel is not OpenCL C.")
      }
      let scratch = ScratchLayout(tiles)
      var writer = CWriter(kernel: tiles, program: program, dialect: .openCL)
      functions.append(function(of: tiles, scratch, in: &writer))
      launches.append(launch(of: tiles, scratch))
      library.formUnion(writer.library)
      scratchBytes = max(scratchBytes, scratch.workspaceBytes)
    }
    var interface = outline.interface(workspaceBytes: plan.totalBytes + scratchBytes)
    interface.launches = launches
    let text = ([OpenCLLibrary.text(for: library)] + functions).joined(separator: "\n")
    return KernelSource(
      language: .openCL, text: Self.extensions(for: text) + text,
      compilerOptions: ["-cl-std=CL1.2"], interface: interface)
  }

  /// A device without double precision can still run what needs none.
  private static func extensions(for text: String) -> String {
    text.contains("double") ? "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n" : ""
  }

  private func function(
    of kernel: TileKernel, _ scratch: ScratchLayout, in writer: inout CWriter
  ) -> String {
    writer.line("const long block = get_global_id(0);")
    declareWorkspace(of: kernel, in: &writer)
    declareScratch(of: kernel, scratch, in: &writer)
    let blocks = max(kernel.blocks, 1)
    writer.line("const long first = block * \(kernel.gridCount)L / \(blocks);")
    writer.line("const long end = (block + 1) * \(kernel.gridCount)L / \(blocks);")
    writer.block("for (long point = first; point < end; point++)") { writer in
      writer.decodeGrid(of: kernel)
      writer.statements(kernel.body)
    }
    let parameters = parameters(of: kernel, scratch).joined(separator: ", ")
    let head = "__kernel void \(kernel.name)(\(parameters)) {"
    return ([head] + writer.lines + ["}", ""]).joined(separator: "\n")
  }

  // MARK: - Arguments

  private func launch(of kernel: TileKernel, _ scratch: ScratchLayout) -> KernelLaunch {
    var arguments = external(kernel).map { $0.argument }
    if needsWorkspace(kernel, scratch) { arguments.append(.workspace(0)) }
    return KernelLaunch(
      function: kernel.name, global: [max(kernel.blocks, 1)], local: [1], arguments: arguments)
  }

  private func parameters(of kernel: TileKernel, _ scratch: ScratchLayout) -> [String] {
    let buffers = external(kernel).map { buffer, _ in pointer(to: buffer, in: kernel) }
    return buffers + (needsWorkspace(kernel, scratch) ? ["__global uchar *workspace"] : [])
  }

  /// The inputs and outputs that the kernel uses.
  private func external(_ kernel: TileKernel) -> [(
    buffer: BufferID, argument: KernelLaunch.Argument
  )] {
    kernel.usedBuffers.compactMap { buffer in
      if let input = program.inputs.firstIndex(of: buffer) { return (buffer, .input(input)) }
      return program.outputs.firstIndex(of: buffer).map { (buffer, .output($0)) }
    }
  }

  private func inWorkspace(_ kernel: TileKernel) -> [(buffer: BufferID, offset: Int)] {
    kernel.usedBuffers.compactMap { buffer in plan.offsets[buffer].map { (buffer, $0) } }
  }

  private func needsWorkspace(_ kernel: TileKernel, _ scratch: ScratchLayout) -> Bool {
    scratch.workspaceBytes > 0 || !inWorkspace(kernel).isEmpty
  }

  private func pointer(to buffer: BufferID, in kernel: TileKernel) -> String {
    let qualifier = kernel.writtenBuffers.contains(buffer) ? "" : "const "
    let type = CDialect.openCL.memoryType(program[buffer].type.dtype)
    return "__global \(qualifier)\(type) *restrict b\(buffer.position)"
  }

  // MARK: - Memory of the kernel's own

  private func declareWorkspace(of kernel: TileKernel, in writer: inout CWriter) {
    for (buffer, offset) in inWorkspace(kernel) {
      let type = CDialect.openCL.memoryType(program[buffer].type.dtype)
      writer.line(
        "\(pointer(to: buffer, in: kernel)) = (__global \(type) *)(workspace + \(offset)L);")
    }
  }

  private func declareScratch(
    of kernel: TileKernel, _ scratch: ScratchLayout, in writer: inout CWriter
  ) {
    var offset = plan.totalBytes
    for (tile, size) in zip(kernel.scratch, scratch.sizes) {
      let type = CDialect.openCL.memoryType(tile.dtype)
      let name = writer.name(of: tile.buffer)
      writer.line(
        scratch.isPrivate
          ? "\(type) \(name)[\(max(tile.elementCount, 1))];"
          : """
          __global \(type) *restrict \(name) = \
          (__global \(type) *)(workspace + \(offset)L + block * \(scratch.blockBytes)L);
          """)
      offset += size
    }
  }

  /// Where the scratch tiles of a kernel live: private to a work item when small, else in the workspace, where
  /// each block has a part of its own.
  private struct ScratchLayout {
    let sizes: [Int]
    let blockBytes: Int
    let isPrivate: Bool
    let workspaceBytes: Int

    /// What tiles may take of private memory, which some devices keep in registers.
    private static let privateBytes = 16 << 10

    init(_ kernel: TileKernel) {
      sizes = kernel.scratch.map { roundUp($0.elementCount * $0.dtype.sizeBytes, to: 64) }
      blockBytes = sizes.reduce(0, +)
      isPrivate = blockBytes <= Self.privateBytes
      workspaceBytes = isPrivate ? 0 : blockBytes * max(kernel.blocks, 1)
    }
  }
}
