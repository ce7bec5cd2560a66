"""What can go wrong, one class for each status of the C library."""

from __future__ import annotations


class GranaryError(RuntimeError):
    """A kernel could not be had or did not run. Use your own operator."""

    code = "internal-error"


class KernelFailed(GranaryError):
    """The kernel returned a status that this version does not know."""

    code = "kernel-failed"


class IndexOutOfRange(GranaryError, IndexError):
    """An index in an input lies outside its table; the outputs are unspecified."""

    code = "index-out-of-range"


class NoDaemon(GranaryError):
    """Nobody answers on the socket."""

    code = "no-daemon"


class DeadlineExceeded(GranaryError, TimeoutError):
    """The daemon did not answer in time."""

    code = "deadline-exceeded"


class BadSpec(GranaryError, ValueError):
    """The spec is wrong; the message says where."""

    code = "bad-spec"


class Unsupported(GranaryError):
    """The spec, or the kernel that was served, cannot be used on this machine."""

    code = "unsupported"


class NoKernel(GranaryError):
    """The policy was `cached`, and the cache has no kernel."""

    code = "not-found"


class PreferVendor(GranaryError):
    """Measured: the caller's own operator is faster here."""

    code = "prefer-vendor"


class BadAnswer(GranaryError):
    """What answered is no daemon, or an artifact arrived damaged."""

    code = "bad-answer"


class EnvironmentRefused(GranaryError, OSError):
    """The system refused memory, files, threads or loading."""

    code = "environment"


class BadArgument(GranaryError, ValueError):
    """A null pointer or a misaligned buffer reached the C library."""

    code = "bad-argument"


class SizeRefused(GranaryError, ValueError):
    """An open size is one that the kernel was not made for."""

    code = "size-refused"


_by_status: dict[int, type[GranaryError]] = {
    1: IndexOutOfRange,
    3: SizeRefused,
    100: NoDaemon,
    101: DeadlineExceeded,
    102: BadSpec,
    103: Unsupported,
    104: NoKernel,
    105: PreferVendor,
    106: BadAnswer,
    107: EnvironmentRefused,
    108: BadArgument,
}


def failure(status: int, message: str) -> GranaryError:
    """The error for a status of the C library."""
    return _by_status.get(status, KernelFailed)(message)
