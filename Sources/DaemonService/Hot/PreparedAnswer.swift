import DaemonAPI
import KernelSpec

/// The answer to a batch, encoded, with room for the latency of each later request.
struct PreparedAnswer {
  /// The width of a latency: enough for ten seconds in tenths of a microsecond.
  static let slotWidth = 10

  private(set) var json: [UInt8] = []
  /// Where in `json` each latency begins.
  private(set) var slots: [Int] = []

  private static let marker = Array("\"latency_microseconds\":".utf8)

  /// - Parameter json: encoded answers. The marker cannot occur inside a string, where quotes are escaped.
  init(json bytes: [UInt8]) {
    json.reserveCapacity(bytes.count + 256)
    var copied = 0
    var position = 0
    while position + Self.marker.count <= bytes.count {
      guard bytes[position] == UInt8(ascii: "\""), bytes[position...].starts(with: Self.marker)
      else {
        position += 1
        continue
      }
      position += Self.marker.count
      json += bytes[copied..<position]
      slots.append(json.count)
      json += repeatElement(UInt8(ascii: " "), count: Self.slotWidth - 1)
      json.append(UInt8(ascii: "0"))
      while position < bytes.count, bytes[position] != UInt8(ascii: ","),
        bytes[position] != UInt8(ascii: "}")
      {
        position += 1
      }
      copied = position
    }
    json += bytes[copied...]
  }

  /// Whether the answers hold until a key changes, so that equal requests may be given the same.
  static func isLasting(_ answers: [KernelAnswer], to requests: [KernelRequest]) -> Bool {
    zip(answers, requests).allSatisfy { answer, request in
      answer.status == .hit && answer.error == nil
        && (request.policy != .tuned || answer.verdict != .baseline)
        && answer.search != .queued && answer.search != .running
    }
  }

  /// A latency as JSON, right-aligned in a slot.
  static func slotText(microseconds: Double) -> [UInt8] {
    var tenths = UInt64(max(0, min(microseconds * 10, 9_999_999)))
    var text = [UInt8](repeating: UInt8(ascii: " "), count: slotWidth)
    var position = slotWidth - 1
    repeat {
      text[position] = UInt8(ascii: "0") + UInt8(tenths % 10)
      tenths /= 10
      position -= 1
      if position == slotWidth - 2 {
        text[position] = UInt8(ascii: ".")
        position -= 1
      }
    } while tenths > 0 || position > slotWidth - 4
    return text
  }
}
