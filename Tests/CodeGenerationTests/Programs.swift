import CodeGeneration
import KernelSpec
import TensorProgram

/// Builds small programs by hand.
struct ProgramBuilder {
  var program = TensorProgram(buffers: [], inputs: [], outputs: [], stages: [], inputDomains: [])
  private var axisCount = 0

  mutating func axis(_ extent: Int) -> Axis {
    axisCount += 1
    return Axis(id: axisCount, extent: extent)
  }

  mutating func buffer(_ dtype: DType, _ shape: [Int], strides: [Int]? = nil) -> BufferID {
    let name = "t\(program.buffers.count)"
    program.buffers.append(Buffer(name: name, type: TensorType(dtype, shape, strides: strides)))
    return BufferID(program.buffers.count - 1)
  }

  mutating func input(
    _ dtype: DType, _ shape: [Int], strides: [Int]? = nil, domain: InputDomain = .any
  ) -> BufferID {
    let id = buffer(dtype, shape, strides: strides)
    program.inputs.append(id)
    program.inputDomains.append(domain)
    return id
  }

  mutating func output(_ dtype: DType, _ shape: [Int]) -> BufferID {
    let id = buffer(dtype, shape)
    program.outputs.append(id)
    return id
  }

  mutating func stage(_ output: BufferID, _ domain: [Axis], _ body: Stage.Body) {
    program.stages.append(Stage(output: output, domain: domain, body: body))
  }

  func load(_ buffer: BufferID, _ axes: Axis...) -> Expression {
    .load(buffer, program[buffer].type.dtype, axes.map { .axis($0) })
  }

  /// One kernel with every stage.
  func fused(outer: [Axis], locals: Set<BufferID> = []) -> FusedProgram {
    FusedProgram(
      program: program,
      kernels: [FusedKernel(outer: outer, stages: program.stages, locals: locals)])
  }

  /// One kernel for each stage.
  var separate: FusedProgram {
    FusedProgram(
      program: program,
      kernels: program.stages.map { stage in
        var outer = stage.domain
        if case .scan(let dimension, _, _) = stage.body { outer = Array(outer[..<dimension]) }
        return FusedKernel(outer: outer, stages: [stage], locals: [])
      })
  }
}

/// Softmax over the rows of a matrix, in one kernel.
func softmax(rows: Int, columns: Int, dtype: DType = .f32) -> FusedProgram {
  var build = ProgramBuilder()
  let x = build.input(dtype, [rows, columns])
  let y = build.output(dtype, [rows, columns])
  let (m, e, s) = (
    build.buffer(.f32, [rows]), build.buffer(.f32, [rows, columns]), build.buffer(.f32, [rows])
  )
  let (r, j, k, l, n) = (
    build.axis(rows), build.axis(columns), build.axis(columns), build.axis(columns),
    build.axis(columns)
  )
  let widen = { (value: Expression) in dtype == .f32 ? value : .cast(.f32, value) }
  let largest = widen(build.load(x, r, j))
  build.stage(m, [r], .reduce(axes: [j], combiner: .maximum, value: largest))
  let shifted = Expression.binary(.subtract, widen(build.load(x, r, k)), build.load(m, r))
  build.stage(e, [r, k], .map(.unary(.exp, shifted)))
  build.stage(s, [r], .reduce(axes: [l], combiner: .sum, value: build.load(e, r, l)))
  build.stage(y, [r, n], .map(.binary(.divide, build.load(e, r, n), build.load(s, r))))
  return build.fused(outer: [r], locals: [m, e, s])
}

/// `x·σ(x) + b`, with `b` along the columns.
func gatedBias(rows: Int, columns: Int) -> FusedProgram {
  var build = ProgramBuilder()
  let x = build.input(.f32, [rows, columns])
  let b = build.input(.f32, [columns])
  let y = build.output(.f32, [rows, columns])
  let (r, c) = (build.axis(rows), build.axis(columns))
  let value = build.load(x, r, c)
  let product = Expression.binary(.multiply, value, .unary(.sigmoid, value))
  build.stage(y, [r, c], .map(.binary(.add, product, build.load(b, c))))
  return build.fused(outer: [r, c])
}

/// A matrix product with a bias for each column.
func product(_ m: Int, _ n: Int, _ k: Int) -> FusedProgram {
  var build = ProgramBuilder()
  let (a, b, bias) = (
    build.input(.f32, [m, k]), build.input(.f32, [k, n]), build.input(.f32, [n])
  )
  let y = build.output(.f32, [m, n])
  let sum = build.buffer(.f32, [m, n])
  let (i, j, l) = (build.axis(m), build.axis(n), build.axis(k))
  let term = Expression.binary(.multiply, build.load(a, i, l), build.load(b, l, j))
  build.stage(sum, [i, j], .reduce(axes: [l], combiner: .sum, value: term))
  build.stage(y, [i, j], .map(.binary(.add, build.load(sum, i, j), build.load(bias, j))))
  return build.fused(outer: [i, j], locals: [sum])
}

/// Maximum pooling by 3×3 windows, stride 2, padding 1.
func maximumPool(_ channels: Int, _ height: Int, _ width: Int) -> FusedProgram {
  var build = ProgramBuilder()
  let x = build.input(.f32, [channels, height, width])
  let (h, w) = ((height - 1) / 2 + 1, (width - 1) / 2 + 1)
  let y = build.output(.f32, [channels, h, w])
  let (c, i, j, u, v) = (
    build.axis(channels), build.axis(h), build.axis(w), build.axis(3), build.axis(3)
  )
  let row = Index.sum(.sum(.product(.axis(i), 2), .axis(u)), .constant(-1))
  let column = Index.sum(.sum(.product(.axis(j), 2), .axis(v)), .constant(-1))
  let inside = Expression.binary(
    .logicalAnd, .inRange(row, lower: 0, upper: height), .inRange(column, lower: 0, upper: width))
  let value = Expression.select(
    inside, .load(x, .f32, [.axis(c), row, column]), .real(-.infinity, .f32))
  build.stage(y, [c, i, j], .reduce(axes: [u, v], combiner: .maximum, value: value))
  return build.fused(outer: [c, i, j])
}

/// Running sums along each row.
func runningSum(rows: Int, columns: Int, dtype: DType = .f32) -> FusedProgram {
  var build = ProgramBuilder()
  let x = build.input(dtype, [rows, columns])
  let y = build.output(dtype, [rows, columns])
  let (r, c) = (build.axis(rows), build.axis(columns))
  build.stage(y, [r, c], .scan(dimension: 1, combiner: .sum, value: build.load(x, r, c)))
  return build.fused(outer: [r])
}

/// Sums of rows of a table at positions that are read: an embedding bag.
func embeddingBag(bags: Int, size: Int, table: Int, width: Int) -> FusedProgram {
  var build = ProgramBuilder()
  let rows = build.input(.f32, [table, width])
  let positions = build.input(.i64, [bags, size], domain: .index(table))
  let y = build.output(.f32, [bags, width])
  let (b, d, k) = (build.axis(bags), build.axis(width), build.axis(size))
  let row = Index.value(build.load(positions, b, k))
  build.stage(
    y, [b, d], .reduce(axes: [k], combiner: .sum, value: .load(rows, .f32, [row, .axis(d)])))
  return build.fused(outer: [b, d])
}
