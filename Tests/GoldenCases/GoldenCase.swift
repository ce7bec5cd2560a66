import Dispatch
import FoundationEssentials
package import KernelSpec
import Synchronization
package import TensorProgram

/// One graph with what PyTorch computes for it; `Golden/generate.py` writes them.
package struct GoldenCase: Decodable, Sendable, CustomStringConvertible {
  package var name: String
  package var spec: String
  package var refused: Bool?
  package var inputs: [String]?
  /// The type and the bytes of each output.
  package var outputs: [[String]]?
  package var rtol: Double?
  package var atol: Double?
  package var anyZero: Bool?

  package var description: String { name }

  package static func all() throws -> [GoldenCase] {
    let path = "\(#filePath)".split(separator: "/").dropLast(2).joined(separator: "/")
    let url = URL(filePath: "/\(path)/TensorProgramTests/Golden/cases.json")
    return try JSONDecoder().decode([GoldenCase].self, from: try Data(contentsOf: url))
  }

  /// Checks cases, as many at a time as there are processors; the caller waits.
  ///
  /// - Parameter problem: what is wrong with a case, in words; `nil` for nothing.
  /// - Returns: a line for each case with a problem, or that threw, in the order of the cases.
  package static func problems(
    among cases: [GoldenCase], _ problem: @Sendable (GoldenCase) throws -> String?
  ) -> [String] {
    let found = Mutex<[Int: String]>([:])
    DispatchQueue.concurrentPerform(iterations: cases.count) { position in
      let golden = cases[position]
      do {
        guard let text = try problem(golden) else { return }
        found.withLock { $0[position] = "\(golden.name): \(text)" }
      } catch {
        found.withLock { $0[position] = "\(golden.name): \(error)" }
      }
    }
    return found.withLock { $0.sorted { $0.key < $1.key }.map(\.value) }
  }

  package func inputValues(_ checked: CheckedSpec) throws -> [TensorValue] {
    try zip(checked.inputs, inputs ?? []).map { try Self.value($1, $0.type) }
  }

  package func expectations() throws -> [TensorValue] {
    try (outputs ?? []).map { try Self.value($0[1], try TensorType(parsing: $0[0])) }
  }

  private static func value(_ hex: String, _ type: TensorType) throws -> TensorValue {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(hex.utf8.count / 2)
    var high: UInt8?
    for digit in hex.utf8 {
      let value = digit < 0x3A ? digit - 0x30 : digit - 0x57
      if let first = high { bytes.append(first << 4 | value) }
      high = high == nil ? value : nil
    }
    guard let value = TensorValue(bytes: bytes, type: type) else { throw Truncated(type: type) }
    return value
  }

  private struct Truncated: Error { var type: TensorType }
}

extension TensorValue {
  /// The first difference from `other` beyond the tolerances, in words; `nil` when they agree.
  ///
  /// A NaN agrees with a NaN only, an infinity with itself, and a zero with a zero of the same sign unless
  /// `anyZero` says otherwise.
  package func difference(
    from other: TensorValue, rtol: Double, atol: Double, anyZero: Bool = false
  ) -> String? {
    guard dtype == other.dtype, shape == other.shape else {
      return "\(dtype)\(shape), not \(other.dtype)\(other.shape)"
    }
    if case .integers(let own) = storage, case .integers(let others) = other.storage {
      let position = own.indices.first { own[$0] != others[$0] }
      return position.map { "element \($0) is \(own[$0]), not \(others[$0])" }
    }
    let (own, others) = (reals, other.reals)
    let position = own.indices.first { index in
      let (x, y) = (own[index], others[index])
      if x == y { return !anyZero && x == 0 && x.sign != y.sign }
      if x.isNaN || y.isNaN { return x.isNaN != y.isNaN }
      return !(abs(x - y) <= atol + rtol * abs(y)) || x.isInfinite || y.isInfinite
    }
    return position.map { "element \($0) is \(own[$0]), not \(others[$0])" }
  }
}
