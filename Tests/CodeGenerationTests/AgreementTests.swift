import CodeGeneration
import KernelSpec
import Support
import TensorProgram
import Testing

/// Every sketch under several schedules, against the reference source.
@Suite struct AgreementTests {
  @Test(
    "every sketch agrees with the reference for every setting of its parameters",
    arguments: [
      Case("softmax", softmax(rows: 5, columns: 131)),
      Case("softmax bf16", softmax(rows: 3, columns: 37, dtype: .bf16)),
      Case("softmax f16", softmax(rows: 3, columns: 37, dtype: .f16)),
      Case("gated bias", gatedBias(rows: 7, columns: 53)),
      Case("product", product(5, 67, 19)), Case("pool", maximumPool(3, 17, 45)),
      Case("running sum", runningSum(rows: 5, columns: 77)),
      Case("running sum i32", runningSum(rows: 3, columns: 40, dtype: .i32)),
      Case("embedding bag", embeddingBag(bags: 6, size: 5, table: 11, width: 33)),
    ])
  func everySketchAgrees(_ example: Case) throws {
    let program = example.program
    var random = SeededRandom(seed: 7)
    let inputs = program.program.randomInputs(&random)
    let expected = try run(ReferenceSource.make(for: program.program), inputs).outputs
    for (position, schedule) in program.variousSchedules.enumerated() {
      let generator = CodeGenerator(hardware: testHardware, language: .c)
      let source = try generator.source(for: program, schedule: schedule)
      let compiler = compilers[position % compilers.count]
      let actual = try run(source, inputs, compiler: compiler)
      #expect(actual.status == 0)
      let difference = program.program.largestDifference(actual.outputs, expected)
      #expect(difference < program.program.tolerance, "\(compiler) \(schedule.kernels)")
    }
  }

  @Test("an index outside its table is reported, not read")
  func indexOutOfRange() throws {
    let program = embeddingBag(bags: 2, size: 2, table: 4, width: 8)
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let source = try generator.source(
      for: program, schedule: generator.space(for: program).defaultSchedule)
    let table = Bytes([Float](repeating: 1, count: 32))
    #expect(try run(source, [table, Bytes([Int64](arrayLiteral: 0, 1, 4, 3))]).status == 1)
    #expect(try run(source, [table, Bytes([Int64](arrayLiteral: 0, 1, -1, 3))]).status == 1)
    #expect(try run(source, [table, Bytes([Int64](arrayLiteral: 0, 1, 2, 3))]).status == 0)
  }

  @Test("equal programs and schedules give equal text")
  func determinism() throws {
    let generator = CodeGenerator(hardware: testHardware, language: .c)
    let program = softmax(rows: 4, columns: 64)
    let schedule = generator.space(for: program).defaultSchedule
    let first = try generator.source(for: program, schedule: schedule)
    #expect(try generator.source(for: program, schedule: schedule) == first)
  }
}

/// A program with a name, for the list of results.
struct Case: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var program: FusedProgram

  init(_ name: String, _ program: FusedProgram) {
    testDescription = name
    self.program = program
  }
}

extension FusedProgram {
  /// The default of every sketch, and variations of its parameters, one at a time.
  var variousSchedules: [Schedule] {
    let space = CodeGenerator(hardware: testHardware, language: .c).space(for: self)
    guard kernels.count == 1, let kernel = space.kernels.first else {
      return [space.defaultSchedule]
    }
    return kernel.sketches.flatMap { sketch -> [Schedule] in
      let base = sketch.defaultSchedule
      var variations = [base]
      for domain in sketch.parameters where ["across", "lanes", "blocks"].contains(domain.name) {
        for value in [domain.values.first, domain.values.last] {
          var other = base
          other.parameters[domain.name] = value ?? 0
          if !variations.contains(other) { variations.append(other) }
        }
      }
      return variations.map { Schedule(kernels: [$0], build: ["optimization": 1]) }
    }
  }
}

extension TensorProgram {
  func randomInputs(_ random: inout SeededRandom) -> [Bytes] {
    zip(inputs, inputDomains).map { input, domain in
      let type = self[input].type
      let count = type.storageElementCount
      if case .index(let bound) = domain {
        return Bytes((0..<count).map { _ in Int64.random(in: 0..<Int64(bound), using: &random) })
      }
      let values = (0..<count).map { _ in Float.random(in: -2...2, using: &random) }
      switch type.dtype {
      case .f32: return Bytes(values)
      case .bf16: return Bytes(values.map { UInt16($0.bitPattern >> 16) })
      case .f16: return Bytes(values.map { halfBits($0) })
      case .i32: return Bytes(values.map { Int32($0 * 1000) })
      default: return Bytes(values.map { Double($0) })
      }
    }
  }

  /// Half a unit in the last place of the coarsest output, with room for rounding on the way.
  var tolerance: Double {
    outputs.map { output in
      switch self[output].type.dtype {
      case .bf16: 5e-3
      case .f16: 1e-3
      case .f32: 2e-6
      default: 1e-12
      }
    }.max() ?? 0
  }

  /// The largest difference, relative to one plus the size of the expected value.
  func largestDifference(_ actual: [Bytes], _ expected: [Bytes]) -> Double {
    var largest = 0.0
    for (position, output) in outputs.enumerated() {
      let type = self[output].type.dtype
      let values = actual[position].numbers(type)
      let wanted = expected[position].numbers(type.isFloatingPoint ? .f64 : .i64)
      for (value, want) in zip(values, wanted) {
        if value == want || (value.isNaN && want.isNaN) { continue }
        let difference = abs(value - want) / (1 + abs(want))
        largest = max(largest, difference.isNaN ? .infinity : difference)
      }
    }
    return largest
  }
}

extension Bytes {
  /// The elements as numbers.
  func numbers(_ dtype: DType) -> [Double] {
    switch dtype {
    case .f64: elements(Double.self)
    case .f32: elements(Float.self).map(Double.init)
    case .bf16: elements(UInt16.self).map { Double(Float(bitPattern: UInt32($0) << 16)) }
    case .f16: elements(UInt16.self).map(halfValue)
    case .i64: elements(Int64.self).map { Double($0) }
    case .i32: elements(Int32.self).map(Double.init)
    case .i16: elements(Int16.self).map(Double.init)
    case .i8: elements(Int8.self).map(Double.init)
    case .u8, .bool: elements(UInt8.self).map(Double.init)
    }
  }
}

/// The bits of a number of ordinary size as `f16`, rounded toward zero.
func halfBits(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  let sign = UInt16(bits >> 16) & 0x8000
  let exponent = Int(bits >> 23 & 255) - 112
  return exponent <= 0 ? sign : sign | UInt16(exponent) << 10 | UInt16(bits >> 13 & 1023)
}

func halfValue(_ bits: UInt16) -> Double {
  let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
  let scale = { (power: Int) in Double(sign: .plus, exponent: power, significand: 1) }
  let size =
    exponent == 31
    ? (fraction == 0 ? Double.infinity : .nan)
    : exponent == 0 ? fraction * scale(-24) : (fraction + 1024) * scale(exponent - 25)
  return bits & 0x8000 == 0 ? size : -size
}
