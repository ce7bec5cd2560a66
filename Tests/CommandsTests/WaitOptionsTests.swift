import ArgumentParser
import Testing

@testable import Commands

@Test(
  "--wait takes seconds or none",
  arguments: [
    (["get", "x", "--wait", "30"], ["get", "x", "--wait-seconds", "30"]),
    (["get", "x", "--wait"], ["get", "x", "--wait"]),
    (["get", "--wait", "relu(x: f32[4])"], ["get", "--wait", "relu(x: f32[4])"]),
  ])
func waitTakesSecondsOrNone(given: [String], expected: [String]) {
  #expect(WaitOptions.normalized(given) == expected)
}

@Test("a wait without seconds lasts as long as the timeout")
func waitLastsAsLongAsTheTimeout() throws {
  #expect(try WaitOptions.parse(["--wait"]).milliseconds(timeout: 60) == 60_000)
  #expect(try WaitOptions.parse(["--wait-seconds", "2.5"]).milliseconds(timeout: 60) == 2500)
  #expect(try WaitOptions.parse([]).milliseconds(timeout: 60) == nil)
}
