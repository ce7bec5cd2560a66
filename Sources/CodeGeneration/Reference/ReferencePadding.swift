import KernelSpec
import TensorProgram

extension TensorProgram {
  /// The program with the padded operands of large sums written out once, in buffers of their own: what is asked of
  /// every term otherwise, whether it lies in the padding, is asked of every element.
  func writingPaddingOut(largeSum: Int) -> TensorProgram {
    var result = self
    result.stages = []
    var writer = PaddingWriter(self)
    for stage in stages {
      guard case .reduce(let axes, .sum, let value) = stage.body, value.dtype.isFloatingPoint,
        stage.iterationCount >= largeSum
      else {
        result.stages.append(stage)
        continue
      }
      var stage = stage
      // What a guard excludes is no term at all, and stays so.
      stage.body = .reduce(
        axes: axes, combiner: .sum,
        value: writer.replacingPadding(in: value, terms: stage.iterationCount))
      result.stages += writer.takeStages() + [stage]
    }
    result.buffers = writer.buffers
    return result
  }
}

/// Makes the buffers of padded operands.
private struct PaddingWriter {
  /// A part of a buffer, with what lies around it.
  private struct Padded: Hashable {
    var value: Expression
    var shape: [Int]
  }

  private(set) var buffers: [Buffer]
  private var stages: [Stage] = []
  private var known: [Padded: BufferID] = [:]
  private var nextAxis: Int

  init(_ program: TensorProgram) {
    buffers = program.buffers
    let axes = program.stages.flatMap { stage in
      switch stage.body {
      case .reduce(let axes, _, _): stage.domain + axes
      default: stage.domain
      }
    }
    // Far from the axes inside of ordered stages, which have scopes of their own.
    nextAxis = (axes.map(\.id).max() ?? 0) + 1
  }

  /// The stages that define the buffers made since this was asked last.
  mutating func takeStages() -> [Stage] {
    defer { stages = [] }
    return stages
  }

  mutating func replacingPadding(in value: Expression, terms: Int) -> Expression {
    switch value {
    case .binary(let operation, let first, let second):
      return .binary(
        operation, replacingPadding(in: first, terms: terms),
        replacingPadding(in: second, terms: terms))
    case .select(let condition, let first, .real(let other, let type)):
      return padded(condition, first, .real(other, type), terms: terms) ?? value
    default: return value
    }
  }

  private mutating func padded(
    _ condition: Expression, _ value: Expression, _ other: Expression, terms: Int
  ) -> Expression? {
    let loads = value.loads
    guard loads.count == 1, let load = loads.first, value.isElement,
      let ranges = ranges(of: load.indexes, in: load.buffer, where: condition)
    else { return nil }
    let shape = ranges.map { $0.span.count }
    let count = shape.reduce(1, *)
    guard count <= terms / fewestReads else { return nil }
    // Axes that stand for the dimensions; the stage gets axes of its own.
    let places = zip(shape.indices, shape).map { Axis(id: -1 - $0, extent: $1) }
    let element = Padded(
      value: element(value, other, at: places, ranges), shape: shape)
    let buffer = known[element] ?? define(element, places)
    known[element] = buffer
    return .load(
      buffer, value.dtype, zip(load.indexes, ranges).map { ($0 - $1.span.lowerBound).simplified })
  }

  private typealias Span = (span: ClosedRange<Int>, bounds: Range<Int>?)

  /// For each dimension the positions that are asked for, and those that there are where some are not.
  private func ranges(
    of indexes: [Index], in buffer: BufferID, where condition: Expression
  ) -> [Span]? {
    var bounds: [Index: Range<Int>] = [:]
    for guardian in condition.conjuncts {
      guard case .inRange(let index, let lower, let upper) = guardian, lower <= upper else {
        return nil
      }
      bounds[index.simplified] = lower..<upper
    }
    var result: [Span] = []
    for (index, extent) in zip(indexes, buffers[buffer.position].type.shape) {
      let place = index.simplified
      guard let span = place.range else { return nil }
      let bound = bounds.removeValue(forKey: place)
      let allowed = bound ?? span.lowerBound..<span.upperBound + 1
      guard allowed.lowerBound >= 0, allowed.upperBound <= extent else { return nil }
      result.append((span, bound))
    }
    return bounds.isEmpty ? result : nil
  }

  private func element(
    _ value: Expression, _ other: Expression, at places: [Axis], _ ranges: [Span]
  ) -> Expression {
    let indexes = zip(places, ranges).map { Index.axis($0) + $1.span.lowerBound }
    let inside = value.replacingLoad(by: indexes)
    let guards = zip(indexes, ranges).compactMap { index, range in
      range.bounds.map { Expression.inRange(index, lower: $0.lowerBound, upper: $0.upperBound) }
    }
    guard var condition = guards.first else { return inside }
    for other in guards.dropFirst() { condition = .binary(.logicalAnd, condition, other) }
    return .select(condition, inside, other)
  }

  private mutating func define(_ element: Padded, _ places: [Axis]) -> BufferID {
    let buffer = BufferID(buffers.count)
    let domain = element.shape.enumerated().map { Axis(id: nextAxis + $0, extent: $1) }
    nextAxis += domain.count
    buffers.append(
      Buffer(
        name: "padded\(buffer.position)", type: TensorType(element.value.dtype, element.shape)))
    let own = Dictionary(uniqueKeysWithValues: zip(places, domain.map { Index.axis($0) }))
    stages.append(
      Stage(output: buffer, domain: domain, body: .map(element.value.substituting(own))))
    return buffer
  }
}

extension Expression {
  /// Whether this is an element of a buffer, converted or not, at a place that no data tells.
  fileprivate var isElement: Bool {
    switch self {
    case .load(_, _, let indexes): !indexes.contains(where: \.readsData)
    case .cast(let type, let operand): type.isFloatingPoint && operand.isElement
    default: false
    }
  }

  fileprivate func replacingLoad(by indexes: [Index]) -> Expression {
    switch self {
    case .load(let buffer, let type, _): .load(buffer, type, indexes)
    case .cast(let type, let operand): .cast(type, operand.replacingLoad(by: indexes))
    default: self
    }
  }
}

/// How often an element is read at least for it to be written out.
private let fewestReads = 8
