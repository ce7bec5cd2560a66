import KernelSpec

/// How a transposed convolution is made of convolutions: the outputs of one phase, those whose places have the same
/// remainder by the stride, meet the kernel and the input at places of constant distances.
///
/// Output `y` with `y + padding = step · stride + phase` meets input `i` at kernel position `k` where
/// `i · stride + k · dilation = y + padding`. With `g` the greatest common divisor of stride and dilation, the `k` of a
/// phase are `stride / g` apart, the `i` `dilation / g`, and phases that `g` does not divide meet nothing.
struct TransposedPhases {
  /// Phases of one dimension that meet the same number of places of the kernel, each one further than the one before.
  struct Group: Hashable {
    let first: Int
    var count = 1
    let taps: Int
    /// The first place of the kernel that phase `first` meets, and how far it lies from the next.
    var kernel = 0
    var kernelStep = 1
    /// How far the input that the first place meets lies behind the output's step, and how far from the next.
    var behind = 0
    var inputStep = 1

    fileprivate static func all(_ window: Window) -> [Group] {
      let (stride, kernel, dilation) = (window.stride, window.kernel, window.dilation)
      guard dilation == 1 else { return (0..<stride).map { Group(phase: $0, window) } }
      let more = kernel % stride
      return [
        Group(
          first: 0, count: more, taps: kernel / stride + 1, kernel: 0, kernelStep: stride),
        Group(
          first: more, count: stride - more, taps: kernel / stride, kernel: more,
          kernelStep: stride),
      ].filter { $0.count > 0 }
    }
  }

  /// One dimension.
  struct Dimension {
    let window: Window
    let groups: [Group]
    /// The outputs of a phase, counted from where the padding begins in steps of the stride.
    let steps: Range<Int>

    fileprivate init(_ window: Window, outputs: Int) {
      self.window = window
      groups = Group.all(window)
      let first = window.padding / window.stride
      steps = first..<(outputs > 0 ? (outputs - 1 + window.padding) / window.stride + 1 : first)
    }

    /// The places of the kernel and of the input that meet at tap `tap` of a phase's output `step`. Taps count
    /// against the kernel's direction, so that both places grow with their axes.
    fileprivate func places(
      _ group: Group, phase: Index, step: Index, tap: Index
    ) -> (kernel: Index, input: Index, guards: [Expression]) {
      let last = group.taps - 1
      let kernel = phase + tap * -group.kernelStep + (group.kernel + last * group.kernelStep)
      let reach =
        steps.lowerBound - group.behind - last * group.inputStep..<steps.upperBound - group.behind
      let input = step + tap * group.inputStep + reach.lowerBound
      let isInside = reach.lowerBound >= 0 && reach.upperBound <= window.length
      return (kernel, input, isInside ? [] : [.inRange(input, lower: 0, upper: window.length)])
    }
  }

  /// More convolutions than this are not worth their compilation.
  private static let mostConvolutions = 16

  let dimensions: [Dimension]

  /// - Parameter outputs: the result's shape, with batch and channels.
  /// - Returns: `nil` when the phases meet the kernel in too many ways.
  init?(_ windows: [Window], outputs: [Int]) {
    guard windows.allSatisfy({ $0.stride > 0 && $0.dilation > 0 }) else { return nil }
    dimensions = zip(windows, outputs.dropFirst(2)).map { Dimension($0, outputs: $1) }
    let convolutions = dimensions.reduce(1) { product, dimension in
      product * dimension.groups.count { $0.taps > 0 }
    }
    guard convolutions <= Self.mostConvolutions else { return nil }
  }

  /// Every choice of a group in each dimension; those of the last dimension vary fastest.
  var choices: [[Group]] {
    dimensions.reduce([[]]) { choices, dimension in
      choices.flatMap { choice in dimension.groups.map { choice + [$0] } }
    }
  }

  /// Whether there is one phase only, so that the result needs no putting together.
  var isPlain: Bool { dimensions.allSatisfy { $0.window.stride == 1 } }
}

extension TransposedPhases.Group {
  /// A phase of a window with a dilation.
  fileprivate init(phase: Int, _ window: Window) {
    let common = greatestCommonDivisor(window.stride, window.dilation)
    let step = window.stride / common
    let meeting = (0..<min(step, window.kernel)).first {
      ($0 * window.dilation - phase) % window.stride == 0
    }
    guard let kernel = meeting else {
      self.init(first: phase, taps: 0)
      return
    }
    self.init(
      first: phase, taps: (window.kernel - kernel + step - 1) / step, kernel: kernel,
      kernelStep: step, behind: (kernel * window.dilation - phase) / window.stride,
      inputStep: window.dilation / common)
  }
}

