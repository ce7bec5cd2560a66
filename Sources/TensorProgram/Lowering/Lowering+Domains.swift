import KernelSpec

extension Lowering {
  /// Notes the values that a buffer may hold, when it is an input or a rearrangement of one.
  func restrict(_ id: BufferID, to domain: InputDomain) {
    guard let input = origins[id] else { return }
    switch (inputDomains[input], domain) {
    case (.index(let known), .index(let bound)): inputDomains[input] = .index(min(known, bound))
    case (.signedIndex(let known), .signedIndex(let bound)):
      inputDomains[input] = .signedIndex(min(known, bound))
    case (.indexOr(let known, _), .index(let bound)),
      (.index(let known), .indexOr(let bound, _)):
      inputDomains[input] = .index(min(known, bound))
    case (.indexOr(let known, let none), .indexOr(let bound, let other)):
      inputDomains[input] =
        none == other ? .indexOr(min(known, bound), none: none) : .index(min(known, bound))
    case (.index(let known), .signedIndex(let bound)),
      (.signedIndex(let bound), .index(let known)):
      inputDomains[input] = .index(min(known, bound))
    case (.index, .positive), (.signedIndex, .positive), (.indexOr, .positive), (_, .any): return
    default: inputDomains[input] = domain
    }
  }
}
