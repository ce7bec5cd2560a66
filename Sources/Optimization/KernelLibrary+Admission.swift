import CacheStore
package import KernelSpec
import Hardware
package import Trust
import Support

/// What became of a kernel that another machine made.
package enum Admission: Sendable, Hashable {
  /// It was published as this revision.
  case admitted(revision: Int)
  /// The store has it, or one that is newer.
  case known
  case refused(Refusal)

  package enum Refusal: String, Sendable, Hashable, CaseIterable {
    /// No key that is trusted signed it as it is.
    case unsigned
    /// The bytes, the manifest, the evidence or the key do not belong together.
    case inconsistent
    /// Its evidence does not say that it is right.
    case unproven
    /// It failed its verification on this machine.
    case failed
  }
}

/// A record with the bytes that it speaks of.
package struct ReceivedKernel: Sendable, Hashable {
  package var record: SignedRecord
  package var artifact: [UInt8]
  package var source: [UInt8]

  package init(record: SignedRecord, artifact: [UInt8], source: [UInt8]) {
    self.record = record
    self.artifact = artifact
    self.source = source
  }
}

extension KernelLibrary {
  /// What is wrong with a kernel that another machine made; `nil` when it may be published. Changes nothing.
  ///
  /// - Parameter allowsUnsigned: whether nobody need vouch for it.
  package func refusal(of kernel: ReceivedKernel, allowsUnsigned: Bool = false) throws
    -> Admission.Refusal?
  {
    let record = kernel.record
    if !allowsUnsigned {
      let keys = try trust?.ring.accepted() ?? []
      guard record.signer(among: keys) != nil else { return .unsigned }
    }
    guard Digest(of: kernel.artifact) == record.artifact,
      Digest(of: kernel.source) == record.source,
      let (manifest, evidence, _) = CacheStore.decode(
        manifest: record.manifest, evidence: record.evidence, source: kernel.source),
      manifest.digest == record.artifact, evidence.artifact == record.artifact,
      Verdict(rawValue: record.verdict) != nil, key(of: record)?.digest == record.key
    else { return .inconsistent }
    let isProven =
      !evidence.checks.isEmpty
      && evidence.checks.allSatisfy { $0.worstErrorOverTolerance <= 1 && $0.elementsCompared >= 0 }
    return isProven ? nil : .unproven
  }

  /// The key that the record's spec has on the record's hardware.
  private func key(of record: SignedRecord) -> KernelKey? {
    guard let spec = try? check(record.spec) else { return nil }
    return KernelKey(spec: spec, hardware: record.hardware)
  }

  /// Publishes a kernel that another machine made, if it may be believed, and verifies it here as the policy wants.
  ///
  /// A replayed older one is `known`: what the store has is not replaced by what was recorded before it.
  package func admit(_ kernel: ReceivedKernel, origin: String, allowsUnsigned: Bool = false)
    async throws -> Admission
  {
    if let refusal = try refusal(of: kernel, allowsUnsigned: allowsUnsigned) {
      try store.increment(["kernels_refused": 1, "kernels_refused_\(refusal.rawValue)": 1])
      return .refused(refusal)
    }
    let record = kernel.record
    guard let key = key(of: record), let verdict = Verdict(rawValue: record.verdict),
      let (manifest, evidence, source) = CacheStore.decode(
        manifest: record.manifest, evidence: record.evidence, source: kernel.source)
    else { return .refused(.inconsistent) }
    if try isKnown(record, evidence) { return .known }
    let isHere = record.hardware == workshop.hardware.tuning.canonicalText
    let isOnTrial = !isHere || trust?.verifiesNext() ?? true
    let revision = try store.publish(
      key: record.key, spec: record.spec, name: record.name, hardware: record.hardware,
      parts: key.parts.map { StoredKeyPart(name: $0.name, value: $0.value) }, verdict: verdict,
      artifact: Artifact(manifest: manifest, bytes: kernel.artifact), source: source,
      evidence: evidence, searchSeconds: record.searchSeconds, origin: origin,
      isOnTrial: isOnTrial)
    let signatures = Dictionary(
      record.signatures.map { ($0.signer, Array($0.bytes)) },
      uniquingKeysWith: { first, _ in first })
    try store.keepSignatures(signatures, key: record.key, revision: revision)
    try store.increment(["kernels_admitted": 1])
    if isOnTrial, isHere {
      let outcome = try await tryOut(record.key, revision: revision)
      if outcome.verdict != .passed { return .refused(.failed) }
    } else {
      announceChange(of: record.key)
    }
    return .admitted(revision: revision)
  }

  private func isKnown(_ record: SignedRecord, _ evidence: Evidence) throws -> Bool {
    try store.revisions(key: record.key).contains {
      $0.manifest.digest == record.artifact && $0.evidence == evidence
        || $0.evidence.recordedAt >= evidence.recordedAt && $0.withdrawn == nil
    }
  }

  /// What a machine may be told of what is served for a key, signed with the own key where there is one.
  package func shareable(_ key: Digest) throws -> (kernel: ReceivedKernel, revision: Int)? {
    guard let found = try store.shareable(key: key) else { return nil }
    var record = SignedRecord(
      key: key, spec: found.spec, name: found.name, hardware: found.hardware,
      verdict: found.verdict.rawValue, artifact: Digest(of: found.artifact),
      source: Digest(of: found.source), manifest: found.manifest, evidence: found.evidence,
      searchSeconds: found.searchSeconds)
    record.signatures = found.signatures.sorted { $0.key < $1.key }
      .map { SignedRecord.Signature(signer: $0.key, bytes: $0.value) }
    if let own = try trust?.ring.signingKey() { try record.sign(with: own) }
    return (
      ReceivedKernel(record: record, artifact: found.artifact, source: found.source), found.revision
    )
  }
}

extension KernelLibrary {
  /// A kernel that another machine made and that passes its verification here now.
  func kernelFromElsewhere(_ key: KernelKey) async throws -> StoredKernel? {
    guard try store.onTrial(key: key.digest) != nil else { return nil }
    _ = try await tryOut(key.digest, revision: nil)
    return try lookup(key)
  }
}
