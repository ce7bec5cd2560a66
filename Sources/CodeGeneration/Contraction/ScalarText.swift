import KernelSpec
import TensorProgram

/// Scalar C for the elements of a contraction: loops over them are left to the compiler to
/// vectorise.
struct ScalarText {
  let program: TensorProgram
  private let writer: CWriter

  init(program: TensorProgram) {
    self.program = program
    writer = CWriter(
      kernel: TileKernel(name: "", grid: [], blocks: 1, scratch: [], body: []), program: program,
      dialect: .c)
  }

  func text(_ expression: Expression) -> String {
    var writer = writer
    return writer.scalar(expression)
  }

  func text(_ index: Index) -> String {
    var writer = writer
    return writer.text(index)
  }

  /// What the expressions use of the library.
  func library(_ expressions: [Expression]) -> Set<CLibrary.Item> {
    var writer = writer
    for expression in expressions { _ = writer.scalar(expression) }
    return writer.library
  }

  /// The expression's value as an element of `type` in memory.
  func stored(_ expression: Expression, as type: DType) -> String {
    var writer = writer
    return writer.scalarCast(writer.scalar(expression), from: expression.dtype, to: type)
  }

  /// What `stored(_:as:)` uses of the library.
  func conversions(from: DType, to type: DType) -> Set<CLibrary.Item> {
    var writer = writer
    _ = writer.scalarCast("x", from: from, to: type)
    return writer.library
  }

  /// A sum as an element of `type` in memory.
  func sum(_ sum: String, _ accumulator: DType, as type: DType) -> String {
    var writer = writer
    let value = "((\(storageType(accumulator)))\(sum))"
    return writer.scalarCast(value, from: accumulator, to: type)
  }

  func storageType(_ type: DType) -> String { CDialect.c.memoryType(type) }

  func localName(_ buffer: BufferID) -> String { writer.name(of: buffer) }
  func outputName(_ buffer: BufferID) -> String { "to_\(writer.name(of: buffer))" }

  /// Definitions of the pointers that `expressions` read, except for `made`, and `outputs` are
  /// written to.
  func pointers(
    _ expressions: [Expression], made: [BufferID] = [], outputs: [BufferID] = []
  ) -> [String] {
    var read: Set<BufferID> = []
    for expression in expressions {
      expression.forEach { if case .load(let buffer, _, _) = $0 { read.insert(buffer) } }
    }
    let inputs = read.subtracting(made).sorted { $0.position < $1.position }
    return inputs.map { buffer in
      "const \(type(of: buffer)) *restrict \(localName(buffer)) = \(pointer(buffer));"
    }
      + outputs.map { buffer in
        "\(type(of: buffer)) *restrict \(outputName(buffer)) = \(pointer(buffer));"
      }
  }

  private func type(of buffer: BufferID) -> String { storageType(program[buffer].type.dtype) }
  private func pointer(_ buffer: BufferID) -> String { "call->buffer[\(buffer.position)]" }
}
