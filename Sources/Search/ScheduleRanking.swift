package import KernelSpec

/// Says which schedules are worth compiling, before anything is compiled.
///
/// A search asks it about more schedules than it proposes. It is an input like outcomes are: the same answers give the
/// same path.
package protocol ScheduleRanking {
  /// What each schedule is expected to give, the higher the better, in no particular unit; `nil` for one that breaks
  /// a rule and need not be tried.
  func scores(of schedules: [Schedule]) -> [Double?]
}
