import KernelSpec
import TensorProgram

/// The parts of a translation unit that the renderer makes.
struct CUnit {
  /// The length of `granary_call.buffer`.
  var bufferCount: Int
  var library: Set<CLibrary.Item>
  /// Each defines one or several functions.
  var functions: [String]
  var entry: String
  var compilerOptions: [String]
  var interface: KernelInterface
}

/// Renders lowered kernels as one self-contained C translation unit with the entry `granary_entry`.
///
/// The entry returns 0, or 1 when an index input is out of range, or 2 when the host has more threads than the
/// workspace has room for.
struct CRenderer {
  let program: TensorProgram
  let fused: FusedProgram
  let threads: Int
  let outline: KernelInterfaceOutline
  /// A buffer that lives in the memory that the phases of one kernel share.
  let shared: BufferID?

  init(_ fused: FusedProgram, threads: Int, shared: BufferID? = nil) {
    self.shared = shared
    self.fused = fused
    program = fused.program
    self.threads = threads
    outline = KernelInterfaceOutline(fused.program)
  }

  func source(_ kernels: [LoweredKernel], optimization: Int) -> KernelSource {
    let unit = unit(kernels, optimization: optimization)
    let parts =
      [Self.prelude(bufferCount: unit.bufferCount), CLibrary.text(for: unit.library)]
      + unit.functions + [unit.entry]
    return KernelSource(
      language: .c, text: parts.filter { !$0.isEmpty }.joined(separator: "\n"),
      compilerOptions: unit.compilerOptions, interface: unit.interface)
  }

  /// The parts of the translation unit.
  func unit(_ kernels: [LoweredKernel], optimization: Int) -> CUnit {
    let texts = kernels.map { kernel -> KernelText in
      switch kernel {
      case .tiles(let tiles): text(of: tiles)
      case .text(let text): text
      }
    }
    let plan = WorkspacePlan(fused)
    let shared = texts.map(\.sharedBytes).max() ?? 0
    let scratch = texts.map(\.threadBytes).max() ?? 0
    let sharedStart = plan.totalBytes
    let scratchStart = sharedStart + roundUp(shared, to: 64)
    return CUnit(
      bufferCount: texts.reduce(max(program.buffers.count, 1)) { max($0, $1.bufferCount) },
      library: texts.reduce(into: Set<CLibrary.Item>()) { $0.formUnion($1.library) },
      functions: indexChecks.map(\.function) + texts.map(\.functions),
      entry: entry(
        texts, plan: plan, sharedStart: sharedStart, scratchStart: scratchStart,
        needsThreads: scratch > 0),
      compilerOptions: ["-O\(optimization)"] + Self.options,
      interface: outline.interface(workspaceBytes: scratchStart + scratch * threads))
  }

  /// Integer arithmetic wraps; floating-point arithmetic keeps NaN and infinities; no call of a C library
  /// function is made up by the compiler.
  static let options = [
    "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fwrapv", "-fno-builtin",
    "-Wno-psabi",
  ]

  /// - Parameter members: of the struct that functions are called with, before the others.
  static func prelude(bufferCount: Int, members: String = "") -> String {
    """
    #include <stdint.h>

    #if !defined(__clang__)
    #pragma GCC optimize("no-tree-loop-distribute-patterns")
    #endif

    typedef void (*granary_body)(void *argument, int64_t index, int32_t thread);
    typedef struct granary_context {
      uint32_t size;
      int32_t thread_count;
      void (*parallel_for)(const struct granary_context *context, int64_t count, granary_body body,
                           void *argument);
      void *host;
    } granary_context;

    typedef struct {
    \(members)  void *buffer[\(bufferCount)];
      unsigned char *shared;
      unsigned char *scratch;
      int32_t outOfRange;
    } granary_call;

    """
  }

  // MARK: - Kernels

  func text(of kernel: TileKernel) -> KernelText {
    var writer = CWriter(kernel: kernel, program: program, dialect: .c)
    let span = kernel.laneSpan
    let sizes = kernel.scratch.map { tile in
      tile.isPerLane
        ? roundUp(tile.elementCount * span * tile.dtype.sizeBytes, to: 64)
        : tile.paddedElementCount * tile.dtype.sizeBytes * kernel.scratchSlots
    }
    let isOnStack = sizes.reduce(0, +) <= Self.stackBytes
    writer.line("const granary_call *call = argument;")
    writer.line("(void)call; (void)thread;")
    declareBuffers(of: kernel, in: &writer)
    declareScratch(of: kernel, sizes, isOnStack: isOnStack, in: &writer)
    writer.line("const int64_t first = block * \(kernel.gridCount)L / \(max(kernel.blocks, 1));")
    writer.line(
      "const int64_t end = (block + 1) * \(kernel.gridCount)L / \(max(kernel.blocks, 1));")
    writer.points(of: kernel)
    if kernel.streams { writer.line("__sync_synchronize();") }
    let head = "static void \(kernel.name)(void *argument, int64_t block, int32_t thread) {"
    return KernelText(
      functions: ([head] + writer.lines + ["}", ""]).joined(separator: "\n"),
      phases: [KernelText.Phase(function: kernel.name, blocks: max(kernel.blocks, 1))],
      threadBytes: isOnStack ? 0 : sizes.reduce(0, +), library: writer.library)
  }

