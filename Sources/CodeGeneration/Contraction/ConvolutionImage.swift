import Hardware
import KernelSpec
import TensorProgram

/// The image of a convolution, copied so that the columns of the product lie behind each other in memory and each
/// step of the depth is one distance from there.
///
/// A copy of a channel has the padding as elements, one row behind the other, and as many images as there are
/// remainders of the taps' places by the stride. Its rows are a little longer than those of the result, and the
/// product is formed for the whole of them: what it gives beyond the result's columns is dropped.
struct ConvolutionImage {
  /// The product, whose last axis of columns runs over the rows of the copy.
  let contraction: Contraction
  let window: SlidingWindow
  /// The axes of the depth that are no taps.
  private let channels: [Axis]
  /// The axes of the batch that the image depends on.
  let batch: [Axis]
  private let rows: Placement
  private let columns: Placement

  /// Where elements of one direction lie in the copy.
  private struct Placement {
    let side: SlidingWindow.Side
    /// The remainders, by the stride, of the places of taps; each has an image of its own.
    let phases: [Int]
    /// The elements of a phase that are copied.
    let extents: [Int]

    init(_ side: SlidingWindow.Side) {
      self.side = side
      let places = (0..<side.taps).map { $0 * side.dilation }
      let phases = Set(places.map { $0 % side.stride }).sorted()
      self.phases = phases
      extents = phases.map { phase in
        let last = places.filter { $0 % side.stride == phase }.map { $0 / side.stride }.max() ?? 0
        return side.axis.extent + last
      }
    }

    var extent: Int { extents.max() ?? side.axis.extent }

    /// The phase of a tap, and how far its first element is from the start.
    func place(tap: Int) -> (phase: Int, start: Int) {
      let place = tap * side.dilation
      return (phases.firstIndex(of: place % side.stride) ?? 0, place / side.stride)
    }
  }

  /// More steps of the depth would make a long table of distances.
  private static let mostSteps = 16384
  private static let mostBytes = 128 << 20

  init?(_ contraction: Contraction) {
    let axes = contraction.columns.filter { $0.extent != 1 }
    let taps = contraction.depth.filter { $0.extent != 1 }
    guard let last = axes.last, (1...2).contains(axes.count),
      contraction.depth.extent <= Self.mostSteps,
      contraction.accumulator == .f32 || contraction.accumulator == .f64,
      let window = SlidingWindow(
        contraction.right, along: axes, column: last, always: Set(axes), taps: taps),
      window.sides.count == axes.count,
      window.sides.contains(where: { $0.tap != nil || $0.stride > 1 })
    else { return nil }
    self.window = window
    columns = Placement(window.columns)
    rows = Placement(
      window.rows
        ?? SlidingWindow.Side(
          axis: Axis(id: last.id, extent: 1), tap: nil, stride: 1, dilation: 1))
    channels = taps.filter { axis in !window.sides.contains { $0.tap == axis } }
    let used = contraction.right.axes
    batch = contraction.loopedBatch.filter(used.contains)
    self.contraction = contraction.widening(last, to: columns.extent)
    guard elements * contraction.accumulator.sizeBytes <= Self.mostBytes else { return nil }
  }

  /// The columns of the result's rows, where ``contraction`` has more of them.
  var visibleColumns: Int? {
    columns.extent > columns.side.axis.extent ? columns.side.axis.extent : nil
  }

  /// The columns of the product up to the last of the result.
  var columnCount: Int {
    (rows.side.axis.extent - 1) * columns.extent + columns.side.axis.extent
  }

  // MARK: - Memory

  /// The elements of a row of a channel.
  var rowElements: Int { columns.extent }
  /// The elements of a channel.
  var planeElements: Int {
    rows.phases.count * columns.phases.count * rows.extent * columns.extent
  }
  var matrixElements: Int { channels.extent * planeElements }
  private var elements: Int { batch.extent * matrixElements }

  /// What the copy takes, with `slack` elements that the last register tile may read.
  func bytes(slack: Int) -> Int {
    roundUp((elements + slack) * contraction.accumulator.sizeBytes, to: 64)
  }

