import KernelSpec
import TensorProgram

/// Brings stages together that one loop over an axis can do: a row is then read and written fewer times.
///
/// A stage joins the pass before it when it runs over an axis of the same extent and reads of what the pass
/// writes only the element of its own iteration. A result of a reduction is known after its pass, so a stage that
/// needs it begins another.
struct PassFusion {
  private let kernel: FlatKernel

  init(_ kernel: FlatKernel) { self.kernel = kernel }

  /// The stages in their order; those of one group have the first's axis.
  var groups: [[FlatKernel.FlatStage]] {
    var groups: [[FlatKernel.FlatStage]] = []
    for stage in kernel.stages {
      if let pass = groups.last, let joined = joining(stage, to: pass) {
        groups[groups.count - 1].append(joined)
      } else {
        groups.append([stage])
      }
    }
    return groups
  }

  /// The stage over the pass' axis; `nil` when it cannot join.
  private func joining(_ stage: FlatKernel.FlatStage, to pass: [FlatKernel.FlatStage])
    -> FlatKernel.FlatStage?
  {
    guard let axis = pass[0].passAxis, let own = stage.passAxis, own.extent == axis.extent
    else { return nil }
    let renamed = stage.renaming(own, to: axis)
    return readsOnlyOwnIteration(renamed, of: pass) ? renamed : nil
  }

  private func readsOnlyOwnIteration(
    _ stage: FlatKernel.FlatStage, of pass: [FlatKernel.FlatStage]
  ) -> Bool {
    var isAllowed = true
    stage.body.value.visit { part in
      guard case .load(let buffer, _, let indices) = part,
        let writer = pass.first(where: { $0.output == buffer })
      else { return }
      isAllowed = isAllowed && !writer.isReduction && indices == [writer.index]
    }
    return isAllowed
  }
}

extension FlatKernel.FlatStage {
  /// The one axis that the stage runs over beyond the kernel's own; `nil` when it has none or several, or needs
  /// more than one value at a time.
  var passAxis: Axis? {
    switch body {
    case .map: rest.count == 1 ? rest[0] : nil
    case .reduce(let axes, let combiner, _):
      rest.isEmpty && axes.count == 1 && !combiner.isArgument ? axes[0] : nil
    case .scan: nil
    }
  }

  /// The stage with `own`, the axis it runs over, replaced by another of the same extent.
  func renaming(_ own: Axis, to axis: Axis) -> FlatKernel.FlatStage {
    var renamed = self
    let replace = { (index: Index) -> Index in index == .axis(own) ? .axis(axis) : index }
    renamed.rest = rest.map { $0 == own ? axis : $0 }
    renamed.index = index.mapped(load: { .load($0, $1, $2) }, index: replace)
    renamed.body.value = body.value.mapped(index: replace)
    if case .reduce(_, let combiner, let value) = renamed.body {
      renamed.body = .reduce(axes: [axis], combiner: combiner, value: value)
    }
    return renamed
  }
}
