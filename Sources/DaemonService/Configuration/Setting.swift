/// Every setting of the daemon: its name in the file, its flag, its environment variable and its default.
///
/// The one table that the configuration, `granary config` and docs/configuration.md are made from.
package enum Setting: String, CaseIterable, Sendable {
  case home, socket
  case hotSetBytes = "hot_set_bytes"
  case storeBytes = "store_bytes"
  case storeHardBytes = "store_hard_bytes"
  case lowWatermark = "low_watermark"
  case storeEntries = "store_entries"
  case namespaceBytes = "namespace_bytes"
  case hardwareBytes = "hardware_bytes"
  case unusedSeconds = "unused_seconds"
  case collectSeconds = "collect_seconds"
  case sharedDirectory = "shared_directory"
  case tiers
  case tierWrites = "tier_writes"
  case tierTimeoutSeconds = "tier_timeout_seconds"
  case tierAuthorities = "tier_authorities"
  case offline
  case verifyImports = "verify_imports"
  case serveAddress = "serve_address"
  case serveTokenFile = "serve_token_file"
  case serveCertificate = "serve_certificate"
  case serveKey = "serve_key"
  case serveWrites = "serve_writes"
  case serveBytes = "serve_bytes"
  case serveAnyRecords = "serve_any_records"
  case askUsers = "ask_users"
  case askGroups = "ask_groups"
  case adminUsers = "admin_users"
  case adminGroups = "admin_groups"
  case searchThreads = "search_threads"
  case searchSeconds = "search_seconds"
  case searchCandidates = "search_candidates"
  case searchLeaseSeconds = "search_lease_seconds"
  case costModel = "cost_model"
  case defaultPolicy = "default_policy"
  case tunedDeadlineSeconds = "tuned_deadline_seconds"
  case logLevel = "log_level"

  /// For example `--hot-set-bytes`.
  package var flag: String {
    "--" + String(rawValue.map { $0 == "_" ? "-" : $0 })
  }

  /// For example `GRANARY_HOT_SET_BYTES`.
  package var environmentVariable: String { "GRANARY_" + rawValue.uppercased() }

  /// The value when nobody says anything; empty where it depends on the machine.
  package var defaultValue: String {
    switch self {
    case .home, .socket, .sharedDirectory, .tiers, .tierAuthorities, .serveAddress,
      .serveTokenFile, .serveCertificate, .serveKey, .askUsers, .askGroups, .adminUsers,
      .adminGroups:
      ""
    case .tierWrites, .offline, .serveWrites, .serveAnyRecords: "false"
    case .serveBytes: "1073741824"
    case .tierTimeoutSeconds: "5"
    case .hotSetBytes: "268435456"
    case .storeBytes: "8589934592"
    case .storeHardBytes, .storeEntries, .namespaceBytes, .hardwareBytes: "0"
    case .lowWatermark: "0.9"
    case .unusedSeconds: "0"
    case .collectSeconds: "3600"
    case .verifyImports: "always"
    case .searchThreads: "0"
    case .searchSeconds, .searchLeaseSeconds: "60"
    case .searchCandidates: "2000"
    case .costModel: "true"
    case .defaultPolicy: "baseline"
    case .tunedDeadlineSeconds: "120"
    case .logLevel: "info"
    }
  }

  /// What it is for.
  package var help: String {
    switch self {
    case .home: "The folder of everything; without it, the XDG base directories."
    case .socket: "The Unix socket; at most 107 bytes."
    case .hotSetBytes: "Memory for artifacts and answers that are served without the store."
    case .storeBytes: "The compressed bytes of kernels beyond which entries are collected."
    case .storeHardBytes:
      "The bytes beyond which nothing is stored; 0 for a quarter above store_bytes."
    case .lowWatermark: "The share of a limit that a collection leaves, when the limit began it."
    case .storeEntries: "The number of entries beyond which some are collected; 0 for any number."
    case .namespaceBytes: "The bytes that the entries of each namespace may take; 0 for all."
    case .hardwareBytes: "The bytes that the entries of each kind of hardware may take; 0 for all."
    case .unusedSeconds: "How long an entry may go unused before it is collected; 0 for ever."
    case .collectSeconds: "The time between two collections, give or take a tenth."
    case .sharedDirectory: "A folder through which machines share the schedules that they found."
    case .tiers:
      "Places of shared kernels with spaces between: directories, http, https or s3 URLs."
    case .tierWrites:
      "Whether kernels that this machine made are given to the tiers: true or false."
    case .tierTimeoutSeconds: "How long one exchange with a tier may take."
    case .tierAuthorities:
      "A PEM file of the authorities that vouch for tiers, instead of the system's."
    case .offline:
      "Whether no other machine is asked for anything or given anything: true or false."
    case .serveAddress:
      "Where this store is served to other machines, as IP:PORT; nowhere without it."
    case .serveTokenFile: "A file with the token that clients of serve_address must show."
    case .serveCertificate: "A PEM file with the certificate, and its chain, of serve_address."
    case .serveKey: "A PEM file with the key of that certificate."
    case .serveWrites: "Whether clients of serve_address may put values: true or false."
    case .serveBytes: "The bytes that values of clients may take; the least used go."
    case .serveAnyRecords: "Whether clients may put what is no ActionResult at /ac: true or false."
    case .askUsers: "Users beside the daemon's own who may ask, with spaces between; * for all."
    case .askGroups: "Groups whose users may ask."
    case .adminUsers: "Users who may ask and administer."
    case .adminGroups: "Groups whose users may ask and administer."
    case .verifyImports:
      "never, sample or always: which kernels of other machines are verified first."
    case .searchThreads: "Threads that searches use; 0 for all that the process may use."
    case .searchSeconds: "The longest time that one search takes; 0 to search only when asked."
    case .searchLeaseSeconds:
      "How long machines that share a tier leave a search to one that is silent; 0 for not at all."
    case .searchCandidates: "The most candidates that one search evaluates."
    case .costModel:
      "Whether searches learn, with XGBoost where it is installed, which candidates are worth compiling."
    case .defaultPolicy: "cached, baseline, tuned or locked, for requests that do not say."
    case .tunedDeadlineSeconds: "How long a request with the policy tuned waits at most."
    case .logLevel: "trace, debug, info, notice, warning, error or critical."
    }
  }

  /// Every environment variable that the programs read, beside those of the settings, and why.
  package static let otherEnvironmentVariables: [(name: String, purpose: String)] = [
    ("HOME", "The folder of the XDG defaults."),
    ("XDG_CACHE_HOME", "The store, without GRANARY_HOME."),
    ("XDG_CONFIG_HOME", "The configuration file, without GRANARY_HOME."),
    ("XDG_RUNTIME_DIR", "The socket, without GRANARY_HOME."),
    ("XDG_STATE_HOME", "The logs, without GRANARY_HOME."),
    ("PATH", "Where compilers are found, and granaryd when it is not beside granary."),
    ("TMPDIR", "Where compilers and candidates work; without it, /tmp."),
    ("GRANARY_CC", "The C compiler; without it, clang or gcc in PATH."),
    (
      "GRANARY_CC_SECONDS",
      "The longest time that one compilation of up to 64 KiB takes, and as much again for each 64 KiB more; "
        + "without it, 30 seconds."
    ),
    ("GRANARY_RUNNER", "The program that runs candidates; without it, the one beside granaryd."),
    ("GRANARY_TIER_TOKEN", "The bearer token of tiers that are HTTP servers."),
    ("AWS_ACCESS_KEY_ID", "Who signs requests to tiers in S3; without it, they are not signed."),
    ("AWS_SECRET_ACCESS_KEY", "The secret that goes with it."),
    ("LISTEN_FDS", "Socket activation by systemd."),
    ("LISTEN_PID", "Socket activation by systemd."),
    ("NOTIFY_SOCKET", "Readiness and shutdown told to systemd."),
    ("WATCHDOG_USEC", "The interval of systemd's watchdog."),
  ]
}
