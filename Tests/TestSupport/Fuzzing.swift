import FoundationEssentials
import Glibc
import Support

/// Gives a function the files of a corpus and then random changes of them.
///
/// The corpus is `Tests/Corpora/<name>`. An input whose outcome was not met before is changed further, so that later
/// ones reach deeper. `GRANARY_FUZZ_SECONDS` says for how long instead of how often; each input is then written to
/// `.build/fuzz/<name>` beforehand, where one that ends the process stays. `GRANARY_FUZZ_SEED` repeats a run.
package struct Fuzzing {
  private let name: String
  private let tokens: [[UInt8]]
  private var inputs: [[UInt8]]
  private var random: SeededRandom
  private var outcomes: Set<String> = []
  private static let limitBytes = 1 << 16
  /// Of all inputs that are kept: several kinds of input are changed at once, in one process.
  private static let keptBytes = 16 << 20

  /// - Parameter tokens: what has a meaning in the format.
  package init(_ name: String, tokens: [String] = [], adding inputs: [[UInt8]] = []) throws {
    self.name = name
    self.tokens = tokens.map { Array($0.utf8) }
    let folder = Self.root + "/Tests/Corpora/" + name
    let files = FileManager.default.contents(of: folder)
    self.inputs = files + inputs
    let seed = Self.number("GRANARY_FUZZ_SEED") ?? UInt64.random(in: 1...1 << 40)
    random = SeededRandom(seed: seed)
    print("fuzzing \(name): \(self.inputs.count) files, seed \(seed)")
  }

  /// - Parameters:
  ///   - rounds: how many changed inputs there are unless a time is set.
  ///   - body: tells what became of an input in a word or two.
  package mutating func run(rounds: Int, _ body: ([UInt8]) throws -> String) throws {
    let seconds = Self.number("GRANARY_FUZZ_SECONDS")
    for input in inputs { outcomes.insert(try body(input)) }
    let end = seconds.map { SystemTime().monotonicSeconds + Double($0) }
    var round = 0
    var telling = Telling()
    while end.map({ SystemTime().monotonicSeconds < $0 }) ?? (round < rounds) {
      let input = changed()
      if seconds != nil { try keep(input) }
      let isNew = outcomes.insert(try body(input)).inserted
      if isNew || Int.random(in: 0..<4096, using: &random) == 0 { remember(input) }
      round += 1
      telling.tell("fuzzing \(name): \(round) inputs, \(outcomes.count) outcomes")
    }
    print("fuzzing \(name): \(round) inputs, \(outcomes.count) outcomes")
  }

  private mutating func remember(_ input: [UInt8]) {
    if inputs.reduce(0, { $0 + $1.count }) + input.count < Self.keptBytes {
      inputs.append(input)
    } else {
      inputs[Int.random(in: 0..<inputs.count, using: &random)] = input
    }
  }

  private func keep(_ input: [UInt8]) throws {
    let folder = Self.root + "/.build/fuzz"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(input).write(to: URL(filePath: folder + "/" + name))
  }

  // MARK: Changes

  private mutating func changed() -> [UInt8] {
    var bytes = inputs.isEmpty ? [] : inputs[Int.random(in: 0..<inputs.count, using: &random)]
    for _ in 0..<(1 << Int.random(in: 0...4, using: &random)) { change(&bytes) }
    return Array(bytes.prefix(Self.limitBytes))
  }

  private mutating func change(_ bytes: inout [UInt8]) {
    let place = Int.random(in: 0...bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...32, using: &random))
    switch Int.random(in: 0..<9, using: &random) {
    case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 1 where place < bytes.count: bytes[place] = UInt8.random(in: 0...255, using: &random)
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
    case 4: bytes = Array(bytes[..<place])
    case 5 where end - place >= 8: put(number(), at: place, in: &bytes)
    case 6 where !tokens.isEmpty:
      bytes.insert(
        contentsOf: tokens[Int.random(in: 0..<tokens.count, using: &random)], at: place)
    case 7 where !inputs.isEmpty:
      let other = inputs[Int.random(in: 0..<inputs.count, using: &random)]
      bytes = Array(bytes[..<place]) + other.dropFirst(min(place, other.count))
    default: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
    }
  }

  private mutating func number() -> UInt64 {
    let telling: [UInt64] = [0, 1, 0x7F, 0xFF, 1 << 16, 1 << 28, 1 << 31, 1 << 32, 1 << 62, .max]
    return telling[Int.random(in: 0..<telling.count, using: &random)]
  }

  private func put(_ value: UInt64, at place: Int, in bytes: inout [UInt8]) {
    for offset in 0..<8 { bytes[place + offset] = UInt8(truncatingIfNeeded: value >> (8 * offset)) }
  }

  // MARK: Places

  private static let root = String(
    #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/"))

  private static func number(_ variable: String) -> UInt64? {
    getenv(variable).flatMap { UInt64(String(cString: $0)) }
  }
}

extension FileManager {
  /// The files of a folder by their names; none when it is not there.
  fileprivate func contents(of folder: String) -> [[UInt8]] {
    let names = (try? contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().compactMap { contents(atPath: folder + "/" + $0).map { Array($0) } }
  }
}
