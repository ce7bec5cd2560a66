import Testing

/// The suites of this target, one test after the other: each has a daemon that wants the whole
/// machine.
@Suite(.serialized)
enum EndToEnd {}
