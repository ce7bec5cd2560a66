import DaemonAPI

/// Values with their origins, before they are checked.
struct SettingValues {
  private var found: [Setting: (text: String, origin: String)] = [:]

  init(flags: [Setting: String], environment: [String: String], file: ConfigurationFile) {
    for setting in Setting.allCases {
      if let text = flags[setting] {
        found[setting] = (text, "flag \(setting.flag)")
      } else if let text = environment[setting.environmentVariable], !text.isEmpty {
        found[setting] = (text, "environment \(setting.environmentVariable)")
      } else if let line = file.values[setting] {
        found[setting] = (line.text, "file \(file.path):\(line.number)")
      }
    }
  }

  mutating func setDefault(_ setting: Setting, _ text: String) {
    if found[setting] == nil { found[setting] = (text, "default") }
  }

  func text(_ setting: Setting) -> String { found[setting]?.text ?? setting.defaultValue }

  func reported(_ setting: Setting) -> ConfigurationReport.Setting {
    .init(
      name: setting.rawValue, value: text(setting), origin: found[setting]?.origin ?? "default")
  }

  func integer(_ setting: Setting, in range: ClosedRange<Int>) throws(ServiceError) -> Int {
    guard let value = Int(text(setting)), range.contains(value) else {
      throw refusal(
        setting, "a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  /// The hard limit on the store, which is never below the soft one.
  func hardBytes(above soft: Int) throws(ServiceError) -> Int {
    let bytes = try integer(.storeHardBytes, in: 0...1 << 51)
    guard bytes == 0 || bytes >= soft else {
      throw refusal(.storeHardBytes, "0 or at least store_bytes, which is \(soft)")
    }
    return bytes == 0 ? soft + soft / 4 : bytes
  }

  func boolean(_ setting: Setting) throws(ServiceError) -> Bool {
    guard let value = Bool(text(setting)) else { throw refusal(setting, "true or false") }
    return value
  }

  func share(_ setting: Setting) throws(ServiceError) -> Double {
    guard let value = Double(text(setting)), value > 0, value <= 1 else {
      throw refusal(setting, "a number above 0 and at most 1")
    }
    return value
  }

  func seconds(_ setting: Setting, orZero: Bool = false) throws(ServiceError) -> Double {
    guard let value = Double(text(setting)), value > 0 || (orZero && value == 0), value <= 1e9
    else {
      throw refusal(setting, "a number of seconds \(orZero ? "from" : "above") 0")
    }
    return value
  }

  func refusal(_ setting: Setting, _ expected: String) -> ServiceError {
    let origin = found[setting]?.origin ?? "default"
    return ServiceError(
      .badRequest,
      "\(setting.rawValue) is '\(text(setting))' (\(origin)), but must be \(expected)")
  }
}

extension SettingValues {
  /// - Throws: `bad-request` for an address that others reach without TLS or without a token, or that anybody could
  ///   write to.
  func serving() throws(ServiceError) -> ServingConfiguration? {
    guard !text(.serveAddress).isEmpty else { return nil }
    guard let address = NetworkAddress(parsing: text(.serveAddress)) else {
      throw refusal(.serveAddress, "IP:PORT, as in 127.0.0.1:8980 or [::]:8980")
    }
    let serving = ServingConfiguration(
      address: address, tokenFile: text(.serveTokenFile), certificate: text(.serveCertificate),
      key: text(.serveKey), takesValues: try boolean(.serveWrites),
      limitBytes: try integer(.serveBytes, in: 1 << 20...1 << 50),
      takesAnyRecords: try boolean(.serveAnyRecords))
    guard serving.certificate.isEmpty == serving.key.isEmpty else {
      throw refusal(.serveKey, "set together with serve_certificate")
    }
    guard address.isLoopback || !serving.certificate.isEmpty else {
      throw refusal(.serveAddress, "a loopback address, or have serve_certificate and serve_key")
    }
    guard !serving.tokenFile.isEmpty || (address.isLoopback && !serving.takesValues) else {
      throw refusal(
        .serveTokenFile, "a file: only reading on a loopback address needs no token")
    }
    return serving
  }

  func roles() throws(ServiceError) -> Roles {
    Roles(
      askers: try .init(users: text(.askUsers), groups: text(.askGroups)),
      administrators: try .init(users: text(.adminUsers), groups: text(.adminGroups)))
  }
}
