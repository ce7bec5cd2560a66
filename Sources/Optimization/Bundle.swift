import CacheStore
package import KernelSpec
import Support
import Trust

/// Kernels with their signed records in one archive: `records/<key>.json`, and every artifact and source once as
/// `blobs/<digest>`.
package struct Bundle: Sendable, Hashable {
  package var kernels: [ReceivedKernel]

  package init(kernels: [ReceivedKernel]) { self.kernels = kernels }

  package func encoded() throws -> [UInt8] {
    var members: [Archive.Member] = []
    var blobs: Set<Digest> = []
    for kernel in kernels {
      let record = kernel.record
      members.append(.init(name: "records/\(record.key).json", bytes: try record.encoded()))
      for (digest, bytes) in [(record.artifact, kernel.artifact), (record.source, kernel.source)]
      where blobs.insert(digest).inserted {
        members.append(.init(name: "blobs/\(digest)", bytes: bytes))
      }
    }
    return try Archive.encode(members)
  }

  /// Reads an archive and checks that every part of it is there and every blob has its digest. Signatures are not
  /// looked at.
  ///
  /// - Throws: `bad-archive`.
  package init(decoding bytes: [UInt8]) throws {
    var records: [SignedRecord] = []
    var blobs: [Digest: [UInt8]] = [:]
    for member in try Archive.decode(bytes) {
      if member.name.hasPrefix("blobs/"),
        let digest = Digest(hex: String(member.name.dropFirst(6))),
        Digest(of: member.bytes) == digest
      {
        blobs[digest] = member.bytes
      } else if member.name.hasPrefix("records/"), let record = SignedRecord.decode(member.bytes),
        member.name == "records/\(record.key).json"
      {
        records.append(record)
      } else {
        throw Self.damaged("\(member.name) is not what its name says")
      }
    }
    kernels = try records.map { record in
      guard let artifact = blobs[record.artifact], let source = blobs[record.source] else {
        throw Self.damaged("\(record.name) (\(record.key)) lacks its bytes")
      }
      return ReceivedKernel(record: record, artifact: artifact, source: source)
    }
  }

  private static func damaged(_ what: String) -> GranaryError {
    GranaryError(.badArchive, "the bundle cannot be read: \(what)", responsible: .input)
  }
}

/// What became of the kernels of a bundle.
package struct BundleAdmission: Sendable, Hashable {
  package var admitted = 0
  package var known = 0
  /// Those that failed their verification here.
  package var failed: [String] = []
}

extension KernelLibrary {
  /// A bundle of what is served for some keys; those that serve nothing are left out.
  ///
  /// - Throws: `environment` when nothing signs, unless unsigned ones are wanted.
  package func exportBundle(_ keys: [Digest], allowsUnsigned: Bool) throws(OptimizationError)
    -> [UInt8]
  {
    do {
      if !allowsUnsigned, try trust?.ring.signingKey() == nil {
        throw OptimizationError(
          .environment,
          "there is no key to sign with; 'granary keys generate' makes one, --unsigned does without"
        )
      }
      return try Bundle(kernels: try keys.compactMap { try shareable($0)?.kernel }).encoded()
    } catch let error as OptimizationError {
      throw error
    } catch {
      throw OptimizationError(storing: error)
    }
  }

  /// Takes in the kernels of a bundle. All of them are checked before anything is written: one that may not be
  /// believed refuses the whole bundle.
  ///
  /// - Parameter dryRun: only check, and tell what is known already.
  /// - Throws: `conflict` that names what may not be believed.
  package func importBundle(_ bytes: [UInt8], allowsUnsigned: Bool, dryRun: Bool)
    async throws(OptimizationError) -> BundleAdmission
  {
    do {
      let bundle = try Bundle(decoding: bytes)
      for kernel in bundle.kernels {
        if let refusal = try refusal(of: kernel, allowsUnsigned: allowsUnsigned) {
          throw OptimizationError(.conflict, Self.sentence(refusal, kernel.record))
        }
      }
      var result = BundleAdmission()
      for kernel in bundle.kernels {
        if dryRun {
          result.admitted += 1
          continue
        }
        switch try await admit(kernel, origin: "bundle", allowsUnsigned: allowsUnsigned) {
        case .admitted: result.admitted += 1
        case .known: result.known += 1
        case .refused: result.failed.append("\(kernel.record.name) (\(kernel.record.key))")
        }
      }
      return result
    } catch let error as OptimizationError {
      throw error
    } catch let error as GranaryError where error.responsible == .input {
      throw OptimizationError(.badSpec, error.message)
    } catch {
      throw OptimizationError(storing: error)
    }
  }

  private static func sentence(_ refusal: Admission.Refusal, _ record: SignedRecord) -> String {
    let what =
      switch refusal {
      case .unsigned: "no key that is trusted here signed it as it is; see 'granary keys trust'"
      case .inconsistent: "its key, bytes, manifest and evidence do not belong together"
      case .unproven: "its evidence does not say that it is right"
      case .failed: "it failed its verification"
      }
    return "\(record.name) (\(record.key)): \(what); nothing of the bundle was taken in"
  }
}
