import ServiceLifecycle

/// Brings the hits of the hot set to the use case, once a second and before the end.
package struct HitRecorder: Service {
  let hotSet: HotSet
  let service: any KernelServing

  package func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: .seconds(1))
        await flush()
      }
    }
    await flush()
  }

  private func flush() async {
    let hits = hotSet.takeHits()
    if !hits.isEmpty { await service.recordHits(hits) }
  }
}