  /// What scratch tiles may take of a thread's stack; beyond it they live in the workspace.
  private static let stackBytes = 64 << 10

  private func declareBuffers(of kernel: TileKernel, in writer: inout CWriter) {
    let written = kernel.writtenBuffers
    for buffer in kernel.usedBuffers where writer.scratch[buffer] == nil {
      let type = CDialect.c.memoryType(program[buffer].type.dtype)
      let qualifier = written.contains(buffer) ? "" : "const "
      let place = buffer == shared ? "(void *)call->shared" : "call->buffer[\(buffer.position)]"
      writer.line("\(qualifier)\(type) *restrict \(writer.name(of: buffer)) = \(place);")
    }
  }

  private func declareScratch(
    of kernel: TileKernel, _ sizes: [Int], isOnStack: Bool, in writer: inout CWriter
  ) {
    var offset = 0
    let threadBytes = sizes.reduce(0, +)
    for (tile, size) in zip(kernel.scratch, sizes) {
      let type = CDialect.c.memoryType(tile.dtype)
      let name = writer.name(of: tile.buffer)
      let count = size / tile.dtype.sizeBytes
      writer.line(
        isOnStack
          ? "\(type) \(name)[\(max(count, 1))] __attribute__((aligned(64)));"
          : "\(type) *restrict \(name) = (void *)(call->scratch + (int64_t)thread * \(threadBytes)L + \(offset));"
      )
      offset += size
    }
  }

  // MARK: - Entry

  private func entry(
    _ texts: [KernelText], plan: WorkspacePlan, sharedStart: Int, scratchStart: Int,
    needsThreads: Bool
  ) -> String {
    var lines = [
      """
      int32_t granary_entry(const void *const *inputs, void *const *outputs, void *workspace,
                            const granary_context *context) {
        granary_call call;
        unsigned char *memory = workspace;
        (void)memory; (void)inputs; (void)outputs; (void)context;
      """
    ]
    if needsThreads { lines.append("  if (context->thread_count > \(threads)) return 2;") }
    for position in program.buffers.indices {
      lines.append("  call.buffer[\(position)] = \(address(of: BufferID(position), plan));")
    }
    lines.append("  call.shared = memory + \(sharedStart);")
    lines.append("  call.scratch = memory + \(scratchStart);")
    if !indexChecks.isEmpty { lines.append("  call.outOfRange = 0;") }
    lines += indexChecks.flatMap(\.statements)
    for phase in texts.flatMap(\.phases) { lines.append("  " + phase.call("&call")) }
    return (lines + ["  return 0;", "}", ""]).joined(separator: "\n")
  }

  private var indexChecks: [IndexCheckText] {
    zip(program.inputs.indices, program.inputDomains).compactMap { input, domain in
      IndexCheckText(
        input: input, type: program[program.inputs[input]].type, domain: domain, threads: threads)
    }
  }

  private func address(of buffer: BufferID, _ plan: WorkspacePlan) -> String {
    if let input = program.inputs.firstIndex(of: buffer) { return "(void *)inputs[\(input)]" }
    if let output = program.outputs.firstIndex(of: buffer) { return "outputs[\(output)]" }
    return plan.offsets[buffer].map { "memory + \($0)" } ?? "0"
  }
}

extension CWriter {
  /// The loop over a block's points.
  fileprivate mutating func points(of kernel: TileKernel) {
    switch kernel.overlap {
    case .pipelined: return pipelinedPoints(of: kernel)
    case .none: line("int64_t point = first;")
    case .interleaved(let count):
      line("int64_t point = first;")
      block("for (; point + \(count) <= end; point += \(count))") { writer in
        writer.rows = RowContext(count: count, axes: Set(kernel.grid.map(\.axis)))
        writer.forEachRow { $0.decodeGrid(of: kernel) }
        writer.interleaved(kernel.body)
        writer.rows = nil
      }
    }
    block("for (; point < end; point++)") { writer in
      writer.decodeGrid(of: kernel)
      writer.statements(kernel.body)
    }
  }

