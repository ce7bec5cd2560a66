import KernelSpec

/// Builds a tensor program from a checked spec, node by node. Used by one call of `TensorProgram(lowering:)`.
final class Lowering {
  let spec: CheckedSpec
  var buffers: [Buffer] = []
  var stages: [Stage] = []
  var inputs: [BufferID] = []
  var inputDomains: [InputDomain]
  /// The buffer of each value lowered so far.
  var values: [CheckedSpec.Value: BufferID] = [:]
  /// The input that a buffer is a rearrangement of.
  var origins: [BufferID: Int] = [:]
  private var nextAxis = 0

  init(_ spec: CheckedSpec) {
    self.spec = spec
    inputDomains = spec.inputs.map { _ in .any }
    for (position, input) in spec.inputs.enumerated() {
      let id = addBuffer(Buffer(name: input.name, type: input.type))
      inputs.append(id)
      values[.input(position)] = id
      origins[id] = position
    }
  }

  /// Builds the program of one step of a loop, which has inputs of the given types.
  init(stepOf spec: CheckedSpec, _ types: [TensorType]) {
    self.spec = spec
    inputDomains = types.map { _ in .any }
    inputs = types.enumerated().map { position, type in
      addBuffer(Buffer(name: "input\(position)", type: type))
    }
  }

  /// The program of the stages that `outputs` need.
  func program(of outputs: [BufferID]) -> TensorProgram {
    TensorProgram(
      buffers: buffers, inputs: inputs, outputs: outputs, stages: stages,
      inputDomains: inputDomains
    ).withoutDeadStages()
  }

  private func addBuffer(_ buffer: Buffer) -> BufferID {
    buffers.append(buffer)
    return BufferID(buffers.count - 1)
  }

  /// One fresh axis for each extent.
  func axes(_ extents: [Int]) -> [Axis] {
    extents.map {
      nextAxis += 1
      return Axis(id: nextAxis - 1, extent: $0)
    }
  }

  /// Adds a stage that defines a new contiguous buffer of the given type.
  func define(
    _ type: TensorType, domain: [Axis], _ body: Stage.Body, name: String = "t"
  ) -> BufferID {
    let contiguous = TensorType(type.dtype, type.shape)
    let id = addBuffer(Buffer(name: "\(name)\(buffers.count)", type: contiguous))
    stages.append(Stage(output: id, domain: domain, body: body))
    return id
  }

  /// Each element from an expression over fresh axes.
  func map(
    _ type: TensorType, name: String = "t", _ body: ([Axis]) throws -> Expression
  ) rethrows -> BufferID {
    let domain = axes(type.shape)
    return define(type, domain: domain, .map(try body(domain)), name: name)
  }

  /// Each element by combining values over fresh axes of the given extents.
  func reduce(
    _ type: TensorType, over extents: [Int], _ combiner: Combiner, name: String = "t",
    _ value: ([Axis], [Axis]) throws -> Expression
  ) rethrows -> BufferID {
    let domain = axes(type.shape)
    let reduced = axes(extents)
    let body = Stage.Body.reduce(
      axes: reduced, combiner: combiner, value: try value(domain, reduced))
    return define(type, domain: domain, body, name: name)
  }

  func type(of id: BufferID) -> TensorType { buffers[id.position].type }

  func shape(of id: BufferID) -> [Int] { buffers[id.position].type.shape }

  /// The element at `indices`, as it is stored.
  func load(_ id: BufferID, _ indices: [Index]) -> Expression {
    .load(id, type(of: id).dtype, indices)
  }

  /// The element at `indices`, in the type that arithmetic is done in.
  func compute(_ id: BufferID, _ indices: [Index]) -> Expression {
    load(id, indices).cast(to: type(of: id).dtype.computeType)
  }

  /// The element that broadcasting pairs with the position `axes`.
  func load(_ id: BufferID, broadcastAt axes: [Index]) -> Expression {
    let shape = shape(of: id)
    let leading = axes.count - shape.count
    return load(
      id,
      shape.indices.map { shape[$0] == 1 ? .constant(0) : axes[leading + $0] })
  }
}

extension Sequence<Axis> {
  /// The axes as the indices of a load.
  var positions: [Index] { map { .axis($0) } }
}
