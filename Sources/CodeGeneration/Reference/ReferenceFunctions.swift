import KernelSpec
import TensorProgram

/// The functions of a reference: the layers of a network repeat, and of hundreds of stages most are the same but for
/// their buffers.
struct ReferenceFunctions {
  /// The functions' texts, in the order of their first calls.
  private(set) var texts: [String] = []
  /// The most buffers that a function is called with; at least one.
  private(set) var mostBuffers = 1
  private var names: [String: String] = [:]

  /// The statements that run a stage, given the texts of its buffers' addresses.
  mutating func call(
    _ stage: ReferenceStage, values: (BufferID) -> String, errors: (BufferID) -> String
  ) -> [String] {
    let text = stage.text
    let name = names[text] ?? "stage\(texts.count)"
    if names[text] == nil { texts.append("static void \(name)\(text)") }
    names[text] = name
    let buffers = stage.buffers
    mostBuffers = max(mostBuffers, buffers.count)
    let all = buffers.map(values).joined(separator: ", ")
    let bounds = buffers.map(errors).joined(separator: ", ")
    return [
      "  { reference_call call = {{\(all)}, {\(bounds)}};",
      "  context->parallel_for(context, \(stage.callCount), \(name), &call); }",
    ]
  }
}
