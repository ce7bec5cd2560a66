import KernelSpec
import Support
import Testing

@Suite struct KernelKeyTests {
  private func spec(_ text: String = "gelu(x: f32[4,8])") throws -> CheckedSpec {
    try Spec.parse(text).checked()
  }

  @Test("each part changes the key and is named as the difference")
  func parts() throws {
    let base = KernelKey(spec: try spec(), hardware: "a")
    #expect(base.parts.map(\.name) == ["schema", "spec", "numerics", "hardware", "abi"])
    let others: [(String, KernelKey)] = [
      ("spec", KernelKey(spec: try spec("relu(x: f32[4,8])"), hardware: "a")),
      ("numerics", KernelKey(spec: try spec("gelu(x: f32[4,8]) with rtol: 1e-2"), hardware: "a")),
      ("hardware", KernelKey(spec: try spec(), hardware: "b")),
      ("abi", KernelKey(spec: try spec(), hardware: "a", abi: 99)),
    ]
    for (name, other) in others {
      #expect(base.digest != other.digest)
      #expect(base.differences(from: other).map(\.name) == [name])
    }
    var changed = base.parts
    changed[0].value = "0"
    let older = KernelKey(parts: changed)
    #expect(older.digest != base.digest)
    #expect(base.differences(from: older) == [.init(name: "schema", own: "1", other: "0")])
    #expect(base.differences(from: base).isEmpty)
    #expect(KernelKey(parts: base.parts) == base)
  }

  @Test("parts do not run together")
  func lengths() {
    let one = KernelKey(parts: [.init(name: "a", value: "bc")])
    let two = KernelKey(parts: [.init(name: "ab", value: "c")])
    let three = KernelKey(parts: [.init(name: "a", value: "b"), .init(name: "c", value: "")])
    #expect(Set([one.digest, two.digest, three.digest]).count == 3)
  }

  @Test("the key of a spec stays what it was")
  func golden() throws {
    let text = "gelu(linear(x: f32[256,1024], w: f32[1024,1024], b: f32[1024]))"
    let key = KernelKey(spec: try spec(text), hardware: "golden", abi: 1)
    #expect(key.digest.hex == "263483fa5d58956717ec910d4868fcba844906411fb8032f3a1245290b2be45f")
  }
}

@Suite struct FuzzTests {
  @Test("no mutation of a spec traps", arguments: 0..<4)
  func mutations(seed: Int) {
    var random = SeededRandom(seed: UInt64(seed))
    let alphabet =
      Array("{}[]()\"\\:;,%#-+.eE0123456789xf32i64nulltrue \n\u{0}\u{7F}".utf8) + [0xC3, 0xFF]
    var accepted = 0
    for _ in 0..<1_000 {
      guard var bytes = Samples.specs.randomElement(using: &random).map({ Array($0.utf8) }) else {
        continue
      }
      for _ in 0...Int.random(in: 0..<4, using: &random) where !bytes.isEmpty {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes.remove(at: place)
        case 1: bytes[place] = alphabet.randomElement(using: &random) ?? 0
        case 2: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
        case 3: bytes.removeSubrange(place..<min(place + 8, bytes.count))
        default: bytes.insert(contentsOf: bytes[place..<min(place + 12, bytes.count)], at: place)
        }
      }
      if let checked = try? Spec.parse(bytes: bytes).checked() {
        accepted += 1
        #expect(
          (try? Spec.parse(checked.canonicalText).checked())?.canonicalText == checked.canonicalText
        )
      }
    }
    #expect(accepted > 0)
  }

  @Test("extreme numbers in every place do not trap")
  func extremes() {
    let numbers = [
      "0", "-1", "1", "2147483647", "-2147483647", "9223372036854775807",
      "-9223372036854775808", "1e308", "-0.0",
    ]
    for text in Samples.specs {
      for number in numbers {
        let parts = text.split(separator: /-?[0-9]+/, omittingEmptySubsequences: false)
        for place in 1..<max(parts.count, 2) {
          let digits = text.matches(of: /-?[0-9]+/).map { String(text[$0.range]) }
          guard place <= digits.count else { continue }
          var mutated = ""
          for (index, part) in parts.enumerated() {
            mutated += part
            if index < digits.count { mutated += index == place - 1 ? number : digits[index] }
          }
          _ = try? Spec.parse(mutated).checked()
        }
      }
    }
  }
}
