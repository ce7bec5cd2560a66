import Glibc

/// What a client has still to be sent: pieces by reference, in order.
struct OutputQueue {
  /// The system takes at most 1,024 pieces at once; more than these few are not worth a larger stack.
  private static let piecesAtOnce = 64

  private var pieces: [ArraySlice<UInt8>] = []
  /// The pieces before this one are sent.
  private var first = 0
  private(set) var bytes = 0

  var isEmpty: Bool { bytes == 0 }

  mutating func append(_ piece: ArraySlice<UInt8>) {
    guard !piece.isEmpty else { return }
    pieces.append(piece)
    bytes += piece.count
  }

  /// Sends until nothing is left or the socket is full.
  ///
  /// - Returns: `false` when the connection is broken.
  mutating func send(to descriptor: Int32, _ session: TLSSession? = nil) -> Bool {
    while bytes > 0 {
      let last = min(first + Self.piecesAtOnce, pieces.count)
      let count =
        session.map { session in pieces[first].withUnsafeBytes { session.send($0) } }
        ?? Self.send(pieces[first..<last], to: descriptor)
      if count < 0 {
        if errno == EINTR { continue }
        return errno == EAGAIN
      }
      drop(count)
    }
    return true
  }

  private mutating func drop(_ count: Int) {
    bytes -= count
    guard bytes > 0 else {
      pieces.removeAll(keepingCapacity: pieces.count <= Self.piecesAtOnce)
      first = 0
      return
    }
    var count = count
    while count >= pieces[first].count {
      count -= pieces[first].count
      pieces[first] = []
      first += 1
    }
    pieces[first] = pieces[first].dropFirst(count)
  }

  private static func send(_ pieces: ArraySlice<ArraySlice<UInt8>>, to descriptor: Int32) -> Int {
    if pieces.count == 1, let piece = pieces.first {
      return piece.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
    }
    return withVectors(pieces, []) { vectors in
      vectors.withUnsafeMutableBufferPointer { vectors in
        var message = msghdr()
        message.msg_iov = vectors.baseAddress
        message.msg_iovlen = vectors.count
        return sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
      }
    }
  }

  /// Calls `body` with the addresses of all pieces, which hold until it returns.
  private static func withVectors(
    _ pieces: ArraySlice<ArraySlice<UInt8>>, _ vectors: [iovec],
    _ body: (inout [iovec]) -> Int
  ) -> Int {
    var vectors = vectors
    guard let piece = pieces.first else { return body(&vectors) }
    return piece.withUnsafeBytes { bytes in
      vectors.append(
        iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count))
      return withVectors(pieces.dropFirst(), vectors, body)
    }
  }
}
