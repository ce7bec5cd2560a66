import KernelSpec
import TensorProgram

/// The C function that turns a tile of sums into elements of the result.
struct EpilogueText {
  let name: String
  let stages: [Stage]
  /// The value of each stage after the sum, and where each stage's results go.
  private let access: FlatAccess
  private let arguments: [Axis]
  private let tileColumns: Int
  /// The columns of the last axis that are stored; `nil` for all.
  private let visibleColumns: Int?
  private let locals: Set<BufferID>
  private let accumulator: DType
  private let scalars: ScalarText

  init(
    _ contraction: Contraction, name: String, tileColumns: Int, locals: Set<BufferID>,
    visibleColumns: Int? = nil, scalars: ScalarText
  ) {
    self.name = name
    self.tileColumns = tileColumns
    self.locals = locals
    self.visibleColumns = visibleColumns
    self.scalars = scalars
    stages = contraction.stages
    arguments = contraction.loopedBatch
    accumulator = contraction.accumulator
    let made = Set(contraction.stages.map(\.output))
    access = FlatAccess(
      loops: [contraction.rows, contraction.columns],
      expressions: contraction.stages.compactMap { stage in
        guard case .map(let value) = stage.body else { return nil }
        return value.readingLocally(made)
      },
      stores: contraction.stages.map { stage in
        let type = scalars.program[stage.output].type
        return AffineIndex(
          stage.domain.map(Index.axis),
          strides: TensorType.contiguousStrides(type.shape))
      },
      buffers: scalars.program.buffers.enumerated().map { position, buffer in
        made.contains(BufferID(position))
          ? Buffer(name: buffer.name, type: .single(buffer.type.dtype)) : buffer
      })
  }

  var library: Set<CLibrary.Item> {
    var items = scalars.library(access.expressions)
    for stage in stages {
      let type = scalars.program[stage.output].type.dtype
      guard case .map(let value) = stage.body else {
        items.formUnion(scalars.conversions(from: accumulator, to: type))
        continue
      }
      items.formUnion(scalars.conversions(from: value.dtype, to: type))
    }
    return items
  }

  private var rows: [Axis] { access.loops[0] }
  private var columns: [Axis] { access.loops[1] }

  /// Where a register tile can be stored as it is: the result is the plain sum and rows are
  /// contiguous.
  func direct(row: String, column: String) -> (address: String, rowStride: Int)? {
    guard stages.count == 1, rows.count == 1, columns.count == 1,
      scalars.program[stages[0].output].type.dtype == accumulator,
      access.stores[0].factors[columns[0]] == 1
    else { return nil }
    let stride = access.stores[0].factors[rows[0], default: 0]
    let matrix = access.stores[0].factors.filter { arguments.contains($0.key) }
      .sorted { $0.key.id < $1.key.id }.map { "\($0.key.variable) * \($0.value)" }
    let terms = (matrix + ["\(row) * \(stride)", column]).joined(separator: " + ")
    return ("call->buffer[\(stages[0].output.position)] + \(terms)", stride)
  }

  func call(_ batch: [Axis]) -> String {
    let values =
      ["call"] + batch.map(\.variable) + ["row", "rows", "column", "columns", "tile", "padded"]
    return "\(name)(\(values.joined(separator: ", ")))"
  }

  /// `name(call, batch…, row, rows, column, columns, tile, stride)`, where `stride` is the distance
  /// between rows of the tile.
  var text: String {
    let parameters =
      ["const granary_call *call"] + arguments.map { "int64_t \($0.variable)" }
      + [
        "int64_t row", "int64_t rows", "int64_t column", "int64_t columns",
        "const T *restrict tile", "int64_t stride",
      ]
    let along = columns.last
    let start = along.map { "start_\($0.variable)" } ?? "0"
    let startText = along.map { ["const int64_t \(start) = (column + j0) % \($0.extent);"] } ?? []
    let run = along.map { "\($0.extent) - \(start)" } ?? "1"
    let visible =
      visibleColumns.map { minimum("\($0) - \(start)", "run") } ?? "run"
    let loop = { (bound: String) in
      """
              for (int64_t j = 0; j < \(bound); j++) {
      \(lines(10, body(along, start: start)))
              }
      """
    }
    return """
      static __attribute__((noinline)) void \(name)(\(parameters.joined(separator: ", "))) {
      \(lines(2, pointers))
        for (int64_t i = 0; i < rows; i++) {
      \(lines(4, decode("row + i", rows)))
          for (int64_t j0 = 0; j0 < columns;) {
      \(lines(6, decode("column + j0", columns).dropLast() + startText))
            const int64_t run = \(minimum("columns - j0", run));
            const T *restrict from = tile + i * stride + j0;
            const int64_t visible = \(visible);
            if (visible == \(tileColumns)) {
      \(loop("\(tileColumns)"))
            } else {
      \(loop("visible"))
            }
            j0 += run;
          }
        }
      }
      """
  }

  private var pointers: [String] {
    scalars.pointers(
      access.expressions, made: stages.map(\.output), outputs: storedBuffers)
  }

  private var storedBuffers: [BufferID] {
    stages.map(\.output).filter { !locals.contains($0) }
  }

  /// Each stage's value in a variable of its own, and in memory unless it is local.
  private func body(_ along: Axis?, start: String) -> [String] {
    var text = along.map { ["const int64_t \($0.variable) = \(start) + j;"] } ?? []
    for (position, stage) in stages.enumerated() {
      let type = scalars.program[stage.output].type.dtype
      let value =
        position == 0
        ? scalars.sum("from[j]", accumulator, as: type)
        : scalars.stored(access.expressions[position - 1], as: type)
      let local = scalars.localName(stage.output)
      text.append("const \(scalars.storageType(type)) \(local)[1] = {\(value)};")
      guard !locals.contains(stage.output) else { continue }
      let index = scalars.text(access.stores[position].index)
      text.append("\(scalars.outputName(stage.output))[\(index)] = \(local)[0];")
    }
    return text
  }
}

extension Expression {
  /// The expression with loads of `made` at the point of the iteration itself as loads of single
  /// elements.
  fileprivate func readingLocally(_ made: Set<BufferID>) -> Expression {
    rewritten { expression in
      guard case .load(let buffer, let type, _) = expression, made.contains(buffer) else {
        return expression
      }
      return .load(buffer, type, [.constant(0)])
    }
  }
}

extension TensorType {
  fileprivate static func single(_ type: DType) -> TensorType { TensorType(type, [1]) }
}