  /// The loop over a block's points, in which step `k` is at the point `k` before that of the first step: all
  /// steps together where each has a point, else those that do.
  private mutating func pipelinedPoints(of kernel: TileKernel) {
    let steps = kernel.steps
    let last = steps.count - 1
    block("for (int64_t point = first; point < end + \(last); point++)") { writer in
      writer.rows = RowContext(
        count: steps.count, axes: Set(kernel.grid.map(\.axis)), isPipelined: true)
      writer.forEachRow { $0.decodeGrid(of: kernel) }
      writer.forEachRow { $0.declareSlot(of: kernel) }
      writer.block("if (point >= first + \(last) && point < end)") { $0.together(steps) }
      writer.block("else") { writer in
        for (row, step) in steps.enumerated() {
          writer.rows?.current = row
          writer.block("if (point - \(row) >= first && point - \(row) < end)") {
            $0.statements(Array(step))
          }
        }
      }
      writer.rows = nil
    }
  }

  private mutating func declareSlot(of kernel: TileKernel) {
    guard let rows else { return }
    line("const int64_t \(rows.slotName) = \(rows.point) % \(kernel.scratchSlots);")
  }

  /// Declares the axes of the grid, or the limits of their tiles, at a point.
  mutating func decodeGrid(of kernel: TileKernel) {
    let type = dialect.indexType
    var below = 1
    for axis in kernel.grid.reversed() {
      let point = rows?.point ?? "point"
      let quotient = below == 1 ? point : "\(point) / \(below)"
      let isOutermost = axis == kernel.grid.first
      let position = isOutermost ? quotient : "\(quotient) % \(max(axis.count, 1))"
      below *= max(axis.count, 1)
      guard kernel.tiledAxes.contains(axis.axis) else {
        line("const \(type) \(name(of: axis.axis)) = \(position);")
        line("(void)\(name(of: axis.axis));")
        continue
      }
      let tile = "t\(axis.axis.id)"
      line("const \(type) \(tile)_from = (\(position)) * \(axis.tile);")
      line(
        """
        const \(type) \(tile)_to = \(tile)_from + \(axis.tile) < \(axis.axis.extent) \
        ? \(tile)_from + \(axis.tile) : \(axis.axis.extent);
        """)
    }
  }
}

extension TileKernel {
  /// The axes that the body loops over within the grid's tile.
  var tiledAxes: Set<Axis> { Set(body.flatMap(\.tiledAxes)) }

  /// The most iterations that a lane loop of the grid handles at once.
  var laneSpan: Int {
    body.reduce(1) { span, statement in
      guard case .loop(let loop, _) = statement, loop.isGridTile else { return span }
      return max(span, loop.lanes * loop.unroll)
    }
  }

  var streams: Bool { body.contains { $0.leaves.contains { $0.isStreaming } } }

  var writtenBuffers: Set<BufferID> { Set(body.flatMap { $0.leaves.map(\.output) }) }

  /// Every buffer that is read or written, in the order of their positions.
  var usedBuffers: [BufferID] {
    Set(body.flatMap(\.usedBuffers)).sorted { $0.position < $1.position }
  }
}

extension TileStatement {
  /// Every buffer that is read or written.
  var usedBuffers: Set<BufferID> {
    var used = Set(leaves.map(\.output))
    let note = { (part: Expression) in
      if case .load(let buffer, _, _) = part { used.insert(buffer) }
    }
    for leaf in leaves {
      leaf.value.visit(note)
      leaf.index.visitExpressions(note)
    }
    return used
  }
}

extension TilePass.Member {
  /// The member as a statement of its own.
  var statement: TileStatement {
    switch self {
    case .store(let store): .store(store)
    case .reduce(let reduction): .reduce(reduction)
    }
  }
}

/// What a store, a reduction or a scan writes.
struct TileLeaf {
  var output: BufferID
  var index: Index
  var value: Expression
  var isStreaming = false
}

extension TileStatement {
  /// The axes of the loops over the grid's tile.
  fileprivate var tiledAxes: [Axis] {
    guard case .loop(let loop, let body) = self else { return [] }
    return (loop.isGridTile ? [loop.axis] : []) + body.flatMap(\.tiledAxes)
  }

  /// The statements at the bottom of the loops.
  var leaves: [TileLeaf] {
    switch self {
    case .loop(_, let body): body.flatMap(\.leaves)
    case .store(let store):
      [
        TileLeaf(
          output: store.output, index: store.index, value: store.value,
          isStreaming: store.isStreaming)
      ]
    case .reduce(let reduction):
      [TileLeaf(output: reduction.output, index: reduction.index, value: reduction.value)]
    case .scan(let scan):
      [
        TileLeaf(
          output: scan.output, index: scan.index, value: scan.value, isStreaming: scan.isStreaming)
      ]
    case .pass(let pass): pass.members.flatMap(\.statement.leaves)
    case .scatter(let scatter):
      scatter.target.map {
        TileLeaf(output: scatter.output, index: $0, value: scatter.value)
      } + [TileLeaf(output: scatter.output, index: .constant(0), value: scatter.value)]
    case .sort(let sort): [TileLeaf(output: sort.output, index: sort.index, value: sort.value)]
    }
  }
}
