import Support
import TestSupport
import Testing

@testable import DaemonService

/// Requests and what is no request, each a little wrong in its own way.
private let corpus: [String] = [
  "GET / HTTP/1.1\r\n\r\n",
  "GET /v1/artifacts/0123456789abcdef HTTP/1.1\r\nHost: granary\r\nAccept: */*\r\n\r\n",
  "POST /v1/kernels?policy=tuned HTTP/1.1\r\nContent-Length: 12\r\n\r\nrelu(x: f32)",
  "POST /v1/kernels HTTP/1.0\r\ncontent-length:0\r\nconnection: keep-alive\r\n\r\n",
  "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\nConnection: CLOSE\r\n\r\nabcde",
  "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
  "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
  "GET / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n",
  "GET / HTTP/1.1\r\nContent-Length: 999999999999999999\r\n\r\n",
  "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
  "GET / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
  "GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
  "GET / HTTP/1.1\r\nContent-Length:\r\n\r\n",
  "GET / HTTP/1.1\r\nContent-Length : 3\r\n\r\nabc",
  "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  "GET / HTTP/1.1\r\nX: a\r\n folded\r\n\r\n",
  "GET / HTTP/1.1\r\n: no name\r\n\r\n",
  "GET / HTTP/1.1\r\nNo colon\r\n\r\n",
  "GET / HTTP/1.1\nHost: x\n\n",
  "GET / HTTP/1.1\r\nX: a\nContent-Length: 9\r\n\r\n",
  "GET / HTTP/1.1\r\nX: a\rb\r\n\r\n",
  "GET / HTTP/1.1\r\r\n\r\n",
  "GET  / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1 \r\n\r\n",
  "GET /\t HTTP/1.1\r\n\r\n",
  "GET http://granary/ HTTP/1.1\r\n\r\n",
  "GET / HTTP/2.0\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "GET /",
  "GET",
  "\r\n\r\n",
  "\u{16}\u{3}\u{1}\u{2}",
  "*1\r\n$4\r\nPING\r\n",
  " / HTTP/1.1\r\n\r\n",
  "GET / HTTP/1.1\r\nX: \u{0}\u{7F}\u{FF}\r\n\r\n",
]

/// What the parser makes of bytes that it may read nothing beyond.
private func parse(_ bytes: some Collection<UInt8>, limits: RequestLimits = RequestLimits())
  -> Result<RequestHead?, RequestFault>
{
  // Memory of exactly this size: a checked build stops at any access beyond it.
  let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { exact.deallocate() }
  exact.copyBytes(from: bytes)
  do throws(RequestFault) {
    return .success(try RequestParser.parse(UnsafeRawBufferPointer(exact), limits: limits))
  } catch {
    return .failure(error)
  }
}

private func isSound(_ head: RequestHead, in bytes: [UInt8]) -> Bool {
  head.length <= bytes.count && head.method.upperBound < head.target.lowerBound
    && head.target.upperBound < head.length && !head.target.isEmpty
    && head.contentLength >= 0 && bytes[..<head.length].suffix(4) == [13, 10, 13, 10]
}

@Suite("The parser of requests") struct RequestParserTests {
  @Test("a request is found as it was written")
  func wholeRequest() throws {
    let text = corpus[4]
    let bytes = Array(text.utf8)
    let head = try #require(try parse(bytes).get())
    #expect(String(decoding: bytes[head.method], as: UTF8.self) == "POST")
    #expect(String(decoding: bytes[head.target], as: UTF8.self) == "/")
    #expect(head.contentLength == 5 && head.expectsContinue && !head.keepsAlive)
    #expect(String(decoding: bytes[head.length...], as: UTF8.self) == "abcde")
  }

  @Test("what could be read in two ways is refused", arguments: corpus[5...])
  func ambiguity(text: String) throws {
    let mayPass = [corpus[5], "GET /", "GET"]
    switch parse(text.utf8) {
    case .success(let head): #expect(mayPass.contains(text), "\(head as Any)")
    case .failure(let fault): #expect((400...505).contains(fault.status) && !mayPass.contains(text))
    }
  }

  @Test("however a request is cut, its beginnings give nothing or what the whole gives")
  func splits() {
    for text in corpus {
      let bytes = Array(text.utf8)
      let whole = parse(bytes)
      for end in 0...bytes.count {
        switch parse(bytes[..<end]) {
        case .success(nil): continue
        case let result: #expect(result == whole, "\(text.debugDescription) cut at \(end)")
        }
      }
    }
  }

  @Test("what follows a request does not change it")
  func pipelines() {
    for text in corpus {
      guard case .success(let head?) = parse(text.utf8) else { continue }
      for next in corpus {
        #expect(parse((text + next).utf8) == .success(head), "\(text) \(next)")
      }
    }
  }

  @Test("random changes never crash it, and what it accepts lies within the bytes")
  func mutations() throws {
    var limits = RequestLimits()
    limits.headBytes = 200
    var fuzzing = try Fuzzing(
      "request", tokens: ["\r\n", "\r\n\r\n", "\n", ": ", "Content-Length: ", " HTTP/1.1", "\0"],
      adding: corpus.map { Array($0.utf8) })
    try fuzzing.run(rounds: 20_000) { bytes in
      switch parse(bytes, limits: limits) {
      case .success(let head?):
        #expect(isSound(head, in: bytes))
        #expect(head.length <= limits.headBytes && head.contentLength <= limits.bodyBytes)
        return "request"
      case .success(nil): return "unfinished"
      case .failure(let fault): return fault.message
      }
    }
  }

  @Test("a head that never ends is refused at the limit, not before")
  func endlessHead() {
    var limits = RequestLimits()
    limits.headBytes = 64
    let bytes = Array("GET / HTTP/1.1\r\nX: ".utf8) + [UInt8](repeating: 97, count: 100)
    #expect(parse(bytes[..<64], limits: limits) == .success(nil))
    guard case .failure(let fault) = parse(bytes[..<65], limits: limits) else {
      Issue.record("a head over the limit was accepted")
      return
    }
    #expect(fault.status == 431)
  }

  /// One or two entries of the corpus with some bytes changed, taken out, put in or repeated.
}
