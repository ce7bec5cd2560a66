import CodeGeneration
import KernelSpec
import TensorProgram
import Testing

/// Every operator, as scalar and as vector code, against libm in double precision.
@Suite struct OperatorTests {
  static let specials: [Double] = [
    0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-3, -1e-3, 1e-40, 0x1p-1030, 3.4e38, 1e30, -1e30,
    88.5, 89.5, -87.5, -103, -110, 709, -745, 1e5, 1e6, 12_345_678, 1e22, .infinity, -.infinity,
    .nan, 0.9999, -0.9999, 0.62, 0.63, 6.5, 22.5, 16_777_217, 8_388_607.5,
  ]

  static var arguments: [Double] {
    specials + (-160...160).map { Double($0) * 0.061 }
  }

  @Test(
    "every function of one floating-point number is accurate, whatever the number",
    arguments: [DType.f32, .f64], [1, 8])
  func unaryOperators(_ dtype: DType, _ lanes: Int) throws {
    let operators = UnaryOperator.allCases.filter { !$0.isPredicate && $0 != .bitwiseNot }
    var build = ProgramBuilder()
    let count = Self.arguments.count
    let x = build.input(dtype, [count])
    for operation in operators {
      let axis = build.axis(count)
      let y = build.output(dtype, [count])
      build.stage(y, [axis], .map(.unary(operation, build.load(x, axis))))
    }
    let input = dtype == .f32 ? Bytes(Self.arguments.map { Float($0) }) : Bytes(Self.arguments)
    let (actual, expected) = try both(build.separate, [input], lanes: lanes)
    for (position, operation) in operators.enumerated() {
      let limit = dtype == .f32 ? 4e-7 : 3e-13
      for (n, x) in input.numbers(dtype).enumerated()
      where operation != .expOfNonPositive || !(x > 0) {
        let want = dtype == .f32 ? Double(Float(expected[position][n])) : expected[position][n]
        let got = actual[position][n]
        // Zero for results and 1e-37 for arguments: f32 results that are denormal may be flushed.
        let isClose =
          got == want || (got.isNaN && want.isNaN)
          || abs(got - want) <= limit * abs(want) + (dtype == .f32 ? 1e-37 : 1e-300)
        #expect(isClose, "\(operation)(\(x)) is \(got), not \(want)")
      }
    }
  }

  @Test(
    "every operator on two numbers agrees with the reference",
    arguments: [DType.f32, .f64, .i64, .i32, .i16, .i8, .u8], [1, 8])
  func binaryOperators(_ dtype: DType, _ lanes: Int) throws {
    let operators = BinaryOperator.allCases.filter { $0.isDefined(for: dtype) }
    let values: [Double] = [-7, -3, -2, -1, 0, 1, 2, 3, 5, 100].map { dtype == .u8 ? abs($0) : $0 }
    var build = ProgramBuilder()
    let pairs = values.flatMap { first in values.map { (first, $0) } }
    let (x, y) = (build.input(dtype, [pairs.count]), build.input(dtype, [pairs.count]))
    for operation in operators {
      let axis = build.axis(pairs.count)
      let result = build.output(operation.isPredicate ? .bool : dtype, [pairs.count])
      let value = Expression.binary(operation, build.load(x, axis), build.load(y, axis))
      build.stage(result, [axis], .map(value))
    }
    let inputs = [pairs.map(\.0), pairs.map(\.1)].map { encoded($0, dtype) }
    let (actual, expected) = try both(build.separate, inputs, lanes: lanes)
    for (position, operation) in operators.enumerated() {
      for (n, pair) in pairs.enumerated() {
        let exact = expected[position][n]
        let (got, want) = (actual[position][n], dtype == .f32 ? Double(Float(exact)) : exact)
        let isClose =
          got == want || (got.isNaN && want.isNaN)
          || abs(got - want) <= 1e-6 * abs(want)
        #expect(isClose, "\(dtype) \(operation)(\(pair)) is \(got), not \(want)")
      }
    }
  }

  @Test("conversions between all types agree with the reference", arguments: [1, 8])
  func conversions(_ lanes: Int) throws {
    for from in DType.allCases where !from.isHalfPrecision {
      let values: [Double] = [0, 1, 2, 3, 100, 0, 1, 27, 1, 0, 5, 120]
      var build = ProgramBuilder()
      let x = build.input(from, [values.count])
      for to in DType.allCases {
        let axis = build.axis(values.count)
        let y = build.output(to, [values.count])
        build.stage(y, [axis], .map(.cast(to, build.load(x, axis))))
      }
      let input = encoded(from == .bool ? values.map { min($0, 1) } : values, from)
      let (actual, expected) = try both(build.separate, [input], lanes: lanes)
      #expect(actual == expected, "from \(from)")
    }
  }

  private func both(_ program: FusedProgram, _ inputs: [Bytes], lanes: Int) throws
    -> (actual: [[Double]], expected: [[Double]])
  {
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    var schedule = generator.space(for: program).defaultSchedule
    for position in schedule.kernels.indices {
      schedule.kernels[position].parameters["lanes"] = lanes
    }
    let source = try generator.source(for: program, schedule: schedule)
    let outputs = program.program.outputs.map { program.program[$0].type.dtype }
    let actual = try run(source, inputs, compiler: lanes == 1 ? "gcc" : "clang").outputs
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    return (
      zip(actual, outputs).map { $0.numbers($1) },
      zip(expected, outputs).map { $0.numbers($1.isFloatingPoint ? .f64 : .i64) }
    )
  }

  private func encoded(_ values: [Double], _ dtype: DType) -> Bytes {
    switch dtype {
    case .f64: Bytes(values)
    case .f32: Bytes(values.map { Float($0) })
    case .i64: Bytes(values.map { Int64($0) })
    case .i32: Bytes(values.map { Int32($0) })
    case .i16: Bytes(values.map { Int16($0) })
    case .i8: Bytes(values.map { Int8($0) })
    default: Bytes(values.map { UInt8($0) })
    }
  }
}

extension DType {
  var isHalfPrecision: Bool { self == .f16 || self == .bf16 }
}

extension BinaryOperator {
  /// Whether the operator is one of numbers of the type.
  func isDefined(for dtype: DType) -> Bool {
    switch self {
    case .logicalAnd, .logicalOr, .logicalXor: false
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor: !dtype.isFloatingPoint
    case .atan2: dtype.isFloatingPoint
    case .randomBits: dtype == .i64
    default: true
    }
  }
}
