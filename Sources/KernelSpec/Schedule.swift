/// How to compute a program: a sketch and its parameters for each kernel.
///
/// A schedule is plain data, so that a search can edit it, a store can keep it and another machine can
/// replay it. What the parameters mean is known to code generation alone.
public struct Schedule: Sendable, Hashable, Codable {
  /// One element for each kernel of the fused program, in execution order.
  public var kernels: [KernelSchedule]
  /// Parameters of the build as a whole, such as the compiler's optimisation level.
  public var build: [String: Int]

  public init(kernels: [KernelSchedule], build: [String: Int] = [:]) {
    self.kernels = kernels
    self.build = build
  }
}

/// The structure of one kernel and its parameters.
public struct KernelSchedule: Sendable, Hashable, Codable {
  /// The name of the sketch: `pointwise`, `reduction`, `row-resident`, `contraction`…
  public var sketch: String
  /// Tile sizes, unroll factors, switches (0 or 1), by name.
  public var parameters: [String: Int]

  public init(sketch: String, parameters: [String: Int]) {
    self.sketch = sketch
    self.parameters = parameters
  }
}

/// Every schedule that code generation offers for one program on one kind of hardware.
///
/// Not every combination is legal: code generation rejects those that break a rule across parameters.
public struct ScheduleSpace: Sendable, Hashable, Codable {
  public var kernels: [KernelSpace]
  public var build: [ParameterDomain]

  public init(kernels: [KernelSpace], build: [ParameterDomain] = []) {
    self.kernels = kernels
    self.build = build
  }

  /// The schedule made of every first sketch with its default parameters: the baseline.
  public var defaultSchedule: Schedule {
    Schedule(kernels: kernels.map { $0.sketches[0].defaultSchedule }, build: build.defaults)
  }
}

/// The sketches that fit one kernel.
public struct KernelSpace: Sendable, Hashable, Codable {
  /// What the kernel does, for people and for matching across specs: for example `contraction 1024x1024x1024`.
  public var name: String
  /// At least one; the first is the baseline's.
  public var sketches: [SketchSpace]

  public init(name: String, sketches: [SketchSpace]) {
    self.name = name
    self.sketches = sketches
  }
}

/// The parameters of one sketch.
public struct SketchSpace: Sendable, Hashable, Codable {
  public var sketch: String
  public var parameters: [ParameterDomain]

  public init(sketch: String, parameters: [ParameterDomain]) {
    self.sketch = sketch
    self.parameters = parameters
  }

  /// The sketch with its default parameters.
  public var defaultSchedule: KernelSchedule {
    KernelSchedule(sketch: sketch, parameters: parameters.defaults)
  }
}

/// The values that one parameter may take.
public struct ParameterDomain: Sendable, Hashable, Codable {
  public var name: String
  /// The legal values in a meaningful order, so that neighbours are small steps.
  public var values: [Int]
  public var defaultValue: Int
  /// Whether the parameter is an axis of diversity in a MAP-Elites archive (tiling, vector width, staging).
  public var isFeature: Bool

  public init(_ name: String, _ values: [Int], default defaultValue: Int, isFeature: Bool = false) {
    self.name = name
    self.values = values
    self.defaultValue = defaultValue
    self.isFeature = isFeature
  }
}

extension [ParameterDomain] {
  var defaults: [String: Int] {
    Dictionary(uniqueKeysWithValues: map { ($0.name, $0.defaultValue) })
  }
}
