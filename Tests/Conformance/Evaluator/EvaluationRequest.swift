import FoundationEssentials
import KernelSpec
import TensorProgram

/// A spec and the inputs to compute it on.
struct EvaluationRequest: Decodable {
  var spec: String
  var inputs: [String]

  static var operatorNames: [String] { OperatorTable.names }

  /// The answer to one line, as one line of JSON.
  static func answer(to line: String) -> String {
    let reply: Reply
    do {
      let request = try JSONDecoder().decode(Self.self, from: Data(line.utf8))
      reply = Reply(outputs: try request.outputs())
    } catch let error as SpecError {
      reply = Reply(error: error.description, code: error.code.rawValue)
    } catch let error as LoweringError {
      reply = Reply(error: "\(error)", code: "lowering")
    } catch let error as EvaluationError {
      reply = Reply(error: error.description, code: "evaluation")
    } catch {
      reply = Reply(error: "\(error)", code: "request")
    }
    let encoded = (try? JSONEncoder().encode(reply)) ?? Data()
    return String(decoding: encoded, as: UTF8.self)
  }

  private func outputs() throws -> [[String]] {
    let checked = try Spec.parse(spec).checked()
    let program = try TensorProgram(lowering: checked)
    guard inputs.count == checked.inputs.count else { throw BadInput(position: inputs.count) }
    var values: [TensorValue] = []
    for (position, (text, input)) in zip(inputs, checked.inputs).enumerated() {
      guard let bytes = Hexadecimal.decode(text),
        let value = TensorValue(bytes: bytes, type: input.type)
      else { throw BadInput(position: position) }
      values.append(value)
    }
    return try ReferenceEvaluator(program).evaluate(values).map { value in
      let type = TensorType(value.dtype, value.shape)
      return [type.description, Hexadecimal.encode(value.bytes(as: type) ?? [])]
    }
  }
}

/// An input that is missing, or has other bytes than its type needs.
private struct BadInput: Error, CustomStringConvertible {
  var position: Int
  var description: String { "input \(position) is missing or does not fit its type" }
}

private struct Reply: Encodable {
  var outputs: [[String]]?
  var error: String?
  var code: String?
}

/// Bytes as pairs of lower-case digits.
enum Hexadecimal {
  static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 2)
    var high: UInt8?
    for digit in text.utf8 {
      guard let value = value(of: digit) else { return nil }
      if let first = high { bytes.append(first << 4 | value) }
      high = high == nil ? value : nil
    }
    return high == nil ? bytes : nil
  }

  static func encode(_ bytes: [UInt8]) -> String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 0x30...0x39: digit - 0x30
    case 0x61...0x66: digit - 0x57
    default: nil
    }
  }
}
