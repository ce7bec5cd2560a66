import Glibc
import Support

/// Says how far a long run is, on standard error, which nobody holds back.
package func tell(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = write(STDERR_FILENO, line, line.count)
}

/// Says how far a long run is, but not more often than twice a minute.
package struct Telling {
  private static let seconds = 30.0
  private var last = SystemTime().monotonicSeconds

  package init() {}

  package mutating func tell(_ text: @autoclosure () -> String) {
    let now = SystemTime().monotonicSeconds
    guard now - last >= Self.seconds else { return }
    last = now
    TestSupport.tell(text())
  }
}

/// Which share of a long run a process does: `GRANARY_PART=2/4` is the second of four.
package struct Part: Sendable {
  private let number: Int
  private let count: Int

  package init() {
    let words = (getenv("GRANARY_PART").map { String(cString: $0) } ?? "").split(separator: "/")
      .compactMap { Int($0) }
    guard words.count == 2, words[0] >= 1, words[0] <= words[1] else {
      (number, count) = (1, 1)
      return
    }
    (number, count) = (words[0], words[1])
  }

  package func has(_ position: Int) -> Bool { position % count == number - 1 }
}
