import KernelSpec

/// How each operator becomes stages. To add an operator, add an entry to the table of its family.
package enum LoweringTable {
  /// Adds the stages of one node and gives the buffers of its results, in order.
  typealias Rule = @Sendable (Lowering, Operation) throws -> [BufferID]

  /// By overload, for example `aten.add.Tensor`.
  static let rules: [String: Rule] = [
    unary, activations, binary, comparisons, selections, reductions, statistics, scans, softmaxes,
    norms, contractions, convolutions, poolings, attention, reshapes, rearrangements, slices,
    joins, gathers, creations, copies, gradients, poolGradients, resamplings, paddings,
    partialWrites, scatters, orderings, distances, fourierTransforms, randoms,
    recommendations, recurrences,
  ].reduce(into: [:]) { all, family in
    for (name, rule) in family { all[name] = rule }
  }

  /// The overloads that can be lowered.
  package static var names: Set<String> { Set(rules.keys) }
}
