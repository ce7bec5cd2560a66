/// Makes a spec of parsed JSON. Keys that it does not know are ignored, so that tools can add their
/// own.
struct SpecDecoder {
  let bytes: [UInt8]
  private var sizes: OpenSizeValues

  static func decode(_ value: JSONValue, bytes: [UInt8], at sizes: [String: Int64]?)
    throws(SpecError) -> Spec
  {
    var decoder = SpecDecoder(bytes: bytes, sizes: OpenSizeValues(given: sizes))
    return try decoder.spec(value)
  }

  private mutating func spec(_ value: JSONValue) throws(SpecError) -> Spec {
    let members = try object(value, "the spec")
    if let symbols = members["symbols"] { try readSymbols(symbols) }
    let version = try required(members, "granary_spec", in: value)
    guard case .integer(1) = version.kind else {
      throw error(version, "an unknown version of the format", expected: "\"granary_spec\": 1")
    }
    var name: String?
    if let label = members["name"] {
      name = try string(label, "name")
      guard label.isNotLongerThan(SpecLimits.nameBytes) else {
        throw error(label, "the name is too long", expected: "\(SpecLimits.nameBytes) bytes")
      }
    }
    let inputs = try inputs(try array(try required(members, "inputs", in: value), "inputs"))
    var nodes: [Spec.Node] = []
    for element in try array(try required(members, "nodes", in: value), "nodes") {
      nodes.append(try node(element))
    }
    var outputs: [Spec.Reference] = []
    for element in try array(try required(members, "outputs", in: value), "outputs") {
      guard case .reference(let reference) = try argument(element) else {
        throw error(element, "an output is \(element.kindName)", expected: "a value, \"%name\"")
      }
      outputs.append(reference)
    }
    var spec = Spec(
      name: name, inputs: inputs, nodes: nodes, outputs: outputs,
      numerics: try members["numerics"].map(numerics) ?? NumericPolicy())
    spec.source.bytes = bytes
    spec.symbols = sizes.open
    return spec
  }

  private func inputs(_ elements: [JSONValue]) throws(SpecError) -> [Spec.Input] {
    var inputs: [Spec.Input] = []
    var faults: [SpecError] = []
    for element in elements {
      do { inputs.append(try input(element)) } catch { faults.append(error) }
    }
    if let fault = faults.joined { throw fault }
    return inputs
  }

  private mutating func readSymbols(_ list: JSONValue) throws(SpecError) {
    for element in try array(list, "symbols") {
      let members = try object(element, "a symbol")
      let written = try required(members, "name", in: element)
      let range = try required(members, "range", in: element)
      let ends = try array(range, "range")
      guard ends.count == 2, case .integer(let lower) = ends[0].kind,
        case .integer(let upper) = ends[1].kind
      else { throw error(range, "a range is no pair of integers", expected: "[1, 4096]") }
      var step: Int64 = 1
      if let given = members["step"] {
        guard case .integer(let value) = given.kind else {
          throw error(given, "a step is \(given.kindName)", expected: "an integer")
        }
        step = value
      }
      do {
        try sizes.declare(try string(written, "a name"), (lower, upper, step))
      } catch {
        throw error.placed(at: .init(of: element.offset, in: bytes))
      }
    }
  }

  /// `{"size": "12*n"}`.
  private func size(_ members: [JSONValue.Member], _ value: JSONValue) throws(SpecError)
    -> Spec.Argument
  {
    guard !sizes.values.isEmpty, members.count == 1, members[0].key == "size" else {
      throw error(value, "an argument is an object", expected: "a value or a list")
    }
    let text = try string(members[0].value, "a size")
    do {
      return .integer(try sizes.value(parsing: text))
    } catch {
      var placed = error.within("the size \"\(text)\"")
      placed.position = .init(of: members[0].value.offset, in: bytes)
      throw placed
    }
  }

  private func input(_ value: JSONValue) throws(SpecError) -> Spec.Input {
    let members = try object(value, "an input")
    let type = try required(members, "type", in: value)
    let name = try self.name(try required(members, "name", in: value))
    do {
      var input = Spec.Input(
        name: name, type: try TensorType(parsing: try string(type, "type"), sizes: sizes.values))
      input.place.offset = value.offset
      return input
    } catch {
      var placed = error.within("the type of \(name)")
      placed.position = .init(of: type.offset, in: bytes)
      throw placed
    }
  }

