"""The daemon's protocol beyond kernels, in pure Python: for tools, not for hot paths."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket as sockets
from collections.abc import Sequence
from typing import Any

from granary.errors import BadAnswer, BadSpec, DeadlineExceeded, GranaryError, NoDaemon, Unsupported
from granary.spec import Spec

_by_code: dict[str, type[GranaryError]] = {
    "bad-spec": BadSpec,
    "bad-request": BadSpec,
    "unsupported": Unsupported,
    "deadline-exceeded": DeadlineExceeded,
    "shutting-down": NoDaemon,
}


def default_socket() -> str:
    """Where the daemon of this user listens."""

    def variable(name: str) -> str | None:
        return os.environ.get(name) or None

    if explicit := variable("GRANARY_SOCKET"):
        return explicit
    if home := variable("GRANARY_HOME"):
        return home + "/granary.sock"
    cache = variable("XDG_CACHE_HOME") or (variable("HOME") or "/") + "/.cache"
    return (variable("XDG_RUNTIME_DIR") or cache) + "/granary/granary.sock"


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("granary", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = sockets.socket(sockets.AF_UNIX, sockets.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Client:
    """Talks to the daemon. Each call has its own connection, so any thread may use it.

    Every method raises a `GranaryError` when the daemon is absent, late or refuses.
    """

    def __init__(self, socket: str | None = None, timeout: float = 60) -> None:
        self.socket = socket or default_socket()
        self.timeout = timeout

    def greeting(self) -> dict[str, Any]:
        """What the daemon is and can do."""
        return dict(self._json("GET", "/v1/greeting"))

    def statistics(self) -> dict[str, Any]:
        """The daemon's counters."""
        return dict(self._json("GET", "/v1/stats"))

    def hardware(self) -> dict[str, Any]:
        """The machine as Granary sees it."""
        return dict(self._json("GET", "/v1/hardware"))

    def resolve(
        self, specs: Sequence[str | Spec], *, policy: str = "baseline"
    ) -> list[dict[str, Any]]:
        """The answers for specs, in their order; `error` says why one has no kernel."""
        texts = [spec.json() if isinstance(spec, Spec) else spec for spec in specs]
        return list(self._json("POST", "/v1/kernels", {"specs": texts, "policy": policy}))

    def artifact(self, digest: str) -> bytes:
        """The bytes of a kernel, as its digest promises them."""
        status, answer = self._exchange("GET", f"/v1/artifacts/{digest}", None)
        if status != 200 or hashlib.sha256(answer).hexdigest() != digest:
            raise BadAnswer(f"the daemon has no sound artifact {digest}")
        return answer

    def foreign(self, name: str) -> bytes | None:
        """The bytes that were kept under a name; None when there are none."""
        status, answer = self._exchange("GET", f"/v1/foreign/{name}", None)
        if status == 404:
            return None
        if status != 200:
            raise self._failure(answer)
        return answer

    def keep_foreign(self, name: str, content: bytes) -> None:
        """Keeps bytes that mean nothing to Granary, until others are used more.

        Args:
            name: of at most 200 letters, digits, points, dashes and underscores.
            content: what `foreign` gives back.
        """
        status, answer = self._exchange("POST", f"/v1/foreign/{name}", content)
        if status != 200:
            raise self._failure(answer)

    def remove_foreign(self, name: str) -> None:
        """Removes what was kept under a name, if anything was."""
        self._json("DELETE", f"/v1/foreign/{name}")

    def explain(self, spec: str | Spec) -> dict[str, Any]:
        """Why a kernel is served for a spec, or why there is none."""
        text = spec.json() if isinstance(spec, Spec) else spec
        return dict(self._json("POST", "/v1/explain", {"specs": [text]}))

    def examine(self, spec: str | Spec) -> dict[str, Any]:
        """Which wrong answers the daemon's verification would see for a spec, and on what inputs.

        Takes as long as several plain evaluations of the spec.
        """
        text = spec.json() if isinstance(spec, Spec) else spec
        return dict(self._json("POST", "/v1/examine", {"spec": text}))

    def _json(self, method: str, target: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode()
        status, answer = self._exchange(method, target, content)
        if status != 200:
            raise self._failure(answer)
        return self._decoded(answer)

    def _decoded(self, answer: bytes) -> Any:
        try:
            return json.loads(answer)
        except ValueError:
            raise BadAnswer("what answers on the socket is no Granary daemon") from None

    def _failure(self, answer: bytes) -> GranaryError:
        value = self._decoded(answer)
        if not isinstance(value, dict):
            return BadAnswer("what answers on the socket is no Granary daemon")
        return _by_code.get(value.get("code", ""), GranaryError)(value.get("message", answer))

    def _exchange(self, method: str, target: str, body: bytes | None) -> tuple[int, bytes]:
        connection = _UnixConnection(self.socket, self.timeout)
        try:
            connection.request(method, target, body)
            response = connection.getresponse()
            return response.status, response.read()
        except TimeoutError:
            raise DeadlineExceeded(f"no answer within {self.timeout} s") from None
        except http.client.HTTPException as error:
            raise BadAnswer(f"what answers on {self.socket} is no daemon: {error!r}") from None
        except OSError as error:
            raise NoDaemon(f"no daemon answers on {self.socket}: {error}") from None
        finally:
            connection.close()
