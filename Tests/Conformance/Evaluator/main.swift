import CodeGeneration
import Glibc
import KernelSpec
import TensorProgram

// Computes what specs mean, one after the other, with the reference evaluator in double precision.
//
// `granary-evaluate --operators` prints the names of all operators. Without it, each line of standard input is a
// JSON object `{"spec": …, "inputs": [hex, …]}`, the bytes of each input as its type lays them out, and each line
// of standard output is `{"outputs": [[type, hex], …]}` or `{"error": …, "code": …}`. No kernel is compiled.
//
// With `--sketches` each line of standard input is a spec, and each line of standard output names the sketches of
// its default schedule. With `--reference SPEC` the C text of the spec's reference is printed.

/// Writes a line at once: whoever asks waits for it.
func say(_ line: String) {
  var rest = Array((line + "\n").utf8)[...]
  while !rest.isEmpty {
    let count = rest.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    guard count > 0 || errno == EINTR else { exit(EXIT_FAILURE) }
    rest = rest.dropFirst(max(0, count))
  }
}

if CommandLine.arguments.dropFirst().first == "--operators" {
  for name in EvaluationRequest.operatorNames { say(name) }
} else if CommandLine.arguments.dropFirst().first == "--sketches" {
  while let line = readLine() { say(Sketches.line(for: line)) }
} else if CommandLine.arguments.dropFirst().first == "--reference" {
  let program = try TensorProgram(lowering: Spec.parse(CommandLine.arguments[2]).checked())
  say(ReferenceSource.make(for: program).text)
} else {
  while let line = readLine() { say(EvaluationRequest.answer(to: line)) }
}
