import CLinux
import DaemonAPI
import Glibc

/// The one thread that talks to all clients: it waits for sockets, reads, answers what is hot, and writes.
///
/// One thread is enough: it moves gigabytes a second, and on few cores a second one only takes the clients' time.
/// Made, run and released on that thread.
final class ServerLoop {
  /// Why a loop has ended.
  enum Ending: Sendable {
    case asked
    /// The listening socket, or the poller, is of no more use.
    case failed(errno: Int32)
  }

  private static let wakeTurn = UInt32.max
  private static let listenerTurn = UInt32.max - 1

  private let context: LoopContext
  private let listener: Int32
  private let connectionLimit: Int
  /// By descriptor.
  private var connections: [Connection?] = []
  private var openCount = 0
  private var turn: UInt32 = 0
  private var isListening = true
  /// Whether nothing is accepted for a while, because the process has no descriptors left.
  private var isPaused = false
  private var ending: Ending?
  private var nextCheck: UInt64 = 0
  /// When requests that have begun are given up, once the loop drains.
  private var drainEnd: UInt64?
  private let checkInterval: UInt64

  init(listener: Int32, context: LoopContext, connectionLimit: Int) {
    self.listener = listener
    self.context = context
    self.connectionLimit = connectionLimit
    let shortest = min(
      context.patience.request, context.patience.idle, context.patience.drain)
    checkInterval = min(1_000_000_000, max(10_000_000, shortest / 4))
  }

  /// Serves until it is drained or stopped.
  func run() -> Ending {
    watch(listener, Self.listenerTurn)
    watch(context.mailbox.wakeCounter, Self.wakeTurn)
    var ready = [granary_ready](repeating: granary_ready(), count: 64)
    while ending == nil, isListening || openCount > 0 {
      let count = granary_poller_wait(
        context.poller, &ready, Int32(ready.count), waitMilliseconds)
      if count < 0 { ending = .failed(errno: -count) }
      context.now = granary_now()
      for position in 0..<max(0, Int(count)) {
        dispatch(
          ConnectionToken(word: ready[position].token),
          Readiness(rawValue: ready[position].events))
      }
      if context.now >= nextCheck { checkDeadlines() }
    }
    closeAll()
    return ending ?? .asked
  }

  /// Stops accepting; every connection ends after the request that it has begun, or when that takes too long.
  func drain() {
    stopListening()
    drainEnd = context.now + context.patience.drain
    for connection in connections {
      guard let connection else { continue }
      connection.drain()
      removeIfClosed(connection)
    }
  }

  /// Ends as soon as the thread is back in `run`.
  func stop() {
    if ending == nil { ending = .asked }
  }

  /// Calls `body` with a connection, on the loop's thread.
  ///
  /// - Returns: `false` when it is gone.
  @discardableResult
  func act(on token: ConnectionToken, _ body: (Connection) -> Void) -> Bool {
    guard let connection = connection(token) else { return false }
    body(connection)
    removeIfClosed(connection)
    return true
  }
}

extension ServerLoop {
  private func watch(_ descriptor: Int32, _ turn: UInt32) {
    let token = ConnectionToken(descriptor: descriptor, turn: turn)
    let result = granary_poller_add(
      context.poller, descriptor, token.word, Readiness.readable.rawValue)
    if result != 0 { ending = .failed(errno: -result) }
  }

  /// Never wakes while nobody is connected.
  private var waitMilliseconds: Int32 {
    guard openCount > 0 || isPaused else { return -1 }
    return context.now >= nextCheck ? 0 : Int32((nextCheck - context.now) / 1_000_000) + 1
  }

  private func connection(_ token: ConnectionToken) -> Connection? {
    let position = Int(token.descriptor)
    guard connections.indices.contains(position), let connection = connections[position],
      connection.token == token
    else { return nil }
    return connection
  }

  private func dispatch(_ token: ConnectionToken, _ seen: Readiness) {
    switch token.turn {
    case Self.wakeTurn:
      for job in context.mailbox.take() { job(self) }
    case Self.listenerTurn: accept()
    default: act(on: token) { $0.handle(seen) }
    }
  }

  private func checkDeadlines() {
    nextCheck = context.now + checkInterval
    for connection in connections {
      guard let connection else { continue }
      if let drainEnd, context.now >= drainEnd { connection.giveUp() }
      connection.checkDeadline()
      removeIfClosed(connection)
    }
    if isPaused { pause(false) }
  }

  private func removeIfClosed(_ connection: Connection) {
    guard connection.isClosed else { return }
    connections[Int(connection.token.descriptor)] = nil
    openCount -= 1
    close(connection.token.descriptor)
    context.counters.closed()
    if isPaused { pause(false) }
  }

  private func closeAll() {
    stopListening()
    for connection in connections {
      guard let connection else { continue }
      connection.close()
      removeIfClosed(connection)
    }
    for job in context.mailbox.close() { job(self) }
  }
}

extension ServerLoop {
  private func accept() {
    // A few at a time: those who are connected come first.
    for _ in 0..<16 where isListening && !isPaused {
      let descriptor = granary_accept(listener)
      guard descriptor >= 0 else { return acceptFailed(-descriptor) }
      admit(descriptor)
    }
  }

  private func admit(_ descriptor: Int32) {
    guard openCount < connectionLimit, let caller = context.access.caller(of: descriptor) else {
      close(descriptor)
      return
    }
    let session = context.access.identity.flatMap { TLSSession($0, descriptor: descriptor) }
    guard (session == nil) == (context.access.identity == nil) else {
      close(descriptor)
      return
    }
    turn = turn == Self.listenerTurn - 1 ? 0 : turn + 1
    let token = ConnectionToken(descriptor: descriptor, turn: turn)
    let result = granary_poller_add(
      context.poller, descriptor, token.word, Readiness.readable.rawValue)
    guard result == 0 else {
      close(descriptor)
      return
    }
    while connections.count <= Int(descriptor) { connections.append(nil) }
    connections[Int(descriptor)] = Connection(
      token, context, caller: caller, session: session)
    openCount += 1
    context.counters.opened()
  }

  private func acceptFailed(_ error: Int32) {
    switch error {
    // The client has gone again, or nobody waits.
    case EAGAIN, EINTR, ECONNABORTED, EPROTO: break
    case EMFILE, ENFILE, ENOBUFS, ENOMEM: pause(true)
    default: ending = .failed(errno: error)
    }
  }

  /// Leaves clients in the queue until descriptors are free again, without waking for them.
  private func pause(_ isPaused: Bool) {
    guard isListening else { return }
    self.isPaused = isPaused
    let token = ConnectionToken(descriptor: listener, turn: Self.listenerTurn)
    let events: Readiness = isPaused ? [] : .readable
    _ = granary_poller_change(context.poller, listener, token.word, events.rawValue)
    if isPaused { nextCheck = context.now + checkInterval }
  }

  private func stopListening() {
    guard isListening else { return }
    isListening = false
    isPaused = false
    close(listener)
  }
}
