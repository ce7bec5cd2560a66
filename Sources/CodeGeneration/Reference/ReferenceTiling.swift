import KernelSpec
import TensorProgram

/// Which elements and terms of a large sum are computed side by side, so that what is loaded for one is used for all.
///
/// Changes the order of additions, which the possible errors allow for, and nothing else.
struct ReferenceTiling {
  /// Some elements of an axis that are computed, or added, at once.
  struct Part {
    let axis: Axis
    let count: Int
  }

  /// Of the output's axes; no condition depends on them.
  let elements: [Part]
  /// Of a reduced axis, on which no condition depends either.
  let terms: Part?

  static let none = ReferenceTiling(elements: [], terms: nil)

  /// What the first element of a part is called.
  static func first(of axis: Axis) -> String { "from\(axis.id)" }

  /// How many parts an axis has; its extent when it is not divided.
  func blocks(of axis: Axis) -> Int {
    let count = elements.first { $0.axis == axis }?.count ?? 1
    return (axis.extent + count - 1) / count
  }

  /// The declarations of the axes' values for each element of a part, the last axis fastest.
  ///
  /// Where an axis ends within a part, its last element takes the places of those beyond.
  func declarations(outermost: Axis?) -> [String] {
    elements.reduce([""]) { before, part in
      let extent = part.axis.extent
      let first =
        part.axis == outermost ? "index * \(part.count)" : Self.first(of: part.axis)
      let values = (0..<part.count).map { offset in
        let value = "\(first) + \(offset)"
        let known = extent % part.count == 0 ? value : "earliest(\(value), \(extent - 1))"
        return "const int64_t i\(part.axis.id) = \(known); "
      }
      return before.flatMap { head in values.map { head + $0 } }
    }
  }
}

extension ReferenceTiling {
  /// - Parameters:
  ///   - value: what is added.
  ///   - guards: conditions on axes that exclude terms.
  ///   - row: the axis of the output along which the innermost loop runs; `nil` for the last reduced axis.
  init(
    of value: Expression, over axes: [Axis], guards: [Expression], row: Axis?, in stage: Stage,
    isExact: Bool
  ) {
    let bound = guards.reduce(into: Set<Axis>()) { $0.formUnion($1.axes) }
    let free = stage.domain.filter { $0 != row && $0.extent > 1 && !bound.contains($0) }
    let loads = value.loads.map { load in
      load.indexes.reduce(into: Set<Axis>()) { $0.formUnion(Expression.index($1, .i64).axes) }
    }
    if let row {
      let terms = axes.filter { !bound.contains($0) }.map(Self.terms)
        .max { $0.count < $1.count }
      guard let terms, terms.count > 1 else {
        self = .none
        return
      }
      // What is read along the row should serve several elements.
      let shared = free.filter { axis in loads.contains { $0.contains(row) && !$0.contains(axis) } }
      let best = shared.max { min($0.extent, mostElements) < min($1.extent, mostElements) }
      elements = terms.count < 3 ? [] : best.map { [Self.elements(of: $0)] } ?? []
      self.terms = terms
      return
    }
    // One axis for each load that does not move with it.
    var chosen: [Axis] = []
    for load in loads where chosen.count < 2 {
      let shared = free.filter { !load.contains($0) && !chosen.contains($0) }
      let best = shared.max { min($0.extent, mostElements) < min($1.extent, mostElements) }
      if let best { chosen.append(best) }
    }
    // A sum of inexact values has three accumulators, and there are registers for so many.
    let all = chosen.sorted { $0.id < $1.id }.map(Self.elements)
    elements = isExact ? all : Array(all.prefix(1))
    terms = nil
  }

  private static func elements(of axis: Axis) -> Part {
    Part(axis: axis, count: min(axis.extent, mostElements))
  }

  private static func terms(of axis: Axis) -> Part {
    let extent = axis.extent
    let divisors = [4, 3, 5, 7].filter { extent % $0 == 0 }
    return Part(axis: axis, count: divisors.first ?? (extent > 8 ? 4 : extent == 2 ? 2 : 1))
  }
}

/// Along one axis.
private let mostElements = 4
