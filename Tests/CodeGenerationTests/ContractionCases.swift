import KernelSpec
import Support
import TensorProgram

/// Kernels for the tests of contractions, made by hand as lowering makes them.
struct ContractionCase {
  var name: String
  var program: TensorProgram
  var kernel: FusedKernel

  init(
    _ name: String, inputs: [TensorType], stages: [Stage], outputs: [TensorType],
    locals: Set<BufferID> = []
  ) {
    let types = inputs + outputs
    self.name = name
    program = TensorProgram(
      buffers: types.enumerated().map { Buffer(name: "b\($0)", type: $1) },
      inputs: inputs.indices.map(BufferID.init),
      outputs: outputs.indices.map { BufferID($0 + inputs.count) }.filter { !locals.contains($0) },
      stages: stages, inputDomains: inputs.map { _ in .any })
    kernel = FusedKernel(outer: stages[0].domain, stages: stages, locals: locals)
  }
}

/// Gives every axis an identity of its own.
struct AxisSource {
  private var count = 0

  mutating func callAsFunction(_ extent: Int) -> Axis {
    count += 1
    return Axis(id: count, extent: extent)
  }
}

func load(_ buffer: Int, _ type: DType, _ axes: Axis...) -> Expression {
  .load(BufferID(buffer), type, axes.map { .axis($0) })
}

extension ContractionCase {
  /// `batch × rows × depth` by `batch × depth × columns`, either factor stored transposed.
  static func product(
    _ type: DType, batch: Int, rows: Int, columns: Int, depth: Int, transposed: (Bool, Bool)
  ) -> ContractionCase {
    var axis = AxisSource()
    let (b, m, n, k) = (axis(batch), axis(rows), axis(columns), axis(depth))
    let left = transposed.0 ? load(0, type, b, k, m) : load(0, type, b, m, k)
    let right = transposed.1 ? load(1, type, b, n, k) : load(1, type, b, k, n)
    let stage = Stage(
      output: BufferID(2), domain: [b, m, n],
      body: .reduce(axes: [k], combiner: .sum, value: .binary(.multiply, left, right)))
    return ContractionCase(
      "\(type) \(batch)x\(rows)x\(columns)x\(depth) \(transposed)",
      inputs: [
        TensorType(type, transposed.0 ? [batch, depth, rows] : [batch, rows, depth]),
        TensorType(type, transposed.1 ? [batch, columns, depth] : [batch, depth, columns]),
      ],
      stages: [stage], outputs: [TensorType(type, [batch, rows, columns])])
  }

  /// `max(x · wᵀ + bias, 0) + residual`, with the plain sum as a second result when asked for.
  static func linear(rows: Int, columns: Int, depth: Int, keepsSum: Bool) -> ContractionCase {
    var axis = AxisSource()
    let (m, n, k) = (axis(rows), axis(columns), axis(depth))
    let product = Expression.binary(.multiply, load(0, .f32, m, k), load(1, .f32, n, k))
    let biased = Expression.binary(.add, load(4, .f32, m, n), load(2, .f32, n))
    let value = Expression.binary(
      .add, .binary(.maximum, biased, .real(0, .f32)), load(3, .f32, m, n))
    let matrix = TensorType(.f32, [rows, columns])
    return ContractionCase(
      "linear \(rows)x\(columns)x\(depth) \(keepsSum)",
      inputs: [
        TensorType(.f32, [rows, depth]), TensorType(.f32, [columns, depth]),
        TensorType(.f32, [columns]), matrix,
      ],
      stages: [
        Stage(
          output: BufferID(4), domain: [m, n],
          body: .reduce(axes: [k], combiner: .sum, value: product)),
        Stage(output: BufferID(5), domain: [m, n], body: .map(value)),
      ],
      outputs: [matrix, matrix], locals: keepsSum ? [] : [BufferID(4)])
  }
}

/// A convolution of `batch × (groups · channels) × height × width`.
struct Window {
  var batch = 1
  var groups = 1
  var channels = 3
  var filters = 4
  var size = (height: 7, width: 9)
  var kernel = (height: 3, width: 3)
  var stride = 1
  var dilation = 1
  var padding = 1
  var transposed = false

  private func extent(_ size: Int, _ kernel: Int) -> Int {
    transposed
      ? (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
      : (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
  }

  var outputSize: (height: Int, width: Int) {
    (extent(size.height, kernel.height), extent(size.width, kernel.width))
  }

  /// Where output `out` meets the input through tap `tap`, and when.
  private func meets(_ out: Axis, _ tap: Axis, _ size: Int) -> (index: Index, guards: Expression) {
    if transposed {
      let place = Index.sum(
        .sum(.axis(out), .product(.axis(tap), -dilation)), .constant(padding))
      let index = Index.quotient(place, stride)
      return (
        index,
        .binary(
          .logicalAnd, .inRange(.remainder(place, stride), lower: 0, upper: 1),
          .inRange(index, lower: 0, upper: size))
      )
    }
    let index = Index.sum(
      .sum(.product(.axis(out), stride), .product(.axis(tap), dilation)), .constant(-padding))
    return (index, .inRange(index, lower: 0, upper: size))
  }

  var contraction: ContractionCase {
    var axis = AxisSource()
    let (n, g, f) = (axis(batch), axis(groups), axis(filters))
    let (y, x) = (axis(outputSize.height), axis(outputSize.width))
    let (c, v, u) = (axis(channels), axis(kernel.height), axis(kernel.width))
    let row = meets(y, v, size.height)
    let column = meets(x, u, size.width)
    let input = Expression.select(
      .binary(.logicalAnd, row.guards, column.guards),
      .load(BufferID(0), .f32, [.axis(n), .axis(g), .axis(c), row.index, column.index]),
      .real(0, .f32))
    let weight = load(1, .f32, g, f, c, v, u)
    let stage = Stage(
      output: BufferID(2), domain: [n, g, f, y, x],
      body: .reduce(
        axes: [c, v, u], combiner: .sum, value: .binary(.multiply, input, weight)))
    return ContractionCase(
      "\(self)",
      inputs: [
        TensorType(.f32, [batch, groups, channels, size.height, size.width]),
        TensorType(.f32, [groups, filters, channels, kernel.height, kernel.width]),
      ],
      stages: [stage],
      outputs: [TensorType(.f32, [batch, groups, filters, outputSize.height, outputSize.width])])
  }
}
