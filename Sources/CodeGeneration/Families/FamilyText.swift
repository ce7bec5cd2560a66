package import KernelSpec

extension FamilyBuilder {
  /// The source for all combinations that were added.
  ///
  /// Its entry takes the sizes behind its inputs, an `int64_t` for each, and returns 3 for others than were added.
  ///
  /// - Parameter openSizes: what the interface says of them.
  /// - Throws: ``CodeGenerationError`` when no combination was added, or a value does not fit its rule.
  package func source(_ openSizes: KernelInterface.OpenSizes) throws(CodeGenerationError)
    -> KernelSource
  {
    guard let largest, let last = (0..<space.count).last(where: { entries[$0] != nil }) else {
      throw CodeGenerationError(.malformedProgram, "The family has no member.")
    }
    let sizes = space.sizes(last)
    let inputs = openSizes.inputs.compactMap { $0.type(at: sizes) }
    let outputs = openSizes.outputs.compactMap { $0.type(at: sizes) }
    guard inputs.count == largest.inputs.count, outputs.count == largest.outputs.count else {
      throw CodeGenerationError(.malformedProgram, "The open types do not fit the program.")
    }
    var interface = KernelInterface(
      abi: KernelInterface.familyABI, entryPoint: "granary_entry",
      inputs: inputs, outputs: outputs,
      inputDomains: largest.inputDomains, workspaceBytes: workspaceBytes,
      alignmentBytes: max(alignmentBytes, workspaceBytes > 0 ? 64 : 8))
    interface.openSizes = openSizes
    var text = FamilyText(self, inputs: openSizes.inputs.count)
    return KernelSource(
      language: .c, text: try text.render(), compilerOptions: compilerOptions, interface: interface)
  }
}

/// Writes the source of a family.
struct FamilyText {
  static let entryName = "granary_entry"

  private let family: FamilyBuilder
  private let inputs: Int
  /// How the values are computed that the entry gives to functions, each once.
  private var rules: [SizeColumn.Rule] = []
  private var positions: [SizeColumn: Int] = [:]
  private var rulePositions: [SizeColumn.Rule: Int] = [:]
  private var reals: Set<Int> = []
  /// Functions that take the values as an argument of their own.
  private var taking: Set<String> = []

  init(_ family: FamilyBuilder, inputs: Int) {
    self.family = family
    self.inputs = inputs
  }

