"""Kernels as functions that fall back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from granary.errors import GranaryError, IndexOutOfRange
from granary.kernels import Kernel, get
from granary.spec import Spec

_log = logging.getLogger("granary")
_told: set[type[GranaryError]] = set()


class KernelFunction:
    """A function of tensors that runs a spec's kernel, or its fallback when there is none.

    Asks for the kernel at its first call. A failure is logged once for each kind of failure.
    """

    def __init__(
        self, spec: str | Spec, fallback: Callable[..., Any] | None, options: dict[str, Any]
    ) -> None:
        self.spec = spec
        self.fallback = fallback
        self.fallback_calls = 0
        self.kernel_calls = 0
        self._options = options
        self._kernel: Kernel | None = None

    def __call__(self, *tensors: Any) -> Any:
        """Runs the kernel; without one, the fallback with the same tensors.

        Raises:
            GranaryError: without a fallback, when there is no kernel.
            TypeError, ValueError: when a tensor does not fit its input.
            IndexOutOfRange: when an index in an input lies outside its table.
        """
        try:
            kernel = self._kernel or self.resolve()
            result = kernel(*tensors)
            self.kernel_calls += 1
            return result
        except IndexOutOfRange:
            raise
        except GranaryError as error:
            if self.fallback is None:
                raise
            _tell(error)
        self.fallback_calls += 1
        return self.fallback(*tensors)

    def resolve(self, refresh: bool = False) -> Kernel:
        """Asks for the kernel now; with `refresh`, for a better one than the process has.

        Raises:
            GranaryError: when there is none.
        """
        self._kernel = get(self.spec, refresh=refresh, **self._options)
        return self._kernel


def kernel(
    spec: str | Spec, fallback: Callable[..., Any] | None = None, **options: Any
) -> KernelFunction:
    """A function of tensors that runs the kernel of a spec.

    Args:
        spec: in text form, as JSON, or a `Spec`.
        fallback: called with the same tensors when there is no kernel.
        options: `policy`, `deadline` and `socket` of `get`.
    """
    return KernelFunction(spec, fallback, options)


def _tell(error: GranaryError) -> None:
    if type(error) not in _told:
        _told.add(type(error))
        _log.warning("no kernel, falling back: %s", error)
