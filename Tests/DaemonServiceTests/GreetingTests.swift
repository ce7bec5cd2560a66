import DaemonAPI
import Testing

@Test("a client knows how long the daemon waits on purpose")
func secondsOfWaiting() {
  let tuning = Greeting(
    version: "1", processIdentifier: 1, startedAt: 0, defaultPolicy: .tuned,
    tunedDeadlineSeconds: 120)
  #expect(tuning.secondsOfWaiting(policy: nil) == 120)
  #expect(tuning.secondsOfWaiting(policy: .baseline) == nil)
  let plain = Greeting(
    version: "1", processIdentifier: 1, startedAt: 0, defaultPolicy: .baseline,
    tunedDeadlineSeconds: 90)
  #expect(plain.secondsOfWaiting(policy: nil) == nil)
  #expect(plain.secondsOfWaiting(policy: .tuned) == 90)
  let old = Greeting(version: "0", processIdentifier: 1, startedAt: 0)
  #expect(old.secondsOfWaiting(policy: .tuned) == nil)
}
