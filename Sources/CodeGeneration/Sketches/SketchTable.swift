/// Every sketch, most fitting first: the first that matches a kernel, and is no mere alternative there, gives its
/// baseline.
enum SketchTable {
  static let all: [any Sketch] = [
    OrderedSketch(), RecurrenceSketch(), WinogradSketch(), ConvolutionSketch(), ContractionSketch(),
    SplitReductionSketch(),
    WindowSketch(),
    TiledSketch.pointwise, TiledSketch.scan, TiledSketch.gatherReduce, TiledSketch.window,
    TiledSketch.rowResident, TiledSketch.reduction, TiledSketch.loopNest,
  ]
}
