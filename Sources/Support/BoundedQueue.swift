/// A first-in, first-out queue that refuses elements when it is full.
///
/// Any number of tasks may offer; one task takes, with `for await`.
package struct BoundedQueue<Element: Sendable>: Sendable, AsyncSequence {
  private let stream: AsyncStream<Element>
  private let continuation: AsyncStream<Element>.Continuation

  package init(capacity: Int) {
    (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(capacity))
  }

  /// - Returns: whether the element was taken: `false` when the queue is full or finished.
  package func offer(_ element: Element) -> Bool {
    if case .enqueued = continuation.yield(element) { true } else { false }
  }

  /// Ends the sequence after the elements that are in it.
  package func finish() { continuation.finish() }

  package func makeAsyncIterator() -> AsyncStream<Element>.Iterator { stream.makeAsyncIterator() }
}
