import Testing

@testable import Commands

@Test(
  "sizes are read as people write them",
  arguments: [
    ("0", 0), ("1000", 1000), ("1k", 1024), ("500M", 500 << 20), ("1.5GiB", 3 << 29),
    ("2gb", 2 << 30),
  ])
func sizes(text: String, bytes: Int) {
  #expect(ByteCount(argument: text)?.bytes == bytes)
}

@Test(
  "times are read as people write them",
  arguments: [
    ("0", 0.0), ("90", 90), ("45s", 45), ("90m", 5400), ("12h", 43200), ("30d", 2_592_000),
  ])
func times(text: String, seconds: Double) {
  #expect(TimeSpan(argument: text)?.seconds == seconds)
}

@Test(
  "what is no quantity is refused",
  arguments: ["", "x", "-1", "5q", "1e", "m", "nan", "inf", "9e99d"])
func noQuantities(text: String) {
  #expect(TimeSpan(argument: text) == nil)
  #expect(ByteCount(argument: text) == nil)
}

@Test("a bar fills with what is done")
func bars() {
  #expect(Progress.bar(0, of: 4, width: 4) == "[----] 0/4")
  #expect(Progress.bar(3, of: 4, width: 4) == "[###-] 3/4")
  #expect(Progress.bar(0, of: 0, width: 2) == "[##] 0/0")
}
