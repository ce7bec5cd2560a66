import KernelSpec
import SimulatedFiles
import Support
import Testing

@testable import CacheStore

@Suite struct RevisionTests {
  let fixture = StoreFixture()

  @Test("a withdrawn revision is never served, not even when it is pinned or asked for")
  func withdrawn() throws {
    let store = try fixture.open()
    for value in 1...3 { try store.publish("a", [UInt8(value)]) }
    try store.pin(key: key("a"), revision: 3)
    try store.withdraw(key: key("a"), revision: 3, reason: "wrong sums")
    #expect(try store.lookup(key: key("a"))?.revision == 2)
    #expect(try store.lookup(key: key("a"), revision: 3) == nil)
    #expect(try store.revisions(key: key("a")).first?.withdrawn == "wrong sums")
    #expect(throws: GranaryError.self) { try store.rollBack(key: key("a"), to: 3) }
    for number in [1, 2] {
      try store.withdraw(key: key("a"), revision: number, reason: "wrong sums")
    }
    #expect(try store.lookup(key: key("a")) == nil)
    #expect(try store.publish("a", [4]) == 4)
    #expect(try store.lookup(key: key("a"))?.revision == 4)
    #expect(throws: GranaryError.self) {
      try store.withdraw(key: key("a"), revision: 9, reason: "")
    }
  }

  @Test("a revision on trial is served once it is verified")
  func trial() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    #expect(try store.publish("a", [2], origin: "bundle", isOnTrial: true) == 2)
    #expect(try store.lookup(key: key("a"))?.revision == 1)
    #expect(try store.onTrial(key: key("a"))?.revision == 2)
    try store.noteVerified(key: key("a"), revision: 2)
    #expect(try store.lookup(key: key("a"))?.revision == 2)
    #expect(try store.onTrial(key: key("a")) == nil)
    #expect(try store.revisions(key: key("a")).first?.verified == fixture.time.wallSeconds)
    #expect(try store.revisions(key: key("a")).first?.origin == "bundle")
  }

  @Test("going back publishes the old revision under a new number")
  func rollBack() throws {
    let store = try fixture.open()
    for value in 1...3 { try store.publish("a", [UInt8(value)]) }
    #expect(try store.rollBack(key: key("a"), to: 1) == 4)
    #expect(try store.lookup(key: key("a"))?.artifact.bytes == [1])
    #expect(try store.lookup(key: key("a"), revision: 3)?.artifact.bytes == [3])
    #expect(try store.verifyAll(repair: false).isSound)
    #expect(throws: GranaryError.self) { try store.rollBack(key: key("b"), to: 1) }
  }

  @Test("facts tell what was recorded, and what was withdrawn")
  func facts() throws {
    let store = try fixture.open()
    try store.publish("a", [1])
    fixture.time.advance(seconds: 5)
    try store.publish("b", [2])
    try store.withdraw(key: key("b"), revision: 1, reason: "x")
    let facts = try store.facts()
    #expect(facts.map(\.name) == ["b", "a"])
    #expect(facts.map(\.isWithdrawn) == [true, false])
    #expect(facts.allSatisfy { $0.toolchain == "cc" && $0.provenance == nil && !$0.isSearched })
  }
}
