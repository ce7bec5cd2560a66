import CacheStore
package import DaemonAPI
import KernelSpec
import Optimization
import Support

/// Bundles: kernels on their way from one machine to another.
extension LibraryServing {
  package func export(_ request: ExportRequest) async throws(ServiceError) -> [UInt8] {
    let keys: [Digest]
    if let names = request.keys {
      keys = names.compactMap { Digest(hex: $0) }
      guard keys.count == names.count else {
        throw ServiceError(.badRequest, "a key of a bundle is not 64 hexadecimal digits")
      }
    } else {
      keys = try storing { try library.store.keys() }
    }
    return try await blocking { [library] in
      try library.exportBundle(keys, allowsUnsigned: request.unsigned ?? false)
    }
  }

  package func importBundle(_ bytes: [UInt8], allowsUnsigned: Bool, dryRun: Bool)
    async throws(ServiceError) -> ImportReport
  {
    do {
      let result = try await library.importBundle(
        bytes, allowsUnsigned: allowsUnsigned, dryRun: dryRun)
      return ImportReport(admitted: result.admitted, known: result.known, failed: result.failed)
    } catch {
      throw ServiceError(error)
    }
  }

  /// Runs what takes long and blocks on a thread of its own.
  func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value)
    async throws(ServiceError) -> Value
  {
    do {
      return try await OwnThread.run(body)
    } catch let error as OptimizationError {
      throw ServiceError(error)
    } catch {
      throw ServiceError(OptimizationError(storing: error))
    }
  }
}
