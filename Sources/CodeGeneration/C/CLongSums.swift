import KernelSpec
import TensorProgram

/// Sums of many floating-point values by one accumulator: added up in runs, so that rounding errors grow with
/// the length of a run and the number of runs, and not with the number of values.
extension CWriter {
  mutating func writeLongSum(_ reduction: TileReduction) {
    let run = reduction.axesOfRun
    block("") { writer in
      let totals = writer.declareParts(.sum, reduction.value.dtype)
      let outer = reduction.axes.dropLast(max(run.count, 1))
      writer.nest(outer) { writer in
        guard run.isEmpty, let last = reduction.axes.last else {
          return writer.add(reduction, to: totals, over: { $0.nest(run, $1) })
        }
        writer.nestInRuns(last) { writer, loop in
          writer.add(reduction, to: totals, over: loop)
        }
      }
      writer.forEachCopy { writer, copy in writer.putResult(totals[copy], reduction) }
    }
  }

  private typealias Loop = (inout CWriter, (inout CWriter) -> Void) -> Void

  /// Adds the sum of one run, whose values `loop` goes through, to the totals.
  private mutating func add(_ reduction: TileReduction, to totals: [Part], over loop: Loop) {
    let parts = declareParts(.sum, reduction.value.dtype)
    loop(&self) { writer in
      writer.forEachCopy { writer, copy in
        writer.combine(parts[copy], .sum, reduction.value, position: .constant(0))
      }
    }
    for (total, part) in zip(totals, parts) { line("\(total.best) += \(part.best);") }
  }

  private mutating func nestInRuns(_ axis: Axis, _ body: (inout CWriter, Loop) -> Void) {
    let (type, name) = (dialect.indexType, name(of: axis))
    let (start, length) = ("\(name)_run", longestRun)
    block("for (\(type) \(start) = 0; \(start) < \(axis.extent); \(start) += \(length))") {
      body(&$0) { writer, values in
        let end = "\(name) < \(start) + \(length) && \(name) < \(axis.extent)"
        writer.block("for (\(type) \(name) = \(start); \(end); \(name)++)", values)
      }
    }
  }
}

/// How many values one accumulator adds up before it is emptied.
let longestRun = 1024

extension TileReduction {
  /// Whether one accumulator would add up so many values that rounding errors show.
  var isLongSum: Bool {
    combiner == .sum && value.dtype.isFloatingPoint
      && axes.reduce(1) { $0 * $1.extent } > longestRun
  }

  /// The innermost axes that make up a run; empty when the last axis alone is longer.
  fileprivate var axesOfRun: ArraySlice<Axis> {
    var run = axes[axes.endIndex...]
    var count = 1
    for axis in axes.reversed() {
      count *= max(axis.extent, 1)
      guard count <= longestRun else { break }
      run = axes[(run.startIndex - 1)...]
    }
    return run
  }
}
