import FoundationEssentials
import Glibc
import Support
import TestSupport
import Testing

private let strace = installed("strace")

extension EndToEnd {
  /// The writes of a publication, a collection and an import as strace recorded them, cut off after each call.
  ///
  /// `GRANARY_POWER_SWEEP=all` takes every call for what is uncertain, otherwise every eleventh is taken;
  /// `GRANARY_POWER_SEED` repeats which writes are kept, `GRANARY_PART=2/4` takes a fourth of them.
  @Suite("Loss of power", .enabled(if: strace != nil, "strace is not installed"))
  struct PowerLossTests {
    private static let stride: Int = {
      getenv("GRANARY_POWER_SWEEP").map { String(cString: $0) } == "all" ? 1 : 11
    }()

    @Test("what was acknowledged is there when all that was not synced is lost")
    func certain() throws {
      let recording = try Recording()
      var disk = recording.disk
      var (acknowledged, checked, syncs) = ([String](), 0, -1)
      for (number, call) in recording.calls.enumerated() {
        disk.apply(call)
        let new = recording.acknowledgement(of: call)
        acknowledged += new
        guard disk.syncs != syncs || !new.isEmpty else { continue }
        syncs = disk.syncs
        let place = recording.place(number)
        try disk.restoreCertain(to: place)
        try recording.check(place, acknowledged, "after call \(number), \(call.name)")
        checked += 1
      }
      #expect(checked > 20 && acknowledged.contains("again"))
    }

    @Test("what was acknowledged is there whichever of the writes that were not synced are lost")
    func uncertain() throws {
      let recording = try Recording()
      let seed =
        getenv("GRANARY_POWER_SEED").flatMap { UInt64(String(cString: $0)) }
        ?? UInt64.random(in: 1...1 << 30)
      print("seed of lost writes: \(seed)")
      var random = SeededRandom(seed: seed)
      var disk = recording.disk
      var acknowledged: [String] = []
      let part = Part()
      var telling = Telling()
      for (number, call) in recording.calls.enumerated() {
        disk.apply(call)
        acknowledged += recording.acknowledgement(of: call)
        guard number % Self.stride == 0, part.has(number / Self.stride) else { continue }
        telling.tell("power lost after call \(number) of \(recording.calls.count)")
        let place = recording.place(number)
        try disk.restore(to: place, using: &random)
        try recording.check(place, acknowledged, "seed \(seed), after call \(number), \(call.name)")
      }
      #expect(acknowledged.contains("again"))
    }
  }
}

/// What one run of the exercise did to its store.
private struct Recording {
  private static let kinds =
    "openat,write,pwrite64,fsync,fdatasync,rename,unlink,ftruncate,mkdir,rmdir"
  private let home: PrivateHome
  private let program: String
  let calls: [RecordedCall]
  /// Before the first call.
  let disk: RecordedDisk

  init() throws {
    home = try PrivateHome()
    program = try Binaries.path("granary-store-exercise")
    let (store, trace) = (home.file("recorded"), home.file("trace"))
    let prepared = try ChildProgram(program, ["prepare", store], environment: home.environment)
      .finish(within: 300)
    #expect(prepared.status == 0 && prepared.output.isEmpty, "\(prepared)")
    disk = try RecordedDisk(folder: store)
    let ended = try ChildProgram(
      try #require(strace),
      [
        "-f", "-qq", "-y", "-xx", "-s", "1000000", "-o", trace, "-e", "trace=\(Self.kinds)",
        program, "run", store,
      ], environment: home.environment
    ).finish(within: 300)
    #expect(ended.status == 0, "\(ended)")
    let bytes = try #require(FileManager.default.contents(atPath: trace))
    calls = RecordedCall.all(in: Array(bytes))
  }

  func place(_ number: Int) -> String { home.file("after-\(number)") }

  /// What a call says is done.
  func acknowledgement(of call: RecordedCall) -> [String] {
    guard call.name == "write" else { return [] }
    let text = String(decoding: call.bytes.prefix(100), as: UTF8.self)
    guard text.hasPrefix("done "), text.hasSuffix("\n") else { return [] }
    let name = String(text.dropFirst(5).dropLast())
    return ["collection", "close"].contains(name) ? [] : [name]
  }

  func check(_ place: String, _ names: [String], _ moment: String) throws {
    let found = try ChildProgram(program, ["check", place] + names, environment: home.environment)
      .finish(within: 300)
    #expect(found.status == 0 && found.output.isEmpty, "\(moment), \(names): \(found)")
    try FileManager.default.removeItem(atPath: place)
  }
}
