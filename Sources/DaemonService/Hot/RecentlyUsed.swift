/// A dictionary bounded by the cost of its values: what was used longest ago goes first.
///
/// Every operation takes constant time. Nodes of one array form a doubly linked list, most recently used first.
struct RecentlyUsed<Key: Hashable, Value> {
  private struct Node {
    var key: Key
    var value: Value?
    var cost: Int
    var newer: Int
    var older: Int
  }

  private(set) var cost = 0
  let capacity: Int
  private var positions: [Key: Int] = [:]
  private var nodes: [Node] = []
  private var free: [Int] = []
  private var newest = -1
  private var oldest = -1

  init(capacity: Int) { self.capacity = capacity }

  var count: Int { positions.count }

  /// The value of `key`, which becomes the most recently used.
  mutating func use(_ key: Key) -> Value? {
    guard let position = positions[key] else { return nil }
    if position != newest {
      unlink(position)
      linkNewest(position)
    }
    return nodes[position].value
  }

  /// Changes the value of `key` in place without counting as a use.
  mutating func update(_ key: Key, _ body: (inout Value) -> Void) {
    guard let position = positions[key], var value = nodes[position].value else { return }
    nodes[position].value = nil
    body(&value)
    nodes[position].value = value
  }

  /// Keeps `value`, and drops the values used longest ago until the capacity suffices.
  ///
  /// - Returns: what was dropped or replaced; `value` itself when it costs more than the capacity.
  mutating func insert(_ value: Value, for key: Key, cost valueCost: Int) -> [Value] {
    var dropped: [Value] = []
    if let previous = remove(key) { dropped.append(previous) }
    guard valueCost <= capacity else { return dropped + [value] }
    while cost + valueCost > capacity, oldest >= 0 {
      if let old = remove(nodes[oldest].key) { dropped.append(old) }
    }
    let node = Node(key: key, value: value, cost: valueCost, newer: -1, older: -1)
    let position: Int
    if let reused = free.popLast() {
      nodes[reused] = node
      position = reused
    } else {
      nodes.append(node)
      position = nodes.count - 1
    }
    positions[key] = position
    cost += valueCost
    linkNewest(position)
    return dropped
  }

  @discardableResult
  mutating func remove(_ key: Key) -> Value? {
    guard let position = positions.removeValue(forKey: key) else { return nil }
    unlink(position)
    cost -= nodes[position].cost
    free.append(position)
    let value = nodes[position].value
    nodes[position].value = nil
    return value
  }

  /// Calls `body` with every value, in no order.
  mutating func updateAll(_ body: (inout Value) -> Void) {
    for key in positions.keys { update(key, body) }
  }

  private mutating func unlink(_ position: Int) {
    let node = nodes[position]
    if node.newer >= 0 { nodes[node.newer].older = node.older } else { newest = node.older }
    if node.older >= 0 { nodes[node.older].newer = node.newer } else { oldest = node.newer }
  }

  private mutating func linkNewest(_ position: Int) {
    nodes[position].newer = -1
    nodes[position].older = newest
    if newest >= 0 { nodes[newest].newer = position } else { oldest = position }
    newest = position
  }
}
