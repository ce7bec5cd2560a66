extension CompatibilityIdentity {
  /// Whether a kernel that needs `features` and was built for `architecture` is safe to run here.
  package func permits(required features: [String], architecture: String) -> Bool {
    architecture == self.architecture && Set(features).isSubset(of: self.features)
  }
}
