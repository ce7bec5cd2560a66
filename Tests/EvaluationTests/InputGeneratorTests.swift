import KernelSpec
import Testing

@testable import Evaluation

@Suite struct InputGeneratorTests {
  private func interface(_ type: TensorType, _ domain: InputDomain = .any) -> KernelInterface {
    KernelInterface(
      entryPoint: "k", inputs: [type], outputs: [], inputDomains: [domain], workspaceBytes: 0,
      alignmentBytes: 64)
  }

  private func elements(_ type: TensorType, _ domain: InputDomain, _ kind: InputDistribution)
    -> TensorElements
  {
    let bytes = InputGenerator(interface(type, domain)).inputs(kind, seed: 11)[0]
    return TensorElements(bytes, dtype: type.dtype, count: type.storageElementCount)
  }

  @Test("equal seeds give equal bytes and other seeds give others")
  func seeds() {
    let generator = InputGenerator(interface(TensorType(.f32, [64])))
    #expect(generator.inputs(.normal, seed: 1) == generator.inputs(.normal, seed: 1))
    #expect(generator.inputs(.normal, seed: 1) != generator.inputs(.normal, seed: 2))
  }

  @Test("a long input is drawn as the beginning of a longer one, however it is divided into blocks")
  func blocks() {
    let inputs = [1000, 5000].map { count in
      elements(TensorType(.f64, [count]), .any, .special).reals
    }
    #expect(inputs[0].map(\.bitPattern) == inputs[1].prefix(1000).map(\.bitPattern))
  }

  @Test("no part of a large input repeats another")
  func distinct() {
    let values = elements(TensorType(.f64, [200_000]), .any, .normal).reals
    #expect(Set(values.map(\.bitPattern)).count > 199_990)
  }

  @Test("each kind of input holds what it is named for")
  func kinds() {
    let count = 60_000.0
    func share(_ kind: InputDistribution, _ isOne: (Double) -> Bool) -> Double {
      Double(elements(TensorType(.f64, [60_000]), .any, kind).reals.count(where: isOne)) / count
    }
    #expect((share(.zeros) { $0 == 0 && $0.sign == .minus } - 0.25).magnitude < 0.02)
    #expect((share(.zeros) { $0 == 0 && $0.sign == .plus } - 0.5).magnitude < 0.02)
    #expect((share(.special) { $0.isNaN } - 1.0 / 192).magnitude < 0.002)
    #expect((share(.special) { $0 == .infinity } - 1.0 / 192).magnitude < 0.002)
    #expect((share(.special) { $0 == -.infinity } - 1.0 / 192).magnitude < 0.002)
    #expect((share(.tiny) { $0.magnitude < 0x1p-120 } - 0.25).magnitude < 0.02)
    #expect(share(.tiny) { $0.magnitude < 0x1p-17 } == 1)
    #expect((share(.uniform) { $0 < 0 } - 0.5).magnitude < 0.02)
    #expect(share(.uniform) { $0 >= -1 && $0 < 1 } == 1)
    #expect((share(.integers) { $0 == -4 } - 1.0 / 9).magnitude < 0.01)
    #expect(share(.integers) { $0 == $0.rounded() && $0.magnitude <= 4 } == 1)
    #expect(share(.positive) { $0 >= 0.25 } == 1)
    #expect((share(.wide) { $0.magnitude > 64 } - 2.0 / 17).magnitude < 0.03)
    #expect((share(.large) { $0.magnitude > 1000 } - 0.317).magnitude < 0.02)
  }

  @Test("all of the storage is filled, also where strides skip it", arguments: DType.allCases)
  func storage(dtype: DType) {
    let type = TensorType(dtype, [4, 5], strides: [8, 1])
    for distribution in InputDistribution.allCases {
      let bytes = InputGenerator(interface(type)).inputs(distribution, seed: 1)[0]
      #expect(bytes.count == type.storageBytes)
    }
  }

  @Test("indices stay within their table", arguments: [DType.i64, .i32, .u8])
  func indices(dtype: DType) {
    let values = elements(TensorType(dtype, [500]), .index(7), .large).integers
    #expect(values.allSatisfy { (0..<7).contains($0) })
    #expect(Set(values).count == 7)
  }

  @Test("normal inputs have mean 0 and deviation 1, and are as fine as their type")
  func normal() {
    let values = elements(TensorType(.f32, [40_000]), .any, .normal).reals
    let mean = values.reduce(0, +) / 40_000
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000
    #expect(mean.magnitude < 0.02)
    #expect((variance - 1).magnitude < 0.03)
    #expect(Set(values).count > 39_000)
    #expect(values.contains { $0 > 3 } && values.contains { $0 < -3 })
  }

  @Test("positive inputs are greater than zero in every finite distribution")
  func positive() {
    for distribution in InputDistribution.allCases where distribution != .special {
      let values = elements(TensorType(.f32, [200]), .positive, distribution).reals
      #expect(values.count == 200)
      #expect(values.allSatisfy { $0 > 0 }, "\(distribution)")
    }
  }

  @Test("the special distribution has NaN and both infinities; tiny has denormals")
  func special() {
    let special = elements(TensorType(.f16, [4000]), .any, .special).reals
    let tiny = elements(TensorType(.f32, [400]), .any, .tiny).reals
    #expect(special.contains { $0.isNaN })
    #expect(special.contains(.infinity) && special.contains(-.infinity))
    #expect(tiny.contains { $0 != 0 && $0.magnitude < Double(Float.leastNormalMagnitude) })
  }

  @Test("narrowed inputs have half of the digits, rounded to nearest, and stay special")
  func narrowed() {
    func narrowed(_ values: [Double], _ dtype: DType) -> [Double] {
      let bytes =
        dtype == .f32
        ? values.flatMap { Float($0).bitPattern.littleEndianBytes }
        : values.flatMap { $0.bitPattern.littleEndianBytes }
      let generator = InputGenerator(interface(TensorType(dtype, [values.count])))
      return TensorElements(generator.narrowed([bytes])[0], dtype: dtype, count: values.count).reals
    }
    // Halfway between two numbers of eight digits: the even one.
    #expect(narrowed([1, 1.00390625, 1.01171875, -3.14159], .f32) == [1, 1, 1.015625, -3.140625])
    #expect(narrowed([1 + 0x1p-24, 1 + 0x1.8p-23], .f64) == [1, 1 + 0x1p-22])
    for dtype in [DType.f32, .f64] {
      let special = narrowed([.nan, .infinity, -.infinity, -0.0], dtype)
      #expect(special[0].isNaN && special[1] == .infinity && special[2] == -.infinity)
      #expect(special[3] == 0 && special[3].sign == .minus)
    }
  }
}

extension FixedWidthInteger {
  fileprivate var littleEndianBytes: [UInt8] {
    withUnsafeBytes(of: littleEndian) { Array($0) }
  }
}
