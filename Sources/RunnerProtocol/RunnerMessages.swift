/// What a runner is told first: what to load, and the buffers that it will be called with.
package struct RunnerSetup: Sendable, Hashable {
  package enum Kind: Int, Sendable { case sharedObject, openCL }

  package var kind: Kind
  package var threads: Int
  package var entryPoint: String
  package var inputBytes: [Int]
  package var outputBytes: [Int]
  package var workspaceBytes: Int
  package var alignmentBytes: Int
  package var launches: [Launch]
  package var buildOptions: String
  /// Where a device's driver may write; empty for a shared object.
  package var scratchDirectory: String
  /// Whether the runner was started in namespaces of its own.
  package var hasNamespaces = false
  /// Whether the workspace lies in large pages, where the system has some.
  package var usesLargePages = false

  /// One launch of a device function.
  package struct Launch: Sendable, Hashable {
    package enum Argument: Sendable, Hashable {
      case input(Int)
      case output(Int)
      case workspace(Int)
    }
    package var function: String
    package var global: [Int]
    package var local: [Int]
    package var arguments: [Argument]

    package init(function: String, global: [Int], local: [Int], arguments: [Argument]) {
      self.function = function
      self.global = global
      self.local = local
      self.arguments = arguments
    }
  }

  package init(
    kind: Kind, threads: Int, entryPoint: String, inputBytes: [Int], outputBytes: [Int],
    workspaceBytes: Int, alignmentBytes: Int, launches: [Launch],
    buildOptions: String, scratchDirectory: String = ""
  ) {
    self.kind = kind
    self.threads = threads
    self.entryPoint = entryPoint
    self.inputBytes = inputBytes
    self.outputBytes = outputBytes
    self.workspaceBytes = workspaceBytes
    self.alignmentBytes = alignmentBytes
    self.launches = launches
    self.buildOptions = buildOptions
    self.scratchDirectory = scratchDirectory
  }

  package var inputs: BufferLayout { BufferLayout(sizes: inputBytes, alignment: alignmentBytes) }
  package var outputs: BufferLayout { BufferLayout(sizes: outputBytes, alignment: alignmentBytes) }
  package var workspace: BufferLayout {
    BufferLayout(sizes: [workspaceBytes], alignment: alignmentBytes)
  }

  package func encoded() -> [UInt8] {
    var writer = WireWriter()
    writer.write(kind.rawValue)
    writer.write(threads)
    writer.write(entryPoint)
    writer.write(inputBytes)
    writer.write(outputBytes)
    writer.write(workspaceBytes)
    writer.write(alignmentBytes)
    writer.write(buildOptions)
    writer.write(scratchDirectory)
    writer.write(hasNamespaces ? 1 : 0)
    writer.write(usesLargePages ? 1 : 0)
    writer.write(launches.count)
    for launch in launches {
      writer.write(launch.function)
      writer.write(launch.global)
      writer.write(launch.local)
      writer.write(launch.arguments.flatMap(\.words))
    }
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(MalformedMessage) {
    var reader = WireReader(bytes)
    guard let kind = Kind(rawValue: try reader.integer()) else { throw MalformedMessage() }
    self.kind = kind
    threads = try reader.integer()
    entryPoint = try reader.text()
    inputBytes = try reader.integers()
    outputBytes = try reader.integers()
    workspaceBytes = try reader.integer()
    alignmentBytes = try reader.integer()
    buildOptions = try reader.text()
    scratchDirectory = try reader.text()
    hasNamespaces = try reader.integer() != 0
    usesLargePages = try reader.integer() != 0
    launches = []
    for _ in 0..<(try reader.count()) {
      launches.append(
        Launch(
          function: try reader.text(), global: try reader.integers(), local: try reader.integers(),
          arguments: try Launch.Argument.list(try reader.integers())))
    }
  }
}

extension RunnerSetup.Launch.Argument {
  fileprivate var words: [Int] {
    switch self {
    case .input(let position): [0, position]
    case .output(let position): [1, position]
    case .workspace(let offset): [2, offset]
    }
  }

  fileprivate static func list(_ words: [Int]) throws(MalformedMessage) -> [Self] {
    guard words.count.isMultiple(of: 2) else { throw MalformedMessage() }
    var arguments: [Self] = []
    for index in stride(from: 0, to: words.count, by: 2) {
      switch words[index] {
      case 0: arguments.append(.input(words[index + 1]))
      case 1: arguments.append(.output(words[index + 1]))
      case 2: arguments.append(.workspace(words[index + 1]))
      default: throw MalformedMessage()
      }
    }
    return arguments
  }
}

/// A request to call the kernel; a fixed-size message.
package struct RunnerCommand: Sendable, Hashable {
  /// The most calls in one command, so that their times fit in one reply.
  package static let maximumCalls = 256

  /// Names the command; the reply repeats it.
  package var sequence: Int
  /// How often to call; 0 ends the runner.
  package var calls: Int
  package var placement: GuardPlacement
  /// Whether the runner poisons the outputs before each call; else the parent did.
  package var poisons: Bool

  package init(sequence: Int, calls: Int, placement: GuardPlacement, poisons: Bool) {
    self.sequence = sequence
    self.calls = calls
    self.placement = placement
    self.poisons = poisons
  }

  static let wordCount = 4

  package var words: [Int] { [sequence, calls, placement.rawValue, poisons ? 1 : 0] }

  init?(words: UnsafeBufferPointer<Int>) {
    guard words.count == Self.wordCount, (0...Self.maximumCalls).contains(words[1]),
      let placement = GuardPlacement(rawValue: words[2])
    else { return nil }
    self.init(sequence: words[0], calls: words[1], placement: placement, poisons: words[3] != 0)
  }
}

/// The layout of a reply in words: a marker, the command's sequence number, the kernel's status,
/// and the nanoseconds of each call.
package enum RunnerReply {
  package static let marker = 0x5245_504c
  package static let headerWords = 3
  package static let maximumWords = headerWords + RunnerCommand.maximumCalls
}

/// What a runner says once it has loaded a kernel and shut itself in.
package struct RunnerGreeting: Sendable, Hashable {
  package static let marker = 0x4752_4545
  /// Empty when all went well.
  package var failure: String
  package var sandbox: SandboxReport

  package init(failure: String, sandbox: SandboxReport) {
    self.failure = failure
    self.sandbox = sandbox
  }

  package func encoded() -> [UInt8] {
    var writer = WireWriter()
    writer.write(Self.marker)
    writer.write(sandbox.layers.rawValue)
    writer.write(sandbox.landlockVersion)
    writer.write(failure)
    return writer.bytes
  }

  package init(decoding bytes: [UInt8]) throws(MalformedMessage) {
    var reader = WireReader(bytes)
    guard try reader.integer() == Self.marker else { throw MalformedMessage() }
    let layers = SandboxReport.Layers(rawValue: try reader.integer())
    sandbox = SandboxReport(layers: layers, landlockVersion: try reader.integer())
    failure = try reader.text()
  }
}
