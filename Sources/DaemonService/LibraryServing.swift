package import CacheStore
package import DaemonAPI
import Evaluation
import Hardware
package import KernelSpec
package import Optimization
import Support
import Synchronization

/// Serves a kernel library over the wire types.
package struct LibraryServing: KernelServing {
  let library: KernelLibrary
  /// What a collection keeps when the request does not say.
  let bounds: StoreBounds
  private let doctorChecks: @Sendable () async -> [DoctorReport.Finding]

  /// - Parameter doctorChecks: what `granary doctor` looks at.
  package init(
    library: KernelLibrary, bounds: StoreBounds,
    doctorChecks: @escaping @Sendable () async -> [DoctorReport.Finding]
  ) {
    self.library = library
    self.bounds = bounds
    self.doctorChecks = doctorChecks
  }

  package func resolve(_ requests: [KernelRequest]) async -> [KernelAnswer] {
    if requests.count == 1 { return [await resolve(requests[0])] }
    return await withTaskGroup(of: (Int, KernelAnswer).self) { group in
      for (position, request) in requests.enumerated() {
        group.addTask { (position, await resolve(request)) }
      }
      var answers: [Int: KernelAnswer] = [:]
      for await (position, answer) in group { answers[position] = answer }
      return requests.indices.compactMap { answers[$0] }
    }
  }

  private func resolve(_ request: KernelRequest) async -> KernelAnswer {
    let started = library.time.monotonicSeconds
    let answered = await library.answer(
      request.spec, Self.demand(of: request, library), namespace: request.namespace ?? "")
    var answer: KernelAnswer
    switch answered.result {
    case .success(let resolution):
      answer = KernelAnswer(resolution)
      answer.search = await state(of: resolution)
    case .failure(let error): answer = KernelAnswer(failure: ServiceError(error))
    }
    answer.request = answered.number.map { RequestName($0).text }
    answer.latencyMicroseconds = (library.time.monotonicSeconds - started) * 1e6
    return answer
  }

  private static func demand(of request: KernelRequest, _ library: KernelLibrary)
    -> Result<KernelLibrary.Demand, OptimizationError>
  {
    switch request.policy {
    case .cached: return .success(.cached)
    case .baseline: return .success(.baseline)
    case .tuned:
      let milliseconds = request.deadlineMilliseconds.map(Double.init)
      let seconds = milliseconds.map { $0 / 1000 } ?? library.defaultLimits.seconds
      return .success(.tuned(seconds: seconds))
    case .locked:
      return Result { () throws(OptimizationError) in .locked(try locks(of: request)) }
    }
  }

  private static func locks(of request: KernelRequest) throws(OptimizationError)
    -> KernelLibrary.Locks
  {
    func lock(_ revision: Int?, _ artifact: String?) throws(OptimizationError)
      -> KernelLibrary.Locks.Lock
    {
      let digest = artifact.flatMap { Digest(hex: $0) }
      guard artifact == nil || digest != nil else {
        throw OptimizationError(.badSpec, "a locked artifact is not 64 hexadecimal digits")
      }
      return .init(revision: revision, artifact: digest)
    }
    var locks = KernelLibrary.Locks(otherwise: nil, byKey: [:])
    for kernel in request.locks ?? [] {
      guard let key = Digest(hex: kernel.key) else {
        throw OptimizationError(.badSpec, "a locked key is not 64 hexadecimal digits")
      }
      var known = try lock(kernel.revision, kernel.artifact)
      known.name = kernel.name
      known.hardware = kernel.hardware
      locks.byKey[key] = known
    }
    if request.revision != nil || request.artifact != nil || request.locks == nil {
      locks.otherwise = try lock(request.revision, request.artifact)
    }
    return locks
  }

  private func state(of resolution: KernelLibrary.Resolution) async -> KernelAnswer.SearchState {
    switch await library.queue.state(of: resolution.key.digest) {
    case .queued: .queued
    case .running: .running
    default: resolution.kernel?.evidence.timing == nil ? .none : .finished
    }
  }

  package func artifact(_ digest: Digest) async throws(ServiceError) -> [UInt8]? {
    try storing { try library.store.artifact(digest: digest) }
  }

  package func source(of artifact: Digest) async throws(ServiceError) -> KernelSource? {
    try storing { try library.store.source(artifact: artifact) }
  }

  package func onChange(_ notify: @escaping @Sendable (Digest) -> Void) {
    library.onChange(notify)
  }

  package func recordHits(_ hits: [Digest: Int]) async {
    let total = hits.values.reduce(0, +)
    try? library.store.increment(["requests": total, "hits": total])
    try? library.store.touch(Array(hits.keys))
  }

  package func tune(_ request: TuneRequest) async throws(ServiceError)
    -> AsyncThrowingStream<TuneEvent, any Error>
  {
    guard request.seconds.map({ $0.isFinite && $0 > 0 }) ?? true,
      request.candidates.map({ $0 > 0 }) ?? true
    else {
      throw ServiceError(
        .badRequest, "a search takes a number of seconds above 0 and at least one candidate")
    }
    let defaults = library.defaultLimits
    let limits = SearchLimits(
      seconds: request.seconds ?? defaults.seconds,
      candidates: request.candidates ?? defaults.candidates)
    do {
      let (_, name, progress) = try await library.tune(request.spec, limits: limits)
      return events(progress, spec: request.spec, name: name)
    } catch {
      throw ServiceError(error)
    }
  }

  private func events(_ progress: AsyncStream<SearchProgress>, spec: String, name: String)
    -> AsyncThrowingStream<TuneEvent, any Error>
  {
    AsyncThrowingStream { continuation in
      let forwarding = Task {
        for await report in progress {
          var event = TuneEvent(report, name: name)
          if report.state == .finished {
            event.answer = await resolve(KernelRequest(spec: spec, policy: .cached))
          }
          continuation.yield(event)
        }
        continuation.finish()
      }
      continuation.onTermination = { _ in forwarding.cancel() }
    }
  }

  package func verify(_ request: VerifyRequest) async throws(ServiceError) -> VerifyReport {
    do {
      let repair = request.repair ?? false
      let report = try await library.verifyStore(repair: repair)
      let isRepaired =
        repair && !report.isSound ? try await library.verifyStore(repair: false).isSound : false
      return VerifyReport(
        sound: report.isSound, blobsChecked: report.blobsChecked,
        blobsDamaged: report.blobsDamaged, blobsMissing: report.blobsMissing,
        revisionsChecked: report.revisionsChecked, revisionsDamaged: report.revisionsDamaged,
        recordsDamaged: report.recordsDamaged, indexSound: report.indexIsSound,
        repaired: isRepaired,
        quarantined: try library.store.quarantined().map {
          .init(name: $0.name, reason: $0.reason, time: $0.time)
        })
    } catch {
      throw ServiceError(OptimizationError(storing: error))
    }
  }

  package func examine(_ request: ExamineRequest) async throws(ServiceError) -> ExamineReport {
    do {
      let (name, signal) = try await library.examine(request.spec)
      return ExamineReport(
        name: name, hasSignal: signal.passing.isEmpty,
        findings: signal.findings.map {
          .init(answer: $0.answer.rawValue, output: $0.output, seenOn: $0.seenOn.map(\.rawValue))
        })
    } catch {
      throw ServiceError(error)
    }
  }

  package func doctor() async -> DoctorReport {
    DoctorReport(findings: await doctorChecks())
  }

  /// Calls the store and turns its errors into those of the wire.
  func storing<Value>(_ body: () throws -> Value) throws(ServiceError) -> Value {
    do {
      return try body()
    } catch let error as ServiceError {
      throw error
    } catch {
      throw ServiceError(OptimizationError(storing: error))
    }
  }
}

