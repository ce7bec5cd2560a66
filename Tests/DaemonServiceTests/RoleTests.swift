import DaemonAPI
import Glibc
import KernelSpec
import Testing

@testable import DaemonService

@Suite("Roles") struct RoleTests {
  private func role(_ roles: Roles, user: UInt32, groups: Set<UInt32> = []) -> Caller.Role {
    roles.caller(PeerCredentials(user: user, groups: groups)).role
  }

  @Test("without settings the daemon's user and root administer, and nobody else may even ask")
  func defaults() {
    let roles = Roles(owner: 1000)
    #expect(role(roles, user: 1000) == .administers && role(roles, user: 0) == .administers)
    #expect(role(roles, user: 1001, groups: [0, 1000]) == .none)
    #expect(!roles.areShared)
  }

  @Test("users and groups have the role that they were given, and the greater of two")
  func members() throws {
    let roles = Roles(
      owner: 1000, askers: try .init(users: "1001", groups: "50"),
      administrators: try .init(users: "root 1002", groups: "60"))
    #expect(role(roles, user: 1001) == .asks && role(roles, user: 7, groups: [50]) == .asks)
    #expect(role(roles, user: 1002) == .administers)
    #expect(role(roles, user: 1001, groups: [60, 50]) == .administers)
    #expect(role(roles, user: 8, groups: [51]) == .none)
    #expect(roles.areShared)
    let open = Roles(owner: 1, askers: try .init(users: "*", groups: ""))
    #expect(role(open, user: 99) == .asks)
  }

  @Test("a name that this machine does not know stops the start")
  func unknownNames() {
    for (users, groups) in [("no-such-user", ""), ("", "no-such-group")] {
      let error = #expect(throws: ServiceError.self) {
        try Roles.Members(users: users, groups: groups)
      }
      #expect(error?.message.contains("no-such") == true)
    }
  }

  @Test("who may ask is refused every route for administrators with a reason, and no other")
  func routes() async throws {
    let service = MemoryService()
    let router = Router(
      service: service, hotSet: HotSet(capacityBytes: 1 << 20), counters: ServerCounters(),
      configuration: ConfigurationReport(settings: []),
      greeting: Greeting(version: "test", processIdentifier: 1, startedAt: 0))
    let digest = Digest(of: [1]).hex
    for route in Route.allCases {
      for role in [Caller.Role.none, .asks, .administers] {
        let response = await router.respond(
          to: Request(
            method: route.method, target: route.path(digest), body: [],
            caller: Caller(role: role, user: 1001)))
        guard case .complete(let status, _, let body, _) = response else { continue }
        let text = String(decoding: body.joined(), as: UTF8.self)
        let isAllowed = role == .administers || (role == .asks && !route.isForAdministrators)
        #expect((status != 403) == isAllowed, "\(route.rawValue) as \(role): \(status) \(text)")
        if !isAllowed { #expect(text.contains("user 1001") && text.contains("admin_users")) }
      }
    }
  }

  @Test("the kernel says who is on the other side, with the groups")
  func peers() throws {
    var ends: [Int32] = [0, 0]
    try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    let peer = try #require(PeerCredentials(of: ends[0]))
    #expect(peer.user == geteuid() && peer.groups.contains(getegid()))
    let caller = try #require(AccessRule.roles(Roles()).caller(of: ends[0]))
    #expect(caller.role == .administers && caller.description.contains("user \(geteuid())"))
    let network = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(network) }
    #expect(PeerCredentials(of: network) == nil)
  }
}
