import CodeGeneration
import GoldenCases
import KernelSpec
import TensorProgram
import Testing

/// Positions that the caller gives and that lie outside of what they are positions in.
@Suite("Refused positions")
struct RefusedPositionTests {
  /// The first case of each overload that takes positions.
  private static func cases() throws -> [GoldenCase] {
    var seen: Set<String> = []
    return try GoldenCase.all().filter { golden in
      guard golden.refused != true else { return false }
      let checked = try Spec.parse(golden.spec).checked()
      let used = try Spec.parse(golden.spec).nodes.map(\.op)
      let takesPositions = try !positions(of: TensorProgram(lowering: checked)).isEmpty
      return takesPositions && used.count == 1 && seen.insert(used[0]).inserted
    }
  }

  /// The inputs that hold positions, each with values that it must not hold.
  private static func positions(of program: TensorProgram) -> [(input: Int, bad: [Int64])] {
    zip(program.inputs, program.inputDomains).enumerated().compactMap { place, input in
      let (buffer, domain) = input
      let type = program[buffer].type
      guard type.dtype.isInteger, type.elementCount > 0 else { return nil }
      let least: Int64 = type.dtype == .i32 ? Int64(Int32.min) : .min
      let most: Int64 = type.dtype == .i32 ? Int64(Int32.max) : .max
      switch domain {
      case .index(let bound), .indexOr(let bound, _):
        return (place, [Int64(bound), -1, most, least])
      case .signedIndex(let bound):
        return (place, [Int64(bound), Int64(-bound) - 1, most, least])
      case .any, .positive: return nil
      }
    }
  }

  @Test("a kernel refuses a position outside of its tensor, whichever operator takes it")
  func refused() throws {
    let cases = try Self.cases()
    #expect(cases.count > 15)
    let failures = GoldenCase.problems(among: cases, problem)
    #expect(failures.isEmpty, "\(failures.joined(separator: "\n"))")
  }

  /// Which bad position a kernel does not refuse, in words.
  private func problem(_ golden: GoldenCase) throws -> String? {
    let kernel = try GoldenKernel(golden)
    let values = try golden.inputValues(kernel.spec)
    for (place, bad) in Self.positions(of: kernel.program) {
      for (turn, position) in bad.enumerated() {
        var given = values
        guard case .integers(var elements) = given[place].storage else { continue }
        elements[turn % 2 == 0 ? elements.count - 1 : 0] = position
        let type = kernel.spec.inputs[place].type
        given[place] = TensorValue(type.dtype, type.shape, integers: elements)
        let status = try run(kernel.source, kernel.inputs(given)).status
        if status != 1 { return "\(position) in input \(place) gave \(status)" }
      }
    }
    return nil
  }
}