extension KernelAnswer {
  fileprivate init(_ resolution: KernelLibrary.Resolution) {
    let kernel = resolution.kernel
    let timing = kernel?.evidence.timing
    let status: Status =
      switch resolution.status {
      case .hit: .hit
      case .baseline: .baseline
      case .miss: .miss
      }
    self.init(
      key: resolution.key.digest.hex, name: resolution.name, status: status,
      verdict: kernel?.verdict, revision: kernel?.revision,
      artifact: kernel?.artifact.manifest.digest.hex, inputs: resolution.inputs,
      manifest: kernel?.artifact.manifest,
      kernelMicroseconds: timing.map { $0.kernelNanoseconds.median / 1000 },
      baselineMicroseconds: timing.map { $0.baselineNanoseconds.median / 1000 },
      speedup: timing?.speedup, rooflineFraction: timing?.rooflineFraction)
  }
}

extension ServiceError {
  init(_ error: OptimizationError) {
    let code: Code =
      switch error.code {
      case .badSpec: .badSpec
      case .unsupported: .unsupported
      case .notFound: .notFound
      case .conflict: .conflict
      case .environment: .environment
      case .shuttingDown: .shuttingDown
      case .internalError: .internalError
      }
    self.init(code, error.message)
  }
}

extension TuneEvent {
  init(_ progress: SearchProgress, name: String) {
    let state: KernelAnswer.SearchState =
      switch progress.state {
      case .queued: .queued
      case .running: .running
      case .finished: .finished
      }
    self.init(
      key: progress.key.hex, name: name, state: state, elapsedSeconds: progress.elapsedSeconds,
      secondsLeft: progress.secondsLeft, candidates: progress.candidates,
      candidatesPerSecond: progress.elapsedSeconds > 0
        ? Double(progress.candidates) / progress.elapsedSeconds : 0,
      bestSpeedup: progress.bestSpeedup,
      bestMicroseconds: progress.bestNanoseconds.map { $0 / 1000 },
      baselineMicroseconds: progress.baselineNanoseconds.map { $0 / 1000 },
      rooflineFraction: progress.rooflineFraction, termination: progress.termination)
  }
}
