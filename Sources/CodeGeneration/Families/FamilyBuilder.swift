package import KernelSpec
package import TensorProgram

/// Makes one source of the sources of a spec at every combination of its open sizes.
///
/// Each combination is generated as if it were a spec of its own. Definitions that are equal but for numbers become
/// one, in which those numbers are variables; definitions of another structure stay beside each other. So at every
/// combination the source computes by exactly the text that the generator renders for it, with variables of the same
/// type and value in the place of constants. Combinations that were not added are refused by the kernel.
package struct FamilyBuilder {
  let space: SizeSpace
  private let generator: CodeGenerator
  private(set) var variants: [Variant] = []
  private var known: [Shape: Int] = [:]
  private var names: Set<String> = [FamilyText.entryName]
  private(set) var library: Set<CLibrary.Item> = []
  private(set) var bufferCount = 1
  /// For each combination the variant of the entry.
  private(set) var entries: [Int?]
  private(set) var compilerOptions: [String] = []
  private(set) var largest: KernelInterface?
  private(set) var alignmentBytes = 1
  private(set) var workspaceBytes = 0

  /// A definition with the numbers that it has at some combinations.
  struct Variant {
    /// Unique among all.
    var name: String
    var item: CItem
    /// For each number its value by combination, or nothing while it is the same everywhere.
    var columns: [Int: [Int: Int64]] = [:]
    var combinations: [Int] = []
    var numbers: [CNumber]
    var capacities: [Int64]
  }

  /// What definitions must share to be one.
  private struct Shape: Hashable {
    var parts: [Part]

    enum Part: Hashable {
      case text(String)
      case word(String)
      case number(CNumber.Kind)
      case capacity
    }
  }

  package init(generator: CodeGenerator, symbols: [SizeSymbol]) {
    self.generator = generator
    space = SizeSpace(symbols)
    entries = [Int?](repeating: nil, count: space.count)
  }

  /// How many definitions the source has: a measure of what compiling it costs.
  package var definitionCount: Int { variants.count }

  /// Combinations at which every definition is used where it is used first and last, and the corners of the space:
  /// where faults show.
  package var witnesses: [[Int]] {
    let added = entries.indices.filter { entries[$0] != nil }
    var chosen = Set([added.first, added.last].compactMap { $0 })
    for corner in space.corners where entries[corner] != nil { chosen.insert(corner) }
    for variant in variants {
      for end in [variant.combinations.first, variant.combinations.last].compactMap({ $0 }) {
        chosen.insert(end)
      }
    }
    return chosen.sorted().map(space.sizes)
  }

  /// Adds the source at one combination.
  ///
  /// - Throws: ``CodeGenerationError`` when `schedule` does not fit there.
  package mutating func add(_ sizes: [Int], _ program: FusedProgram, _ schedule: Schedule) throws {
    guard let position = space.position(sizes), entries[position] == nil else {
      throw CodeGenerationError(.malformedProgram, "The sizes \(sizes) are not open ones.")
    }
    let unit = try generator.unit(for: program, schedule: schedule)
    guard compilerOptions.isEmpty || compilerOptions == unit.compilerOptions else {
      throw CodeGenerationError(.illegalSchedule, "One source has one level of optimization.")
    }
    compilerOptions = unit.compilerOptions
    library.formUnion(unit.library)
    bufferCount = max(bufferCount, unit.bufferCount)
    alignmentBytes = max(alignmentBytes, unit.interface.alignmentBytes)
    workspaceBytes = max(workspaceBytes, unit.interface.workspaceBytes)
    largest = unit.interface
    var renamed: [String: String] = [:]
    for text in unit.functions where !text.isEmpty {
      for item in CItem.items(in: text) { _ = add(item, at: position, &renamed) }
    }
    let entry = CItem(unit.entry)
    entries[position] = add(entry, at: position, &renamed)
  }

  /// Adds the source at one combination under the first of `schedules` that is legal there, else under the default
  /// schedule of that combination.
  package mutating func add(
    _ sizes: [Int], _ program: FusedProgram, preferring schedules: [Schedule]
  ) throws {
    let fitting = schedules.first { generator.violation(of: $0, for: program) == nil }
    try add(sizes, program, fitting ?? generator.space(for: program).defaultSchedule)
  }

  private mutating func add(
    _ item: CItem, at position: Int, _ renamed: inout [String: String]
  ) -> Int {
    var item = item
    let own = item.name
    var numbers: [CNumber] = []
    var capacities: [Int64] = []
    var shape = Shape(parts: [])
    for index in item.parts.indices {
      switch item.parts[index] {
      case .text(let text): shape.parts.append(.text(text))
      case .word(let word):
        let name = word == own ? word : renamed[word] ?? word
        item.parts[index] = .word(name)
        shape.parts.append(.word(name))
      case .number(let number):
        numbers.append(number)
        shape.parts.append(.number(number.kind))
      case .capacity(let count):
        capacities.append(count)
        shape.parts.append(.capacity)
      }
    }
    let variant = known[shape] ?? insert(item, shape, numbers, capacities)
    note(numbers, capacities, of: variant, at: position)
    if let own { renamed[own] = variants[variant].name }
    return variant
  }

  private mutating func insert(
    _ item: CItem, _ shape: Shape, _ numbers: [CNumber], _ capacities: [Int64]
  ) -> Int {
    var item = item
    var name = item.name ?? ""
    if let own = item.name {
      var number = 2
      while !names.insert(name).inserted {
        name = "\(own)_v\(number)"
        number += 1
      }
      item.parts = item.parts.map { part in
        if case .word(own) = part { .word(name) } else { part }
      }
    }
    known[shape] = variants.count
    variants.append(Variant(name: name, item: item, numbers: numbers, capacities: capacities))
    return variants.count - 1
  }

  private mutating func note(
    _ numbers: [CNumber], _ capacities: [Int64], of variant: Int, at position: Int
  ) {
    for (place, number) in numbers.enumerated() {
      if var column = variants[variant].columns.removeValue(forKey: place) {
        column[position] = number.value
        variants[variant].columns[place] = column
      } else if number.value != variants[variant].numbers[place].value {
        let first = variants[variant].numbers[place].value
        var column = Dictionary(
          uniqueKeysWithValues: variants[variant].combinations.map { ($0, first) })
        column[position] = number.value
        variants[variant].columns[place] = column
      }
    }
    for (place, count) in capacities.enumerated() {
      variants[variant].capacities[place] = max(variants[variant].capacities[place], count)
    }
    variants[variant].combinations.append(position)
  }
}