private func greatestCommonDivisor(_ first: Int, _ second: Int) -> Int {
  second == 0 ? first : greatestCommonDivisor(second, first % second)
}

extension Lowering {
  /// A convolution for each group of phases, and the result put together from them.
  ///
  /// Where a window reaches beyond the input it meets zeros, as PyTorch's documentation describes the operator.
  func transposedProducts(
    _ plan: ConvolutionPlan, _ phases: TransposedPhases, as result: TensorType, in type: DType,
    name: String
  ) -> BufferID {
    if phases.isPlain {
      return transposedProduct(
        plan, phases, phases.choices[0], as: result, in: type, name: name)
    }
    let images = phases.choices.map { groups -> BufferID? in
      if groups.contains(where: { $0.taps == 0 }) { return nil }
      let shape =
        result.shape.prefix(2) + groups.map(\.count) + phases.dimensions.map(\.steps.count)
      return transposedProduct(
        plan, phases, groups, as: TensorType(type, Array(shape)), in: type, name: name)
    }
    return map(result, name: name) { axes in
      let at = axes.positions
      let places = zip(at.dropFirst(2), phases.dimensions).map { position, dimension in
        let shifted = position + dimension.window.padding
        let stride = dimension.window.stride
        return (
          phase: shifted.modulo(stride),
          step: shifted.divided(by: stride) - dimension.steps.lowerBound
        )
      }
      let elements = zip(phases.choices, images).map { groups, image -> Expression in
        guard let image else { return .number(.integer(0), result.dtype) }
        let phase = zip(places, groups).map { $0.phase - $1.first }
        return load(image, at.prefix(2) + phase + places.map(\.step)).cast(to: result.dtype)
      }
      return chosen(elements[...], places.map(\.phase), phases.dimensions.map(\.groups))
    }
  }

  /// The element of the group that each phase is of; the groups of the last dimension vary fastest in `elements`.
  private func chosen(
    _ elements: ArraySlice<Expression>, _ phases: [Index], _ groups: [[TransposedPhases.Group]]
  ) -> Expression {
    guard let phase = phases.first, let own = groups.first, let first = elements.first else {
      return elements.first ?? .number(0, .f32)
    }
    let count = elements.count / max(own.count, 1)
    let parts = own.indices.map { position in
      let start = elements.startIndex + position * count
      return chosen(
        elements[start..<start + count], Array(phases.dropFirst()), Array(groups.dropFirst()))
    }
    return zip(own, parts).dropLast().reversed().reduce(parts.last ?? first) { rest, part in
      let (group, value) = part
      let isHere = Expression.inRange(
        phase, lower: group.first, upper: group.first + group.count)
      return .select(isHere, value, rest)
    }
  }

  /// The outputs of one group of phases: `Σ input[n, g·C + c, step + tap…] · weight[g·C + c, o, kernel…]`, over
  /// batch, channels, phases unless there is one only, and steps.
  private func transposedProduct(
    _ plan: ConvolutionPlan, _ phases: TransposedPhases, _ groups: [TransposedPhases.Group],
    as result: TensorType, in type: DType, name: String
  ) -> BufferID {
    reduce(
      result, over: [plan.inputsPerGroup] + groups.map(\.taps), .sum, name: name
    ) { axes, reduced in
      let (at, over) = (axes.positions, reduced.positions)
      let rank = groups.count
      let places = groups.indices.map { dimension in
        phases.dimensions[dimension].places(
          groups[dimension], phase: phases.isPlain ? .constant(0) : at[2 + dimension],
          step: at[at.count - rank + dimension], tap: over[1 + dimension])
      }
      let channel =
        plan.groups == 1
        ? over[0] : at[1].divided(by: plan.outputsPerGroup) * plan.inputsPerGroup + over[0]
      let output = plan.groups == 1 ? at[1] : at[1].modulo(plan.outputsPerGroup)
      let element = load(plan.input, [at[0], channel] + places.map(\.input)).cast(to: type)
      let weight = load(plan.weight, [channel, output] + places.map(\.kernel)).cast(to: type)
      return element.guarded(
        by: places.flatMap(\.guards), otherwise: .number(.integer(0), type)) * weight
    }
  }
}
