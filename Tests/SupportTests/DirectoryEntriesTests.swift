import Glibc
import Support
import TestSupport
import Testing

/// Names of every length end near each position of the buffer that a directory is read through.
@Test("a large directory is listed whole, without . and ..")
func listsLargeDirectory() throws {
  let temporary = TemporaryFolder()
  let folder = temporary.path
  let names = (0..<3000).map { "\($0)-" + String(repeating: "x", count: $0 % 200) }
  for name in names { close(open("\(folder)/\(name)", O_CREAT | O_WRONLY, 0o600)) }
  #expect(try #require(directoryEntries(folder)).sorted() == names.sorted())
  for name in names { unlink("\(folder)/\(name)") }
  #expect(directoryEntries(folder) == [])
}

@Test("a directory that is not there has no list")
func absentDirectory() {
  #expect(directoryEntries("/nonexistent") == nil)
}
