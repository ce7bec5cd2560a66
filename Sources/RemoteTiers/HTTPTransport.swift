import CLinux
import Glibc
package import Support

/// An HTTP request to a tier.
package struct TierRequest: Sendable {
  package var method: String
  package var url: String
  package var headers: [String]
  package var body: [UInt8]?
  package var limitBytes: Int
  package var timeoutSeconds: Double
  package var signing: AWSSigning?
}

/// Whether and how requests are signed for S3. The secret is never printed.
package struct AWSSigning: Sendable, CustomStringConvertible {
  let region: String
  let accessKey: String
  let secret: String

  package init(region: String, accessKey: String, secret: String) {
    self.region = region
    self.accessKey = accessKey
    self.secret = secret
  }

  package var description: String { "signed as \(accessKey) for \(region)" }
}

package struct TierAnswer: Sendable {
  package var status: Int
  package var body: [UInt8]
  /// The value of `ETag`.
  package var tag: String?

  package init(status: Int, body: [UInt8], tag: String? = nil) {
    self.status = status
    self.body = body
    self.tag = tag
  }
}

/// Makes an HTTP exchange; blocks its thread until the end, at most as long as the request says.
package protocol HTTPTransport: Sendable {
  /// - Throws: `tier-failed` when there is no answer.
  func exchange(_ request: TierRequest) throws -> TierAnswer
}

/// Through libcurl. Redirects are answers like others: nobody is followed elsewhere.
package struct CurlTransport: HTTPTransport {
  /// A PEM file of the authorities that vouch for servers; `nil` for those of the system.
  private let authorities: String?

  package init(authorities: String? = nil) { self.authorities = authorities }

  package func exchange(_ request: TierRequest) throws -> TierAnswer {
    var answer = granary_http_answer()
    let result = Self.withOptional(authorities) { Self.perform(request, $0, &answer) }
    defer { free(answer.body) }
    guard result == 0 else {
      let reason = withUnsafeBytes(of: answer.failure, Self.text)
      throw GranaryError(
        .tierFailed, "\(request.method) of a tier: \(reason)", responsible: .environment)
    }
    let body = UnsafeBufferPointer(start: answer.body, count: answer.length)
    let tag = withUnsafeBytes(of: answer.tag, Self.text)
    return TierAnswer(
      status: answer.status, body: Array(body), tag: tag.isEmpty ? nil : tag)
  }

  private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }

  private static func perform(
    _ request: TierRequest, _ authorities: UnsafePointer<CChar>?,
    _ answer: inout granary_http_answer
  ) -> Int32 {
    let milliseconds = Int(max(1, min(request.timeoutSeconds, 86_400) * 1000))
    let headers = request.headers.map { strdup($0) }
    defer { for header in headers { free(header) } }
    var pointers = headers.map { UnsafePointer($0) } + [nil]
    let signature = request.signing.map { "aws:amz:\($0.region):s3" }
    let credentials = request.signing.map { "\($0.accessKey):\($0.secret)" }
    return request.method.withCString { method in
      request.url.withCString { url in
        withOptional(signature) { signature in
          withOptional(credentials) { credentials in
            withBody(request.body) { body, count in
              pointers.withUnsafeMutableBufferPointer { headers in
                var call = granary_http_call(
                  method: method, url: url, headers: headers.baseAddress, body: body,
                  body_length: count, limit_bytes: request.limitBytes,
                  connect_milliseconds: min(milliseconds, 3000),
                  total_milliseconds: milliseconds, credentials: credentials,
                  signature: signature, authorities: authorities)
                return granary_http_exchange(&call, &answer)
              }
            }
          }
        }
      }
    }
  }

  private static func withOptional<Value>(
    _ text: String?, _ body: (UnsafePointer<CChar>?) -> Value
  ) -> Value {
    text.map { $0.withCString { body($0) } } ?? body(nil)
  }

  /// An empty body is not the same as none.
  private static func withBody<Value>(
    _ bytes: [UInt8]?, _ body: (UnsafePointer<UInt8>?, Int) -> Value
  ) -> Value {
    guard let bytes else { return body(nil, 0) }
    let padded = bytes.isEmpty ? [0] : bytes
    return padded.withUnsafeBufferPointer { body($0.baseAddress, bytes.count) }
  }
}

extension GranaryError.Code {
  /// A tier does not answer, or not as it should.
  package static let tierFailed = Self(rawValue: "tier-failed")
}
