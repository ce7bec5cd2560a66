import ArgumentParser
import DaemonAPI
import DaemonClient
import KernelSpec

/// `granary export-source`: the source of a kernel into a source tree, for builds without Granary.
struct ExportSourceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export-source",
    abstract: "Write the C source of a kernel, for builds that have no daemon.",
    discussion: """
      Writes NAME.c and NAME.h: the source of the kernel that is served now, which was verified on this machine. It
      needs gcc or clang and nothing of Granary, and runs on one thread.

        granary export-source softmax.json -o kernels --name softmax_rows
        granary export-source softmax.json -o kernels --name softmax_rows --policy tuned --wait 60
      """)

  @Argument(help: "A file that holds one spec.") var spec: String
  @Option(name: .customShort("o"), help: "The folder of the two files.")
  var outputFolder: String
  @Option(help: "The name of the function, and of the files.") var name: String
  @OptionGroup var policy: PolicyOptions
  @OptionGroup var waiting: WaitOptions
  @OptionGroup var connection: ConnectionOptions

  func validate() throws {
    guard PortableSource.isIdentifier(name) else {
      throw ValidationError("'\(name)' is no name of a C function")
    }
  }

  func run() throws {
    try CommandFailure.reporting(json: connection.json) {
      let text = try SpecSource.one(spec).text
      let client = try connection.connect()
      let answers = try client.resolve(
        [text], policy: policy.policy(waiting),
        deadlineMilliseconds: waiting.milliseconds(timeout: connection.timeout),
        lock: try policy.lockFile(), namespace: policy.namespace)
      let portable = try source(answers, client)
      try Files.makeFolder(outputFolder)
      try Files.write(Array(portable.text.utf8), to: "\(outputFolder)/\(name).c")
      try Files.write(Array(portable.header.utf8), to: "\(outputFolder)/\(name).h")
      if connection.json {
        try Terminal.say(json: answers)
      } else {
        Terminal.say("\(outputFolder)/\(name).c and .h")
      }
    }
  }

  private func source(_ answers: [KernelAnswer], _ client: DaemonClient) throws(ServiceError)
    -> PortableSource
  {
    guard let answer = answers.first else {
      throw ServiceError(.internalError, "the daemon gave no answer")
    }
    if let error = answer.error { throw error }
    guard let artifact = answer.artifact.flatMap(Digest.init(hex:)), let inputs = answer.inputs
    else { throw ServiceError(.notFound, "there is no kernel for this spec") }
    let source = try client.source(of: artifact.hex)
    guard source.language == .c else {
      throw ServiceError(.unsupported, "the kernel's source is \(source.language.rawValue), not C")
    }
    guard source.interface.openSizes == nil else {
      throw ServiceError(
        .unsupported,
        "a kernel whose sizes are open has no source to build in; write the sizes as numbers")
    }
    if let odd = inputs.first(where: { !PortableSource.isIdentifier($0) }) {
      throw ServiceError(.badSpec, "the input '\(odd)' has no name of a C parameter")
    }
    return PortableSource(
      name: name, inputs: inputs,
      specDigest: Digest(of: try Files.read(spec, limitBytes: SpecLimits.textBytes)),
      artifact: artifact, source: source)
  }
}
