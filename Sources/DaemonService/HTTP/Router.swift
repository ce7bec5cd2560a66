import CLinux
package import CacheStore
package import DaemonAPI
import KernelSpec

/// Decodes a request, calls the use case and encodes its answer. Knows nothing of sockets.
package struct Router: RequestResponding {
  let service: any KernelServing
  let hotSet: HotSet
  package let counters: ServerCounters
  let configuration: ConfigurationReport
  let greeting: Greeting
  let defaults: RequestDefaults
  let publications: Publications?
  let foreign: ForeignArtifacts?
  let started = granary_now()

  package init(
    service: any KernelServing, hotSet: HotSet, counters: ServerCounters,
    configuration: ConfigurationReport, greeting: Greeting,
    defaults: RequestDefaults = RequestDefaults(), publications: Publications? = nil,
    foreign: ForeignArtifacts? = nil
  ) {
    self.service = service
    self.hotSet = hotSet
    self.counters = counters
    self.configuration = configuration
    self.greeting = greeting
    self.defaults = defaults
    self.publications = publications
    self.foreign = foreign
  }

  package var hotRoutes: HotRoutes? { HotRoutes(hotSet: hotSet) }

  package func respond(to request: Request) async -> Response {
    do {
      let (route, parameter) = try Route.match(method: request.method, path: request.path)
      guard request.caller.role >= (route.isForAdministrators ? .administers : .asks) else {
        return .failure(request.caller.refusal(of: route.rawValue))
      }
      return try await respond(to: request, route, parameter)
    } catch let error as ServiceError {
      return .failure(error)
    } catch {
      return .failure(ServiceError(.internalError, "\(error)"))
    }
  }

  private func respond(to request: Request, _ route: Route, _ parameter: String) async throws
    -> Response
  {
    switch route {
    case .greeting: return .json(greeting)
    case .configuration: return .json(configuration)
    case .resolve: return try await resolve(request)
    case .artifact: return try await artifact(try digest(parameter))
    case .artifacts: return try await artifacts(request.body)
    case .source:
      let artifact = try digest(parameter)
      return .json(
        try found(await service.source(of: artifact), "no source of the artifact \(artifact)"))
    case .kernel:
      let key = try digest(parameter)
      return .json(try found(await service.detail(of: key), "no entry has the key \(key)"))
    case .entries: return .json(try await service.entries())
    case .remove: return try await remove(try digest(parameter))
    case .pin: return try await pin(try digest(parameter), request.body)
    case .revisions: return .json(try await service.revisions(of: try digest(parameter)))
    case .rollback:
      let key = try digest(parameter)
      return .json(try await service.rollBack(key, try decode(request.body)))
    case .refresh: return .json(try await service.refresh(try digest(parameter)))
    case .repeatEvidence:
      return .json(try await service.repeatEvidence(of: try digest(parameter)))
    case .lease: return try await lease(try digest(parameter), request.body)
    case .lockFiles: return .json(try await service.lockFiles())
    case .addLockFile:
      try await service.addLockFile(try decode(request.body))
      return .json(try await service.lockFiles())
    case .stale: return .json(try await service.stale())
    case .export:
      let bundle = try await service.export(try decode(request.body))
      return .complete(status: 200, type: "application/zstd", body: [bundle[...]])
    case .importBundle:
      return .json(
        try await service.importBundle(
          request.body, allowsUnsigned: request.query["allow_unsigned"] == "true",
          dryRun: request.query["dry_run"] == "true"))
    case .collect: return .json(try await service.collect(try decode(request.body)))
    case .statistics: return .json(try await statistics())
    case .metrics:
      return .complete(
        status: 200, type: "text/plain; version=0.0.4",
        body: [Array(try await statistics().prometheusText.utf8)[...]])
    case .explainKey: return .json(try await service.explain(key: try digest(parameter)))
    case .explainSpec: return .json(try await service.explain(spec: try spec(request)))
    case .explainRequest: return .json(try await service.explain(request: parameter))
    case .searches: return .json(await service.searches())
    case .verify: return .json(try await service.verify(try decode(request.body)))
    case .examine: return .json(try await service.examine(try decode(request.body)))
    case .tune: return .events(try await service.tune(try tuneRequest(request)))
    case .hardware: return .json(try await service.hardware())
    case .doctor: return .json(await doctor(for: request.caller))
    case .foreign: return try foreignBytes(of: parameter)
    case .keepForeign: return try keepForeign(request.body, as: parameter)
    case .removeForeign: return try removeForeign(parameter)
    }
  }

  private func resolve(_ request: Request) async throws(ServiceError) -> Response {
    let requests = try KernelRequestBody.parse(
      request.body, query: request.query, defaults: defaults)
    let generation = hotSet.generation
    var answers = await service.resolve(requests)
    // The next daemon answers all of them.
    if let error = answers.lazy.compactMap(\.error).first(where: { $0.code == .shuttingDown }) {
      throw error
    }
    let latency = Double(granary_now() - request.receivedAt) / 1000
    for index in answers.indices { answers[index].latencyMicroseconds = latency }
    let json: [UInt8]
    do {
      json = try WireJSON.encode(answers)
    } catch {
      throw ServiceError(.internalError, "cannot encode the answers: \(error)")
    }
    publications?.note(answers, to: requests)
    if PreparedAnswer.isLasting(answers, to: requests) {
      remember(json, answers, request, generation)
    }
    return .complete(
      status: 200, type: "application/json", body: [json[...]])
  }

  private func remember(
    _ json: [UInt8], _ answers: [KernelAnswer], _ request: Request, _ generation: Int
  ) {
    let keys = answers.compactMap { $0.key.flatMap(Digest.init(hex:)) }
    guard keys.count == answers.count, request.body.count <= HotSet.memoBodyLimitBytes else {
      return
    }
    let prepared = PreparedAnswer(json: json)
    var response = ResponseHead.make(
      status: 200, type: "application/json", length: prepared.json.count,
      keepsAlive: true)
    let offset = response.count
    response += prepared.json
    let target = Array(request.target.utf8)
    let fingerprint = target.withUnsafeBytes { target in
      request.body.withUnsafeBytes { RequestFingerprint(target: target, body: $0) }
    }
    hotSet.keep(
      HotSet.Memo(
        fingerprint: fingerprint, request: target + request.body, response: response,
        slots: prepared.slots.map { $0 + offset }, keys: keys),
      since: generation)
  }

  private func statistics() async throws(ServiceError) -> Statistics {
    var statistics = try await service.statistics()
    statistics.hotSetBytes = hotSet.bytes
    statistics.hotSetHits = hotSet.hits
    statistics.connections = counters.connections
    statistics.uptimeSeconds = Double(granary_now() - started) / 1e9
    return statistics
  }

  private func doctor(for caller: Caller) async -> DoctorReport {
    var report = await service.doctor()
    let role = caller.role == .administers ? "asks and administers" : "asks, and may not administer"
    report.findings.append(
      .init(subject: "role", state: .good, message: "\(caller.description) \(role)"))
    return report
  }

  private func remove(_ key: Digest) async throws(ServiceError) -> Response {
    let changed = try await service.remove(key)
    hotSet.invalidate(key)
    return .json(ChangeReport(key: key.hex, changed: changed))
  }

  private func pin(_ key: Digest, _ body: [UInt8]) async throws(ServiceError) -> Response {
    let wish: PinRequest =
      body.isEmpty ? PinRequest(pinned: true) : try decode(body)
    let changed = try found(
      await service.pin(key, wish), "no entry has the key \(key)")
    return .json(ChangeReport(key: key.hex, changed: changed))
  }

  private func lease(_ key: Digest, _ body: [UInt8]) async throws(ServiceError) -> Response {
    let request: LeaseRequest = try decode(body)
    guard request.seconds >= 0, request.seconds <= 1e9, !request.holder.isEmpty else {
      throw ServiceError(.badRequest, "a lease takes a holder and a number of seconds from 0")
    }
    return .json(ChangeReport(key: key.hex, changed: try await service.lease(key, request)))
  }
}

