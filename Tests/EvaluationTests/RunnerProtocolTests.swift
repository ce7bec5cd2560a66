import RunnerProtocol
import Testing

@Suite struct RunnerProtocolTests {
  private let setup = RunnerSetup(
    kind: .openCL, threads: 3, entryPoint: "k", inputBytes: [0, 100], outputBytes: [4097],
    workspaceBytes: 7, alignmentBytes: 64,
    launches: [
      .init(
        function: "f", global: [64, 2], local: [8, 1],
        arguments: [.input(1), .output(0), .workspace(64)])
    ], buildOptions: "-w")

  @Test("a setup survives the way to the runner")
  func roundTrip() throws {
    #expect(try RunnerSetup(decoding: setup.encoded()) == setup)
  }

  @Test("a setup that was cut short is refused at every length")
  func truncated() {
    let bytes = setup.encoded()
    for length in 0..<bytes.count {
      #expect(throws: MalformedMessage.self) {
        try RunnerSetup(decoding: Array(bytes.prefix(length)))
      }
    }
  }

  @Test("buffers are aligned, apart, and flush with a guard page")
  func layout() {
    for alignment in [1, 16, 64, 4096] {
      let layout = BufferLayout(sizes: [0, 1, 100, 4096, 5000], alignment: alignment)
      var end = 0
      for region in layout.regions {
        #expect(region.offset == end && region.offset % BufferLayout.pageBytes == 0)
        end = region.offset + region.capacity
        #expect(region.start(.start) == 0)
        #expect(region.start(.end) % alignment == 0)
        #expect(region.range(.end).upperBound <= end)
        #expect(end - region.range(.end).upperBound < max(alignment, 1) || region.count == 0)
      }
      #expect(layout.totalBytes == end)
    }
  }
}
