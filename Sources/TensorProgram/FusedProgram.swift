/// A program whose stages are grouped into kernels.
package struct FusedProgram: Sendable, Hashable {
  /// The buffers, inputs and outputs; its stages are those of the kernels, in order.
  package var program: TensorProgram
  /// In execution order.
  package var kernels: [FusedKernel]

  package init(program: TensorProgram, kernels: [FusedKernel]) {
    self.program = program
    self.kernels = kernels
  }
}

/// Stages that run together, iteration by iteration of the axes that they share.
///
/// Every stage's domain begins with `outer`, as the very same axes. Iterations of `outer` are independent of
/// each other and may run in parallel; within one, the stages run in order, each over its remaining axes.
/// Examples, as `outer; stages`:
/// - a fused pointwise chain: all axes; one or more maps;
/// - a row sum: the rows; one reduce over an axis of its own, then maps as epilogue;
/// - softmax: the rows; reduce (maximum), map (exp) over the row into a local, reduce (sum), map into the output;
/// - a matrix product with bias: rows and columns; a reduce of a product of two loads, then a map;
/// - attention: batch, head and query row; reduce into a local row of scores, softmax on it, reduce into the output.
package struct FusedKernel: Sendable, Hashable {
  package var outer: [Axis]
  package var stages: [Stage]
  /// Buffers that only this kernel uses and that one iteration of `outer` both writes and reads: they need no
  /// memory beyond the iteration's own part (a scalar or a row).
  package var locals: Set<BufferID>

  package init(outer: [Axis], stages: [Stage], locals: Set<BufferID>) {
    self.outer = outer
    self.stages = stages
    self.locals = locals
  }
}
