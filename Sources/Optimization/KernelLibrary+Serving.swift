import CacheStore
import KernelSpec
package import RemoteTiers

extension KernelLibrary {
  /// What a server of `/ac` and `/cas` has of this store: the signed record of a kernel that is served here, or the
  /// bytes with a digest.
  package func sharedValue(at address: RemoteAddress) throws -> [UInt8]? {
    switch address.space {
    case .blobs: return try store.artifact(digest: address.digest)
    case .records:
      guard let key = SharedKernels.masked(address.digest),
        let (kernel, _) = try shareable(key)
      else { return nil }
      return try SharedKernels.result(kernel).encoded()
    }
  }
}