extension Router {
  func digest(_ text: String) throws(ServiceError) -> Digest {
    guard let digest = Digest(hex: text) else {
      throw ServiceError(
        .badRequest, "'\(text)' is not 64 lower-case hexadecimal digits")
    }
    return digest
  }

  private func found<Value>(_ value: Value?, _ otherwise: String) throws(ServiceError) -> Value {
    guard let value else { throw ServiceError(.notFound, otherwise) }
    return value
  }

  private func decode<Value: Decodable>(_ body: [UInt8]) throws(ServiceError) -> Value {
    let bytes = body.isEmpty ? Array("{}".utf8) : body
    do {
      return try WireJSON.decode(Value.self, from: bytes)
    } catch {
      throw ServiceError(.badRequest, "the body is not the JSON that this route expects")
    }
  }

  private func spec(_ request: Request) throws(ServiceError) -> String {
    let specs = try KernelRequestBody.parse(
      request.body, query: [:])
    guard specs.count == 1 else {
      throw ServiceError(.badRequest, "this route takes one spec, not \(specs.count)")
    }
    return specs[0].spec
  }

  private func tuneRequest(_ request: Request) throws(ServiceError) -> TuneRequest {
    if let envelope = try? WireJSON.decode(
      TuneRequest.self, from: request.body)
    {
      return envelope
    }
    return TuneRequest(
      spec: try spec(request), seconds: request.query["seconds"].flatMap(Double.init),
      candidates: request.query["candidates"].flatMap(Int.init))
  }
}
