import ArgumentParser
import DaemonAPI
import DaemonClient
import Hardware
import KernelSpec

/// `granary run`: executes the served kernel on NumPy files.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Execute the kernel of a spec on NumPy files.",
    discussion: """
        granary run "relu(x: f32[11,17])" --input x=x.npy --output-dir out
      """)

  @Argument(help: "A file, - for standard input, or the text form of a spec.") var spec: String
  @Option(help: "NAME=FILE.npy, once for each input; bf16 as raw 16-bit words.")
  var input: [String] = []
  @Option(help: "Where output0.npy, output1.npy and so on are written.")
  var outputDir: String
  @OptionGroup var policy: PolicyOptions
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var connection: ConnectionOptions

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let text = try SpecSource.one(spec).text
      let client = try connection.connect()
      let answers = try client.resolve(
        [text], policy: policy.policy(waiting),
        deadlineMilliseconds: waiting.milliseconds(timeout: connection.timeout),
        lock: try policy.lockFile(), namespace: policy.namespace)
      let artifact = try fetch(answers, client)
      try execute(artifact, names: answers.first?.inputs ?? [])
      if connection.json { try Terminal.say(json: answers) }
    }
  }

  private func fetch(_ answers: [KernelAnswer], _ client: DaemonClient) throws(ServiceError)
    -> Artifact
  {
    guard let answer = answers.first else {
      throw ServiceError(.internalError, "the daemon gave no answer")
    }
    if let error = answer.error { throw error }
    guard let digest = answer.artifact, let manifest = answer.manifest else {
      throw ServiceError(
        .notFound,
        "there is no kernel to run: status \(answer.status.rawValue), "
          + "verdict \(answer.verdict?.rawValue ?? "none")")
    }
    return Artifact(manifest: manifest, bytes: try client.artifact(digest))
  }

  private func execute(_ artifact: Artifact, names: [String]) throws(ServiceError) {
    let arrays = try arrays(for: artifact.manifest.interface, names: names)
    let (sizes, interface) = try sizes(of: arrays, artifact.manifest.interface)
    var inputs: [AlignedBuffer] = []
    for ((name, array), type) in zip(zip(names, arrays), interface.inputs) {
      inputs.append(try TensorLayout.buffer(of: array, as: type, name: name, interface))
    }
    let outputs = interface.outputs.map {
      AlignedBuffer(
        byteCount: $0.elementCount * $0.dtype.sizeBytes, alignment: interface.alignmentBytes)
    }
    let threads = try KernelThreads(count: ProcessFacts.current().usableCores.count)
    let kernel = try LoadedKernel(artifact, on: threads)
    try kernel.call(
      inputs: inputs.map { UnsafeRawPointer($0.pointer) }, outputs: outputs.map(\.pointer),
      sizes: sizes)
    try Files.makeFolder(outputDir)
    for (index, (buffer, type)) in zip(outputs, interface.outputs).enumerated() {
      let file = NumPyFile(dtype: type.dtype, shape: type.shape, bytes: buffer.bytes)
      try Files.write(file.encoded, to: "\(outputDir)/output\(index).npy")
    }
  }

  /// What the files hold, in the order of the inputs.
  private func arrays(for interface: KernelInterface, names: [String]) throws(ServiceError)
    -> [NumPyFile]
  {
    let given = try assignments()
    guard names.count == interface.inputs.count else {
      throw ServiceError(.internalError, "the kernel and the spec differ in their inputs")
    }
    var arrays: [NumPyFile] = []
    for (position, name) in names.enumerated() {
      guard let path = given[name] else {
        let type =
          interface.openSizes?.inputs[position].text(SizeExpression.canonicalName)
          ?? "\(interface.inputs[position])"
        throw ServiceError(.badRequest, "no --input \(name)=FILE.npy is given; it is \(type)")
      }
      arrays.append(try NumPyFile(parsing: try Files.read(path), name: path))
    }
    return arrays
  }

  /// The sizes that the arrays have where the spec leaves them open, and what the kernel expects there.
  private func sizes(of arrays: [NumPyFile], _ interface: KernelInterface) throws(ServiceError)
    -> ([Int], KernelInterface)
  {
    guard let open = interface.openSizes else { return ([], interface) }
    let sizes: [Int]
    do {
      sizes = try open.sizes(of: arrays.map(\.shape))
    } catch {
      throw ServiceError(.badRequest, "\(error)")
    }
    guard let instance = interface.at(sizes) else {
      throw ServiceError(.badRequest, "the kernel has no types at the sizes \(sizes)")
    }
    return (sizes, instance)
  }

  private func assignments() throws(ServiceError) -> [String: String] {
    var paths: [String: String] = [:]
    for text in input {
      let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard sides.count == 2 else {
        throw ServiceError(.badRequest, "--input '\(text)' is not NAME=FILE.npy")
      }
      paths[sides[0]] = sides[1]
    }
    return paths
  }
}
