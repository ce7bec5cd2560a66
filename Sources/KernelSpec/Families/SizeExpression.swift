/// An integer that depends on open sizes: a polynomial with integer coefficients, such as `12*s0*s1+3`.
///
/// Symbols are known by position. In JSON it is its text.
public struct SizeExpression: Sendable, Hashable {
  /// Terms with coefficients other than zero, by degree from the highest, then by symbols.
  public private(set) var terms: [Term]

  public struct Term: Sendable, Hashable {
    public var coefficient: Int
    /// The symbols that are multiplied, in order, one as often as its power says.
    public var symbols: [Int]

    public init(_ coefficient: Int, _ symbols: [Int] = []) {
      self.coefficient = coefficient
      self.symbols = symbols
    }
  }

  public init(_ terms: [Term]) {
    self.terms = terms.filter { $0.coefficient != 0 }.sorted {
      $0.symbols.count != $1.symbols.count
        ? $0.symbols.count > $1.symbols.count : $0.symbols.lexicographicallyPrecedes($1.symbols)
    }
  }

  /// A constant.
  public init(_ value: Int) { self.init([Term(value)]) }

  /// The value of an expression without symbols; `nil` for another.
  public var constant: Int? {
    terms.isEmpty ? 0 : terms.count == 1 && terms[0].symbols.isEmpty ? terms[0].coefficient : nil
  }

  /// The symbol that the expression is, without anything else; `nil` for another.
  public var symbol: Int? {
    guard terms.count == 1, terms[0].coefficient == 1, terms[0].symbols.count == 1 else {
      return nil
    }
    return terms[0].symbols[0]
  }

  /// The value at `sizes`, one for each symbol; `nil` beyond 64 bits or for a symbol without a size.
  public func value(at sizes: [Int]) -> Int? {
    var sum = 0
    for term in terms {
      var product = term.coefficient
      for symbol in term.symbols {
        guard sizes.indices.contains(symbol) else { return nil }
        let (result, overflow) = product.multipliedReportingOverflow(by: sizes[symbol])
        if overflow { return nil }
        product = result
      }
      let (result, overflow) = sum.addingReportingOverflow(product)
      if overflow { return nil }
      sum = result
    }
    return sum
  }

  /// The expression with the names of the symbols: `12*n*m+3`.
  public func text(_ name: (Int) -> String) -> String {
    if terms.isEmpty { return "0" }
    return terms.enumerated().map { position, term in
      let factors = term.symbols.map(name)
      let isPlain = term.coefficient == 1 && !factors.isEmpty
      let product = ((isPlain ? [] : ["\(term.coefficient)"]) + factors).joined(separator: "*")
      return position > 0 && term.coefficient >= 0 ? "+\(product)" : product
    }.joined()
  }

  /// The name of a symbol in canonical texts.
  public static func canonicalName(_ symbol: Int) -> String { "s\(symbol)" }
}

extension SizeExpression: CustomStringConvertible {
  public var description: String { text(Self.canonicalName) }

  /// Reads what `description` writes.
  public init?(_ text: String) {
    var terms: [Term] = []
    var rest = Substring(text)
    while !rest.isEmpty {
      if rest.first == "+" { rest = rest.dropFirst() }
      // A sign other than the term's own begins the next term.
      let end = rest.dropFirst().firstIndex { $0 == "+" || $0 == "-" } ?? rest.endIndex
      var term = Term(1)
      for factor in rest[..<end].split(separator: "*", omittingEmptySubsequences: false) {
        if factor.first == "s", let symbol = Int(factor.dropFirst()), symbol >= 0 {
          term.symbols.append(symbol)
        } else if let value = Int(factor), term.symbols.isEmpty {
          term.coefficient = value
        } else {
          return nil
        }
      }
      terms.append(term)
      rest = rest[end...]
    }
    guard !terms.isEmpty else { return nil }
    self.init(terms)
  }
}

extension SizeExpression: Codable {
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let expression = Self(text) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a size: \(text)")
    }
    self = expression
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

/// A tensor type whose extents and strides may depend on open sizes.
public struct OpenTensorType: Sendable, Hashable, Codable {
  public var dtype: DType
  public var shape: [SizeExpression]
  /// `nil` for a contiguous tensor.
  public var strides: [SizeExpression]?

  public init(_ dtype: DType, _ shape: [SizeExpression], strides: [SizeExpression]? = nil) {
    self.dtype = dtype
    self.shape = shape
    self.strides = strides
  }

  /// The type at `sizes`; `nil` when an extent does not fit into 64 bits there.
  public func type(at sizes: [Int]) -> TensorType? {
    let extents = shape.compactMap { $0.value(at: sizes) }
    guard extents.count == shape.count else { return nil }
    guard let strides else { return TensorType(dtype, extents) }
    let distances = strides.compactMap { $0.value(at: sizes) }
    return distances.count == strides.count ? TensorType(dtype, extents, strides: distances) : nil
  }

  /// The written form with the names of the symbols, for example `f32[n,1024]`.
  public func text(_ name: (Int) -> String) -> String {
    func list(_ parts: [SizeExpression]) -> String {
      parts.map { $0.text(name) }.joined(separator: ",")
    }
    return "\(dtype.rawValue)[\(list(shape))]" + (strides.map { "{\(list($0))}" } ?? "")
  }
}