  private func node(_ value: JSONValue) throws(SpecError) -> Spec.Node {
    let members = try object(value, "a node")
    var arguments: [String: Spec.Argument] = [:]
    let given = try object(try required(members, "args", in: value), "args")
    for (name, argument) in given { arguments[name] = try self.argument(argument) }
    var node = Spec.Node(
      id: try name(try required(members, "id", in: value)),
      op: try string(try required(members, "op", in: value), "op"), arguments: arguments)
    node.place.offset = value.offset
    return node
  }

  private func numerics(_ value: JSONValue) throws(SpecError) -> NumericPolicy {
    let members = try object(value, "numerics")
    return NumericPolicy(
      rtol: try members["rtol"].map(tolerance), atol: try members["atol"].map(tolerance))
  }

  private func tolerance(_ value: JSONValue) throws(SpecError) -> Double {
    let number: Double? =
      switch value.kind {
      case .integer(let integer): Double(integer)
      case .real(let real): real
      default: nil
      }
    guard let number, number >= 0 else {
      throw error(value, "a tolerance is \(value.kindName)", expected: "a number of at least 0")
    }
    return number
  }

  private func argument(_ value: JSONValue) throws(SpecError) -> Spec.Argument {
    switch value.kind {
    case .null: return .none
    case .boolean(let flag): return .boolean(flag)
    case .integer(let integer): return .integer(integer)
    case .real(let real): return .real(real)
    case .string(let text):
      return text.hasPrefix("%") ? .reference(try reference(text, value)) : .string(text)
    case .array(let elements):
      var list: [Spec.Argument] = []
      for element in elements { list.append(try argument(element)) }
      return .list(list)
    case .object(let members): return try size(members, value)
    }
  }

  private func reference(_ text: String, _ value: JSONValue) throws(SpecError) -> Spec.Reference {
    let parts = text.dropFirst().split(separator: "#", omittingEmptySubsequences: false)
    guard let name = parts.first, !name.isEmpty, parts.count <= 2 else {
      throw error(value, "\"\(text)\" is no reference", expected: "\"%name\" or \"%name#1\"")
    }
    var reference = Spec.Reference(String(name))
    reference.place.offset = value.offset
    guard parts.count == 2 else { return reference }
    guard let result = Int(parts[1]), (0...SpecLimits.listElements).contains(result) else {
      throw error(value, "\"\(text)\" is no reference", expected: "\"%name\" or \"%name#1\"")
    }
    reference.result = result
    return reference
  }

  private func name(_ value: JSONValue) throws(SpecError) -> String {
    let name = try string(value, "a name")
    do { try SpecLimits.check(name: name) } catch {
      throw error.placed(at: .init(of: value.offset, in: bytes))
    }
    return name
  }

  private func object(_ value: JSONValue, _ what: String) throws(SpecError) -> [String: JSONValue] {
    guard case .object(let members) = value.kind else {
      throw error(value, "\(what) is \(value.kindName)", expected: "an object")
    }
    return Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
  }

  private func array(_ value: JSONValue, _ what: String) throws(SpecError) -> [JSONValue] {
    guard case .array(let elements) = value.kind else {
      throw error(value, "\(what) is \(value.kindName)", expected: "an array")
    }
    return elements
  }

  private func string(_ value: JSONValue, _ what: String) throws(SpecError) -> String {
    guard case .string(let text) = value.kind else {
      throw error(value, "\(what) is \(value.kindName)", expected: "a string")
    }
    return text
  }

  private func required(_ members: [String: JSONValue], _ key: String, in value: JSONValue)
    throws(SpecError) -> JSONValue
  {
    guard let member = members[key] else {
      throw error(value, "the key \"\(key)\" is missing", expected: "\"\(key)\"")
    }
    return member
  }

  private func error(_ value: JSONValue, _ message: String, expected: String) -> SpecError {
    SpecError(.syntax, message, at: .init(of: value.offset, in: bytes), expected: expected)
  }
}

extension JSONValue {
  fileprivate func isNotLongerThan(_ bytes: Int) -> Bool {
    guard case .string(let text) = kind else { return false }
    return text.utf8.count <= bytes
  }
}