  mutating func render() throws(CodeGenerationError) -> String {
    var definitions: [String] = []
    for variant in family.variants { definitions.append(define(variant)) }
    try check()
    let parts =
      [
        CRenderer.prelude(bufferCount: family.bufferCount, members: "  const int64_t *sizes;\n"),
        CLibrary.text(for: family.library),
      ] + definitions + [tables, entry]
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  /// Every rule gives every value of its column: what the source rests on.
  private func check() throws(CodeGenerationError) {
    for (column, rule) in positions {
      for (position, value) in column.values
      where rules[rule].value(position, family.space) != value {
        throw CodeGenerationError(
          .malformedProgram,
          "A number is \(value) at \(family.space.sizes(position)), and its rule gives another.")
      }
    }
  }

  // MARK: - Definitions

  /// Where a function finds the values.
  private enum Way {
    /// In the call that `argument` points to.
    case argument
    /// In the call.
    case call
    /// In an argument of its own, `sizes`.
    case own
  }

  /// A number that a function takes from a column.
  private struct Local: Hashable, Comparable {
    var column: Int
    var kind: CNumber.Kind
    var name: String { "size_\(kind == .int32 ? "" : "\(kind)_")\(column)" }

    static func < (one: Self, two: Self) -> Bool {
      (one.column, one.kind.rawValue) < (two.column, two.kind.rawValue)
    }
  }

  private mutating func define(_ variant: FamilyBuilder.Variant) -> String {
    let isEntry = variant.item.name == Self.entryName
    let callsTaking = variant.item.parts.contains { part in
      if case .word(let word) = part {
        word != variant.name && taking.contains(word)
      } else {
        false
      }
    }
    guard variant.item.isFunction, isEntry || callsTaking || !variant.columns.isEmpty else {
      return body(variant).text + "\n"
    }
    let way = isEntry ? .own : self.way(variant.item)
    if way == .own { taking.insert(variant.name) }
    let (text, locals, start) = body(variant)
    guard let start else { return text + "\n" }
    let opening =
      switch way {
      case .argument:
        "\n  const int64_t *const sizes = ((const granary_call *)argument)->sizes;"
      case .call: "\n  const int64_t *const sizes = call->sizes;"
      case .own: ""
      }
    var rest = String(text[start...])
    if isEntry {
      rest = rest.replacing("granary_call call;", with: "granary_call call;\n  call.sizes = sizes;")
    }
    return (isEntry ? "static " : "") + text[..<start] + opening + "\n  (void)sizes;"
      + locals.map { "\n  " + declaration($0) }.joined() + rest + "\n"
  }

  private func way(_ item: CItem) -> Way {
    let head = item.parts.prefix { part in
      if case .text(let text) = part { !text.contains("{") } else { true }
    }
    let words = head.compactMap { if case .word(let word) = $0 { word } else { nil } }
    if words.contains("argument") { return .argument }
    return words.contains("granary_call") ? .call : .own
  }

  /// The text of a definition, what it takes from columns, and where its statements begin.
  private mutating func body(_ variant: FamilyBuilder.Variant) -> (
    text: String, locals: [Local], start: String.Index?
  ) {
    var text = ""
    var locals: Set<Local> = []
    var number = 0
    var capacity = 0
    var start: String.Index?
    var takes = false
    for part in variant.item.parts {
      let isCall = takes
      takes = false
      switch part {
      case .text(let piece):
        text += isCall && piece.first == "(" ? passing(piece, isDefinition: start == nil) : piece
        if start == nil, let brace = text.firstIndex(of: "{") { start = text.index(after: brace) }
      case .word(let word):
        text += word
        takes = taking.contains(word)
      case .number(let written):
        if let values = variant.columns[number] {
          let local = Local(column: column(values, written.kind), kind: written.kind)
          locals.insert(local)
          text += local.name
        } else {
          text += Self.literal(variant.numbers[number])
        }
        number += 1
      case .capacity:
        text += "\(max(variant.capacities[capacity], 1))"
        capacity += 1
      }
    }
    return (text, locals.sorted(), start)
  }

  /// The text behind the name of a function that takes the values, with them as the first argument.
  private func passing(_ piece: String, isDefinition: Bool) -> String {
    let rest = piece.dropFirst()
    // A word follows when the text ends with the parenthesis.
    let isAlone = rest.first == ")"
    return (isDefinition ? "(const int64_t *sizes" : "(sizes") + (isAlone ? "" : ", ") + rest
  }

  /// The position of the column with these values. A real number that is whole is kept as an integer.
  private mutating func column(_ values: [Int: Int64], _ kind: CNumber.Kind) -> Int {
    var column = SizeColumn(values: values, isReal: false)
    if kind == .float || kind == .double {
      let whole = values.compactMapValues { bits in
        let real = Double(bitPattern: UInt64(bitPattern: bits))
        return real == 0 && real.sign == .minus ? nil : Int64(exactly: real)
      }
      column =
        whole.count == values.count
        ? SizeColumn(values: whole, isReal: false) : SizeColumn(values: values, isReal: true)
    }
    if let known = positions[column] { return known }
    let rule = column.rule(family.space)
    let position = column.isReal ? rules.count : rulePositions[rule] ?? rules.count
    positions[column] = position
    if position == rules.count {
      rules.append(rule)
      if column.isReal { reals.insert(position) } else { rulePositions[rule] = position }
    }
    return position
  }

  private func declaration(_ local: Local) -> String {
    let place = "sizes[\(local.column)]"
    guard reals.contains(local.column) else {
      return "const \(local.kind.rawValue) \(local.name) = (\(local.kind.rawValue))\(place);"
    }
    let bits = "\(local.name)_bits"
    return "double \(bits); __builtin_memcpy(&\(bits), &\(place), 8); "
      + "const \(local.kind.rawValue) \(local.name) = (\(local.kind.rawValue))\(bits);"
  }

  /// A constant of the same type and value as the one that the generator wrote.
  private static func literal(_ number: CNumber) -> String { number.spelling }

  // MARK: - The entry

  private var tables: String {
    rules.enumerated().compactMap { position, rule in
      rule.table.count > 1 ? Self.table("granary_table\(position)", rule.table) : nil
    }.joined(separator: "\n")
  }

  private static func table(_ name: String, _ values: [Int64]) -> String {
    let range = (values.min() ?? 0, values.max() ?? 0)
    let type =
      range.0 >= 0 && range.1 <= 255
      ? "uint8_t"
      : range.0 >= Int64(Int32.min) && range.1 <= Int64(Int32.max) ? "int32_t" : "int64_t"
    let rows = stride(from: 0, to: values.count, by: 24).map { start in
      values[start..<min(start + 24, values.count)].map { value in
        value == .min ? "INT64_MIN" : "\(value)"
      }.joined(separator: ",")
    }
    return "static const \(type) \(name)[\(values.count)] = {\n\(rows.joined(separator: ",\n"))};"
  }

  /// The function that a host calls: refuses sizes that were not added, computes the columns, and calls the entry
  /// that belongs to them.
  private var entry: String {
    let space = family.space
    var used: [Int] = []
    let classes = family.entries.map { variant -> Int64 in
      guard let variant else { return 0 }
      if let known = used.firstIndex(of: variant) { return Int64(known + 1) }
      used.append(variant)
      return Int64(used.count)
    }
    var lines: [String] = []
    for (position, symbol) in space.symbols.enumerated() {
      lines.append("  const int64_t s\(position) = given[\(position)];")
      lines.append(
        "  if (s\(position) < \(symbol.lower) || s\(position) > \(symbol.upper) "
          + "|| (s\(position) - \(symbol.lower)) % \(symbol.step) != 0) return 3;")
      lines.append(
        "  const int64_t i\(position) = (s\(position) - \(symbol.lower)) / \(symbol.step);")
    }
    let combination = space.symbols.indices.map { "i\($0) * \(space.distances[$0])" }
    lines.append("  const int64_t combination = \(combination.joined(separator: " + "));")
    lines += space.symbols.indices.map { "  (void)i\($0);" }
    lines.append("  const int kind = granary_kinds[combination];")
    lines.append("  if (kind == 0) return 3;")
    lines.append("  int64_t sizes[\(max(rules.count, 1))];")
    for (position, rule) in rules.enumerated() {
      lines.append("  sizes[\(position)] = \(rule.text(table: "granary_table\(position)"));")
    }
    lines.append("  switch (kind) {")
    for (number, variant) in used.enumerated() {
      let name = family.variants[variant].name
      lines.append(
        "  case \(number + 1): return \(name)(sizes, inputs, outputs, workspace, context);")
    }
    return Self.table("granary_kinds", classes) + """

      int32_t \(Self.entryName)(const void *const *inputs, void *const *outputs, void *workspace,
                            const granary_context *context) {
        const int64_t *given = inputs[\(inputs)];
      \(lines.joined(separator: "\n"))
        default: return 3;
        }
      }

      """
  }
}
