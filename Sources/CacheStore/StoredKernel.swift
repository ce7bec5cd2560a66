package import KernelSpec
package import Support

/// A named part of a kernel key, kept so that two keys can be compared.
package struct StoredKeyPart: Sendable, Hashable, Codable {
  package var name: String
  package var value: String

  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// What is served for a key.
package struct StoredKernel: Sendable, Hashable {
  package var key: Digest
  /// Counts from 1 for each key and never repeats.
  package var revision: Int
  package var verdict: Verdict
  package var artifact: Artifact
  package var evidence: Evidence
  /// Where it came from; empty when it was made here.
  package var origin = ""
}

/// A revision without its bytes.
package struct StoredRevision: Sendable, Hashable {
  package var number: Int
  package var verdict: Verdict
  package var manifest: Artifact.Manifest
  package var evidence: Evidence
  /// Seconds since 1970.
  package var created: Double
  package var searchSeconds: Double
  /// Why it is never served again.
  package var withdrawn: String?
  /// Where it came from; empty when it was made here.
  package var origin = ""
  /// Whether it must pass its verification here before it is served.
  package var isOnTrial = false
  /// When its evidence was last repeated, in seconds since 1970.
  package var verified: Double?
}

/// What keeps an entry from being collected.
package enum EntryProtection: String, Sendable, Hashable, CaseIterable {
  case pin, lease, search
  case lockFile = "lock-file"
}

/// What the store knows about a key.
package struct StoredEntry: Sendable, Hashable {
  package var key: Digest
  /// The canonical text of the spec.
  package var spec: String
  package var name: String
  package var hardware: String
  /// Who the entry belongs to; empty when it is everybody's.
  package var namespace: String
  package var parts: [StoredKeyPart]
  package var created: Double
  package var lastUsed: Double
  package var useCount: Int
  /// What keeps it from being collected.
  package var protection: Set<EntryProtection>
  /// The revision that is served whatever is found later.
  package var pinnedRevision: Int?
  /// The newest revision.
  package var revision: Int
  package var verdict: Verdict
  /// The size of the newest revision's artifact, before compression; 0 when its blob is gone.
  package var artifactBytes: Int
}

extension GranaryError.Code {
  /// Another process has the store open.
  package static let storeLocked = Self(rawValue: "store-locked")
  /// The store was written by a newer Granary.
  package static let storeTooNew = Self(rawValue: "store-too-new")
  /// The database cannot be read; reopening the store rebuilds it.
  package static let storeDamaged = Self(rawValue: "store-damaged")
  /// The hard limit leaves no room for more.
  package static let storeFull = Self(rawValue: "store-full")
  /// The store was closed while it was still asked: its owner stops.
  package static let storeClosed = Self(rawValue: "store-closed")
  /// The database refused an operation.
  package static let storeFailed = Self(rawValue: "store-failed")
  /// There is no such entry, revision or search, or a prefix names several.
  package static let storeNotFound = Self(rawValue: "store-not-found")
  /// A defect: evidence or manifest about other bytes, or a library that fails.
  package static let storeInternal = Self(rawValue: "store-internal")
}
