import KernelSpec
import TensorProgram

/// Rows that are looked up through data are fetched into the caches some look-ups ahead of their use.
extension CWriter {
  /// Writes the prefetches of one iteration of a reduction in a lane loop: of what `reduction.ahead` iterations
  /// later will look up, also beyond the end of its axis where the positions go on there.
  mutating func fetchAhead(_ reduction: TileReduction) {
    guard reduction.ahead > 0, let lanes, lanes.width > 1, let axis = reduction.axes.last
    else { return }
    for lookUp in reduction.value.lookUps(along: axis)
    where scratch[lookUp.table] == nil && scratch[lookUp.positions] == nil {
      let place = fresh("p")
      let last = elementCounts[lookUp.positions.position] - 1
      let wanted = text(.sum(lookUp.at, .constant(reduction.ahead)))
      line("int64_t \(place) = \(wanted);")
      line("if (\(place) > \(last)) \(place) = \(last);")
      let variable = Axis(id: Self.firstPlaceAxis + nameNumber(place), extent: last + 1)
      axisNames[variable] = place
      fetch(lookUp, from: variable, lanes)
    }
  }

  /// More axes than a spec's limits let a program have.
  private static let firstPlaceAxis = 2_000_000_000

  private func nameNumber(_ name: String) -> Int { Int(name.dropFirst()) ?? 0 }

  /// Fetches what the look-up at `place` among the positions reads, for all lanes.
  private mutating func fetch(_ lookUp: LookUp, from place: Axis, _ lanes: LaneContext) {
    let size = dtypes[lookUp.table.position].sizeBytes
    let index = lookUp.index.mapped(
      load: { buffer, type, indices in
        buffer == lookUp.positions
          ? .load(buffer, type, [.axis(place)]) : .load(buffer, type, indices)
      }, index: { $0 })
    let start = "\(name(of: lookUp.table)) + \(text(index))"
    for bytes in stride(from: 0, to: lanes.span * size, by: 64) {
      line("__builtin_prefetch(\(start) + \(bytes / size));")
    }
  }
}

/// A load whose place in `table` is read from `positions`.
private struct LookUp: Hashable {
  var table: BufferID
  var index: Index
  var positions: BufferID
  /// Where the position is.
  var at: Index
}

extension Expression {
  /// The look-ups whose positions follow each other along `axis`.
  fileprivate func lookUps(along axis: Axis) -> [LookUp] {
    var found: [LookUp] = []
    visit { part in
      guard case .load(let table, _, let indices) = part, let index = indices.first else { return }
      var reads: [(buffer: BufferID, at: Index)] = []
      index.visitExpressions { inner in
        if case .load(let buffer, _, let at) = inner { reads.append((buffer, at[0])) }
      }
      guard let read = reads.first, reads.allSatisfy({ $0 == read }) else { return }
      let place = AffineIndex(read.at)
      guard place.isLinear(in: axis), place.coefficient(of: axis) == 1, place.others.isEmpty
      else { return }
      let lookUp = LookUp(table: table, index: index, positions: read.buffer, at: read.at)
      if !found.contains(lookUp) { found.append(lookUp) }
    }
    return found
  }
}