  /// The distance of each step of the depth from the first.
  var distances: [Int] {
    let depth = contraction.depth
    return (0..<depth.extent).map { step in
      var (inner, distance, channel) = (depth.extent, 0, 0)
      for axis in depth {
        inner /= axis.extent
        let index = step / inner % axis.extent
        if axis == rows.side.tap {
          let (phase, start) = rows.place(tap: index)
          distance += (phase * columns.phases.count * rows.extent + start) * columns.extent
        } else if axis == columns.side.tap {
          let (phase, start) = columns.place(tap: index)
          distance += phase * rows.extent * columns.extent + start
        } else if axis.extent != 1 {
          channel = channel * axis.extent + index
        }
      }
      return distance + channel * planeElements
    }
  }

  // MARK: - The copy

  /// The kernel that makes the copy, into memory that the kernel's phases share.
  func copy(name: String, site: KernelSite) -> KernelText {
    var program = site.program
    let image = BufferID(program.buffers.count)
    let type = contraction.accumulator
    program.buffers.append(Buffer(name: "image", type: TensorType(type, [])))
    let threads = max(site.hardware.tuning.threads, 1)
    let grid = (batch + channels).map { GridAxis(axis: $0, tile: 1) }
    let first = 1 + (site.kernel.outer + contraction.depth).reduce(0) { max($0, $1.id) }
    var kernel = TileKernel(
      name: name, grid: grid, blocks: 1, scratch: [],
      body: phases(into: image, program, firstFreshAxis: first, lanes: lanes(site)))
    kernel.blocks = max(1, min(kernel.gridCount, threads * 8))
    return CRenderer(
      FusedProgram(program: program, kernels: []), threads: threads, shared: image
    ).text(of: kernel)
  }

  private func lanes(_ site: KernelSite) -> Int {
    max(site.hardware.tuning.vectorBytes / contraction.accumulator.sizeBytes, 1)
  }

  /// One nest of loops for each phase of rows and of columns.
  private func phases(
    into image: BufferID, _ program: TensorProgram, firstFreshAxis: Int, lanes: Int
  ) -> [TileStatement] {
    var statements: [TileStatement] = []
    for (down, rowPhase) in rows.phases.enumerated() {
      for (along, columnPhase) in columns.phases.enumerated() {
        let row = Axis(id: firstFreshAxis, extent: rows.extents[down])
        let column = Axis(id: firstFreshAxis + 1, extent: columns.extents[along])
        let value = window.at(
          row: .sum(.product(.axis(row), rows.side.stride), .constant(rowPhase)),
          column: .sum(.product(.axis(column), columns.side.stride), .constant(columnPhase)),
          window.element)
        let plane = (down * columns.phases.count + along) * rows.extent * columns.extent
        let index = (batch + channels).reduce(Index.constant(0)) {
          .sum(.product($0, $1.extent), .axis($1))
        }
        let place = Index.sum(
          .product(.axis(row), columns.extent), .sum(.axis(column), .constant(plane)))
        let stage = FlatKernel.FlatStage(
          output: image, outputType: contraction.accumulator,
          index: AffineIndex(.sum(.product(index, planeElements), place)).index, rest: [],
          body: .map(flat(value, program)))
        let parts = GuardSplitting(axis: column, program: program).split([stage])
        statements.append(
          .loop(
            TileLoop(axis: row, range: 0..<row.extent),
            parts.map { Self.loop(column, $0, storing: $1, lanes: lanes) }))
      }
    }
    return statements
  }

  private static func loop(
    _ axis: Axis, _ range: Range<Int>, storing stages: [FlatKernel.FlatStage], lanes: Int
  ) -> TileStatement {
    .loop(
      TileLoop(axis: axis, range: range, widest: lanes),
      stages.map {
        .store(TileStore(output: $0.output, index: $0.index, value: $0.body.value))
      })
  }

  private func flat(_ value: Expression, _ program: TensorProgram) -> Expression {
    value.mapped(load: { buffer, type, indices in
      let strides = program[buffer].type.resolvedStrides
      return .load(buffer, type, [AffineIndex(indices, strides: strides).index])
    })
  }
}

extension TileLoop {
  /// A loop that stores with the widest vectors, up to `lanes`, that its range fills; the last may overlap the
  /// one before it.
  init(axis: Axis, range: Range<Int>, widest lanes: Int) {
    var width = lanes
    while width > range.count { width /= 2 }
    self.init(axis: axis, range: range, lanes: width >= 4 ? width : 1, overlapsItself: true)
  }
}
