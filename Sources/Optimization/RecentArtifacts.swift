import KernelSpec
import Synchronization

/// The artifacts of a few sources that were compiled last.
final class RecentArtifacts: Sendable {
  private static let capacity = 8
  private let kept = Mutex<[(source: KernelSource, artifact: Artifact)]>([])

  subscript(source: KernelSource) -> Artifact? {
    kept.withLock { kept in kept.first { $0.source == source }?.artifact }
  }

  func keep(_ artifact: Artifact, of source: KernelSource) {
    kept.withLock { kept in
      kept.append((source, artifact))
      if kept.count > Self.capacity { kept.removeFirst() }
    }
  }
}
