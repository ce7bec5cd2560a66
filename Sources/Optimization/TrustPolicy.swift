package import Trust

/// What is believed of kernels that other machines made.
package struct TrustPolicy: Sendable {
  /// How many of them are verified here before they are first served.
  package enum Verification: String, Sendable, Hashable, CaseIterable {
    case never
    /// One in eight, chosen at random.
    case sample
    case always
  }

  package var ring: KeyRing
  package var verification: Verification

  package init(ring: KeyRing, verification: Verification = .always) {
    self.ring = ring
    self.verification = verification
  }

  /// Whether the next one is verified.
  func verifiesNext() -> Bool {
    switch verification {
    case .never: false
    case .sample: Int.random(in: 0..<8) == 0
    case .always: true
    }
  }
}
