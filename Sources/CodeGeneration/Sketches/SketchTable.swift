/// Every sketch, most fitting first: the first that matches a kernel gives its baseline.
enum SketchTable {
  static let all: [any Sketch] = [
    OrderedSketch(), RecurrenceSketch(), ConvolutionSketch(), ContractionSketch(),
    SplitReductionSketch(),
    WindowSketch(),
    TiledSketch.pointwise, TiledSketch.scan, TiledSketch.gatherReduce, TiledSketch.window,
    TiledSketch.rowResident, TiledSketch.reduction, TiledSketch.loopNest,
  ]
}
