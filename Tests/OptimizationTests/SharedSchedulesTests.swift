import KernelSpec
import TestSupport
import Testing

@testable import Optimization

@Suite("Shared schedules")
struct SharedSchedulesTests {
  private let folder = TemporaryFolder()
  private let key = Digest(of: [1])

  @Test("what one machine shares another receives, for that key only")
  func exchange() async throws {
    let schedule = Schedule(
      kernels: [KernelSchedule(sketch: "pointwise", parameters: ["lanes": 8])],
      build: ["optimization": 3])
    let one = try #require(SharedSchedules(directory: folder.path))
    #expect(await one.schedule(for: key) == nil)
    try await one.share(schedule, for: key)
    let two = try #require(SharedSchedules(directory: folder.path))
    #expect(await two.schedule(for: key) == schedule)
    #expect(await two.schedule(for: Digest(of: [2])) == nil)
  }

  @Test("without a directory nothing is shared, and what cannot be read is nothing")
  func nothing() async throws {
    #expect(SharedSchedules(directory: "") == nil)
    let shared = try #require(SharedSchedules(directory: "/dev/null/nowhere"))
    #expect(await shared.schedule(for: key) == nil)
    try await shared.share(Schedule(kernels: []), for: key)
  }
}
