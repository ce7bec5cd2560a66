package import DaemonAPI
import Glibc

/// Who is on the other side of a connection, and what it may do.
package struct Caller: Sendable, Hashable {
  package enum Role: Int, Sendable, Hashable, Comparable {
    case none
    /// Asks for kernels and looks at what there is.
    case asks
    /// Changes what is stored, too.
    case administers

    package static func < (first: Self, second: Self) -> Bool { first.rawValue < second.rawValue }
  }

  package var role: Role
  /// `nil` for a client of the network.
  package var user: UInt32?

  package init(role: Role, user: UInt32?) {
    self.role = role
    self.user = user
  }

  /// A client of the network, whose token the server asks for.
  package static let network = Caller(role: .asks, user: nil)

  /// Who it is, for people.
  package var description: String {
    guard let user else { return "a client of the network" }
    return "user \(user)" + (PeerCredentials.name(of: user).map { " (\($0))" } ?? "")
  }

  /// What a caller is told that may not do something.
  func refusal(of what: String) -> ServiceError {
    let may = role == .none ? "may not ask this daemon" : "may ask, but not administer"
    return ServiceError(
      .forbidden,
      "\(description) \(may)\(what.isEmpty ? "" : ": \(what) is for administrators"); "
        + "ask_users, ask_groups, admin_users and admin_groups in its configuration say who may")
  }
}

/// Which users of this machine may ask, and which may administer. The daemon's own user and root always may.
package struct Roles: Sendable, Hashable {
  /// Some users and groups of this machine.
  package struct Members: Sendable, Hashable {
    package var users: Set<UInt32> = []
    package var groups: Set<UInt32> = []
    package var everybody = false

    package init() {}

    /// - Parameters:
    ///   - users: names or numbers with spaces between; `*` is everybody.
    ///   - groups: names or numbers with spaces between.
    /// - Throws: `bad-request` that names who is not known here.
    package init(users: String, groups: String) throws(ServiceError) {
      for name in users.split(separator: " ") {
        if name == "*" {
          everybody = true
        } else if let user = UInt32(name) ?? getpwnam(String(name))?.pointee.pw_uid {
          self.users.insert(user)
        } else {
          throw ServiceError(.badRequest, "this machine has no user '\(name)'")
        }
      }
      for name in groups.split(separator: " ") {
        guard let group = UInt32(name) ?? getgrnam(String(name))?.pointee.gr_gid else {
          throw ServiceError(.badRequest, "this machine has no group '\(name)'")
        }
        self.groups.insert(group)
      }
    }

    var isEmpty: Bool { users.isEmpty && groups.isEmpty && !everybody }

    func has(_ peer: PeerCredentials) -> Bool {
      everybody || users.contains(peer.user) || !groups.isDisjoint(with: peer.groups)
    }
  }

  package var owner: UInt32
  package var askers: Members
  package var administrators: Members

  package init(
    owner: UInt32 = geteuid(), askers: Members = Members(), administrators: Members = Members()
  ) {
    self.owner = owner
    self.askers = askers
    self.administrators = administrators
  }

  /// Whether other users than the owner may do anything, so that they must be able to connect.
  package var areShared: Bool { !askers.isEmpty || !administrators.isEmpty }

  /// - Parameter descriptor: a connection over a Unix socket.
  /// - Returns: `nil` when the kernel does not tell who is on the other side.
  package func caller(of descriptor: Int32) -> Caller? {
    PeerCredentials(of: descriptor).map(caller)
  }

  package func caller(_ peer: PeerCredentials) -> Caller {
    let isTrusted = peer.user == owner || peer.user == 0 || administrators.has(peer)
    return Caller(
      role: isTrusted ? .administers : askers.has(peer) ? .asks : .none, user: peer.user)
  }
}
