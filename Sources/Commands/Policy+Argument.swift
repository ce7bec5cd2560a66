public import ArgumentParser
public import DaemonAPI

/// A policy as the value of an option.
extension Policy: ExpressibleByArgument {}
