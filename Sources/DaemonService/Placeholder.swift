import NIOHTTP1
import NIOPosix
import Logging
import Metrics
import ServiceLifecycle
import ArgumentParser
