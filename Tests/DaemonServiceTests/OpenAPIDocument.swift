import DaemonAPI
import FoundationEssentials

/// Any JSON.
indirect enum JSONValue: Decodable, Sendable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let text = try? value.decode(String.self) {
      self = .string(text)
    } else if let list = try? value.decode([JSONValue].self) {
      self = .array(list)
    } else {
      self = .object(try value.decode([String: JSONValue].self))
    }
  }

  subscript(_ member: String) -> JSONValue? {
    if case .object(let members) = self { members[member] } else { nil }
  }

  var members: [String: JSONValue] { if case .object(let all) = self { all } else { [:] } }
  var elements: [JSONValue] { if case .array(let all) = self { all } else { [] } }
  var text: String? { if case .string(let text) = self { text } else { nil } }

  /// Whether it is of a JSON schema's type.
  func isOf(type: String) -> Bool {
    switch self {
    case .null: type == "null"
    case .bool: type == "boolean"
    case .number(let number): type == "number" || type == "integer" && number == number.rounded()
    case .string: type == "string"
    case .array: type == "array"
    case .object: type == "object"
    }
  }
}

/// The document of the repository, with the part of JSON schema that it uses: references, types, enumerations,
/// members, required members and elements.
struct OpenAPIDocument: Sendable {
  private let root: JSONValue

  init() throws {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
      .joined(separator: "/")
    let data = try Data(contentsOf: URL(filePath: folder + "/cache-schema/openapi.json"))
    root = try JSONDecoder().decode(JSONValue.self, from: data)
  }

  /// Every method with its path, for example `GET /v1/stats`.
  var operations: Set<String> {
    Set(
      (root["paths"]?.members ?? [:]).flatMap { path, item in
        item.members.keys.map { "\($0.uppercased()) \(path)" }
      })
  }

  /// In what `answer` departs from the schema of the route's JSON answer.
  func faults(of answer: JSONValue, from route: Route) -> [String] {
    let operation = root["paths"]?[route.path]?[route.method.lowercased()]
    let content = operation?["responses"]?["200"]?["content"]?["application/json"]
    guard let schema = content?["schema"] else { return ["no JSON answer is documented"] }
    return faults(of: answer, schema, at: "")
  }

  /// In what `value` departs from a named schema.
  func faults(of value: JSONValue, as name: String) -> [String] {
    guard let schema = root["components"]?["schemas"]?[name] else { return ["no schema \(name)"] }
    return faults(of: value, schema, at: "")
  }

  private func faults(of value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
    if let name = schema["$ref"]?.text?.split(separator: "/").last {
      guard let target = root["components"]?["schemas"]?[String(name)] else {
        return ["\(path): no schema \(name)"]
      }
      return faults(of: value, target, at: path)
    }
    let types = [schema["type"]?.text].compactMap(\.self) + texts(schema["type"])
    guard types.contains(where: value.isOf) else {
      return ["\(path) is not of the type \(types.joined(separator: " or "))"]
    }
    let choices = texts(schema["enum"])
    if let text = value.text, !choices.isEmpty, !choices.contains(text) {
      return ["\(path) is '\(text)'"]
    }
    return memberFaults(of: value, schema, at: path)
      + value.elements.flatMap { element in
        schema["items"].map { faults(of: element, $0, at: path + "[]") } ?? []
      }
  }

  private func memberFaults(of value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
    guard let properties = schema["properties"]?.members else { return [] }
    let missing = texts(schema["required"]).filter { value[$0] == nil }
    return missing.map { "\(path).\($0) is missing" }
      + value.members.flatMap { name, member in
        properties[name].map { faults(of: member, $0, at: "\(path).\(name)") }
          ?? ["\(path).\(name) is not documented"]
      }
  }

  private func texts(_ list: JSONValue?) -> [String] { list?.elements.compactMap(\.text) ?? [] }
}
