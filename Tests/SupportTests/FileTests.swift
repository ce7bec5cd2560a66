import Glibc
import SimulatedFiles
import Support
import TestSupport
import Testing

@Suite struct FileTests {
  private let directory = TemporaryFolder()
  private var file: String { directory.file("file") }

  @Test("a lock is held by one opener until it is released or gone")
  func lock() throws {
    let first = try FileLock(path: file)
    #expect(first != nil)
    #expect(try FileLock(path: file) == nil)
    first?.release()
    first?.release()
    var second = try FileLock(path: file)
    #expect(second != nil)
    #expect(try FileLock(path: file) == nil)
    second = nil
    #expect(try FileLock(path: file) != nil)
  }

  @Test("a lock in a directory that is not there is an error of the environment")
  func lockWithoutDirectory() {
    let error = #expect(throws: GranaryError.self) { try FileLock(path: file + "/none/lock") }
    #expect(error?.responsible == .environment)
  }

  @Test("both file systems keep the same promises")
  func conformance() throws {
    try check(LocalFileSystem())
    try check(SimulatedFileSystem())
  }

  private func check(_ files: any FileSystem) throws {
    let other = directory.file("other")
    #expect(try files.read(file, limitBytes: 10) == nil)
    #expect(try files.sizeBytes(of: file) == nil)
    #expect(try files.list(directory.path + "/none") == [])
    try files.remove(file)
    try files.write([1, 2, 3], atomicallyTo: file)
    try files.write([4], atomicallyTo: file)
    #expect(try files.read(file, limitBytes: 10) == [4])
    #expect(try files.list(directory.path) == ["file"])
    try files.rename(file, to: other)
    #expect(try files.read(file, limitBytes: 10) == nil)
    #expect(try files.sizeBytes(of: other) == 1)
    let error = #expect(throws: GranaryError.self) { try files.read(other, limitBytes: 0) }
    #expect(error?.code == .tooLarge)
    #expect(try files.freeBytes(at: directory.path) > 0)
    try files.remove(other)
    #expect(try files.list(directory.path) == [])
  }

  @Test("a simulated write that fails at any step leaves the old contents", arguments: 0..<3)
  func failingWrite(step: Int) throws {
    let files = SimulatedFileSystem()
    try files.write([1], atomicallyTo: "/a/b")
    files.fail(atStep: step)
    let error = #expect(throws: GranaryError.self) { try files.write([2], atomicallyTo: "/a/b") }
    #expect(error?.code == .diskFull)
    #expect(throws: GranaryError.self) { try files.remove("/a/b") }
    files.recover()
    #expect(try files.read("/a/b", limitBytes: 10) == [1])
  }
}
