import KernelSpec
import TensorProgram

/// Writes the statements of one function in a language of the C family.
struct CWriter {
  let dialect: CDialect
  let bounds: Bounds
  let elementCounts: [Int]
  let dtypes: [DType]
  let scratch: [BufferID: ScratchTile]
  /// The rows of the table that each input of positions points into.
  let tableSizes: [BufferID: Int]
  private(set) var lines: [String] = []
  private var depth = 1
  /// The lane loop that statements stand in.
  var lanes: LaneContext?
  /// The interleaved points of the grid that statements are written for.
  var rows: RowContext?
  /// The C variables of axes that have another name than `i<id>`.
  var axisNames: [Axis: String] = [:]
  /// What the function uses of the library.
  var library: Set<CLibrary.Item> = []
  private var nameCount = 0

  init(kernel: TileKernel, program: TensorProgram, dialect: CDialect) {
    self.dialect = dialect
    bounds = Bounds(program)
    tableSizes = program.tableSizes
    dtypes = program.buffers.map(\.type.dtype)
    scratch = Dictionary(kernel.scratch.map { ($0.buffer, $0) }) { first, _ in first }
    var counts = program.buffers.map(\.type.storageElementCount)
    for tile in kernel.scratch { counts[tile.buffer.position] = tile.elementCount }
    elementCounts = counts
  }

  mutating func line(_ text: String) {
    lines.append(String(repeating: "  ", count: depth) + text)
  }

  /// Writes `head {`, the body, and `}`.
  mutating func block(_ head: String, _ body: (inout CWriter) -> Void) {
    line(head.isEmpty ? "{" : "\(head) {")
    depth += 1
    body(&self)
    depth -= 1
    line("}")
  }

  /// A name that nothing else in the function has.
  mutating func fresh(_ stem: String) -> String {
    nameCount += 1
    return "\(stem)\(nameCount)"
  }

  mutating func dropLines(after count: Int) { lines.removeLast(lines.count - count) }

  /// The call of a function of the library.
  mutating func call(_ function: String, _ dtype: DType, lanes: Int = 1, _ arguments: String...)
    -> String
  {
    let item = CLibrary.Item(function, dtype, lanes: lanes)
    library.insert(item)
    return "\(item.name)(\(arguments.joined(separator: ", ")))"
  }

  func name(of axis: Axis) -> String {
    if let name = axisNames[axis] { return name }
    guard let rows, rows.axes.contains(axis) else { return "i\(axis.id)" }
    return "i\(axis.id)_\(rows.current)"
  }

  func name(of buffer: BufferID) -> String { "b\(buffer.position)" }
}

/// Neighbouring points of the grid that are under way at once.
struct RowContext: Sendable, Hashable {
  var count: Int
  /// The axes of the grid, which have a variable for each point.
  var axes: Set<Axis>
  /// Whether each is one step behind the one before it; else they take every step together.
  var isPipelined = false
  /// The point that is being written.
  var current = 0

  /// The number of the current point.
  var point: String { "(point \(isPipelined ? "-" : "+") \(current))" }

  /// Which of the scratch tiles are the current point's, counted from 0; `nil` for the first.
  var slot: String? { isPipelined ? slotName : current > 0 ? "\(current)" : nil }

  /// The C variable that holds the slot of a pipelined point.
  var slotName: String { "s\(current)" }

  /// The points that a pass is written for: all of them, or the one that has come to it.
  var inStep: Range<Int> { isPipelined ? current..<current + 1 : 0..<count }
}

/// The lanes of a vector loop: one body handles `width × unroll` values of `axis`.
struct LaneContext: Sendable, Hashable {
  var axis: Axis
  var width: Int
  var unroll: Int
  /// Which of the interleaved vectors is being written.
  var copy = 0
  /// The variable that counts lanes, while lanes are written one by one.
  var single: String?

  var span: Int { width * unroll }
}
