/// What a client is ready to accept for a spec.
public enum Policy: String, Sendable, Hashable, Codable, CaseIterable {
  /// What is in the cache, or a miss.
  case cached
  /// The best kernel there is; a miss is answered with a verified baseline, and a search is queued.
  case baseline
  /// Waits until a search has finished or the deadline passes.
  case tuned
  /// Exactly the revision or artifact that a lock file names.
  case locked
}

/// One spec and what is wanted for it.
public struct KernelRequest: Sendable, Hashable, Codable {
  /// The spec in its text form or as JSON, as the client wrote it.
  public var spec: String
  public var policy: Policy
  /// How long the client waits at most; without it, the daemon's default for the policy.
  public var deadlineMilliseconds: Int?
  /// For `locked`: the revision that must be served.
  public var revision: Int?
  /// For `locked`: the artifact that must be served, in hexadecimal digits.
  public var artifact: String?
  /// For `locked`: what must be served, by key; the entries of a lock file.
  public var locks: [LockFile.Kernel]?
  /// Whose entry it becomes if it is new; without it, everybody's.
  public var namespace: String?

  public init(
    spec: String, policy: Policy = .baseline, deadlineMilliseconds: Int? = nil,
    revision: Int? = nil, artifact: String? = nil, locks: [LockFile.Kernel]? = nil,
    namespace: String? = nil
  ) {
    self.namespace = namespace
    self.spec = spec
    self.policy = policy
    self.deadlineMilliseconds = deadlineMilliseconds
    self.revision = revision
    self.artifact = artifact
    self.locks = locks
  }
}

/// What holds for requests that do not say.
package struct RequestDefaults: Sendable, Hashable {
  package var policy: Policy
  /// For `tuned`; without it, as long as a search takes.
  package var tunedDeadlineMilliseconds: Int?

  package init(policy: Policy = .baseline, tunedDeadlineMilliseconds: Int? = nil) {
    self.policy = policy
    self.tunedDeadlineMilliseconds = tunedDeadlineMilliseconds
  }
}

/// The body of `POST /v1/kernels`: one or many specs.
///
/// Three forms mean the same. An envelope, `{"specs": [...], "policy": "tuned"}`, whose specs are strings or
/// JSON specs; JSON specs one after the other; or text specs, one a line. The policy and the deadline of
/// the last two come from the query.
package enum KernelRequestBody {
  /// The members of an envelope other than its specs.
  struct Options: Decodable {
    var policy: Policy?
    var deadlineMilliseconds: Int?
    var revision: Int?
    var artifact: String?
    var locks: [LockFile.Kernel]?
    var namespace: String?
  }

  /// The requests in `body`.
  ///
  /// - Throws: `bad-request`.
  package static func parse(
    _ body: [UInt8], query: [String: String], defaults: RequestDefaults = RequestDefaults()
  ) throws(ServiceError) -> [KernelRequest] {
    var options = try options(of: query)
    var specs: [String]
    switch SpecList.firstSignificant(body) {
    case UInt8(ascii: "{"):
      let values = try SpecList.jsonValues(body)
      if values.count == 1, let listed = try SpecList.envelope(values[0]) {
        specs = listed
        options = try merged(options, envelope: values[0])
      } else {
        specs = values.map { String(decoding: $0, as: UTF8.self) }
      }
    case UInt8(ascii: "["): specs = try SpecList.arrayOfSpecs(body[...])
    default: specs = SpecList.lines(String(decoding: body, as: UTF8.self)).map(\.text)
    }
    guard !specs.isEmpty else {
      throw ServiceError(.badRequest, "the request has no spec; send one as text or JSON")
    }
    let policy = options.policy ?? defaults.policy
    let wait = policy == .tuned ? defaults.tunedDeadlineMilliseconds : nil
    return specs.map {
      KernelRequest(
        spec: $0, policy: policy, deadlineMilliseconds: options.deadlineMilliseconds ?? wait,
        revision: options.revision, artifact: options.artifact, locks: options.locks,
        namespace: options.namespace)
    }
  }

  private static func options(of query: [String: String]) throws(ServiceError) -> Options {
    var options = Options()
    if let name = query["policy"] {
      guard let policy = Policy(rawValue: name) else {
        throw ServiceError(
          .badRequest, "policy '\(name)' is none of cached, baseline, tuned, locked")
      }
      options.policy = policy
    }
    options.deadlineMilliseconds = try integer("deadline_milliseconds", in: query)
    options.revision = try integer("revision", in: query)
    options.artifact = query["artifact"]
    options.namespace = query["namespace"]
    return options
  }

  private static func integer(_ name: String, in query: [String: String]) throws(ServiceError)
    -> Int?
  {
    guard let text = query[name] else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw ServiceError(.badRequest, "\(name) '\(text)' is not a whole number from 0")
    }
    return value
  }

  private static func merged(_ options: Options, envelope: ArraySlice<UInt8>)
    throws(ServiceError) -> Options
  {
    do {
      let given = try WireJSON.decode(Options.self, from: envelope)
      return Options(
        policy: given.policy ?? options.policy,
        deadlineMilliseconds: given.deadlineMilliseconds ?? options.deadlineMilliseconds,
        revision: given.revision ?? options.revision,
        artifact: given.artifact ?? options.artifact, locks: given.locks,
        namespace: given.namespace ?? options.namespace)
    } catch {
      throw ServiceError(
        .badRequest,
        "the envelope's policy, deadline_milliseconds, revision, artifact or locks is of a wrong type"
      )
    }
  }
}
