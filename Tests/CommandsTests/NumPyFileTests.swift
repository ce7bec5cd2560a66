import DaemonAPI
import KernelSpec
import Testing

@testable import Commands

@Suite("NumPy files") struct NumPyFileTests {
  @Test("every dtype comes back as it was written", arguments: DType.allCases)
  func roundTrip(dtype: DType) throws {
    let bytes = (0..<6 * dtype.sizeBytes).map { UInt8($0) }
    let file = NumPyFile(dtype: dtype, shape: [2, 3], bytes: bytes)
    #expect(try NumPyFile(parsing: file.encoded, name: "x.npy") == file)
    #expect((file.encoded.count - bytes.count) % 64 == 0)
  }

  @Test("damaged files are refused", arguments: [0, 5, 9, 40, 140])
  func damaged(length: Int) {
    let file = NumPyFile(dtype: .f32, shape: [4], bytes: [UInt8](repeating: 0, count: 16))
    #expect(throws: ServiceError.self) {
      try NumPyFile(parsing: Array(file.encoded.prefix(length)), name: "x.npy")
    }
  }
}

@Suite("Formatting") struct FormatTests {
  @Test("numbers are rounded, not cut")
  func numbers() {
    #expect(Format.number(1.25, digits: 1) == "1.3")
    #expect(Format.number(-0.04, digits: 1) == "0.0")
    #expect(Format.number(12, digits: 2) == "12.00")
    #expect(Format.bytes(1536) == "1.5 KiB")
  }

  @Test("columns line up")
  func table() {
    #expect(Format.table(["A", "BB"], [["xxx", "y"]]) == "A    BB\nxxx  y")
  }

  @Test("exit codes tell whose fault it is")
  func exitCodes() {
    #expect(CommandFailure.exitCode(of: ServiceError(.badSpec, "")) == 2)
    #expect(CommandFailure.exitCode(of: ServiceError(.noDaemon, "")) == 3)
    #expect(CommandFailure.exitCode(of: ServiceError(.internalError, "")) == 1)
  }
}
