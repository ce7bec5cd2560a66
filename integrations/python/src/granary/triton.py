"""Triton's cache in Granary's store.

    TRITON_CACHE_MANAGER=granary.triton:CacheManager python train.py

Compiled kernels, launchers and, with TRITON_CACHE_AUTOTUNING=1, what autotuning found are kept by
the daemon, for all processes and users of its socket. Triton wants files, so each is laid into its
own cache directory as well; without a daemon that directory is all there is, as ever.
"""

from __future__ import annotations

import json
import os
from functools import cache

from triton.runtime.cache import FileCacheManager

from granary.foreign import Foreign, ForeignCounters


@cache
def _store() -> Foreign:
    return Foreign("triton")


def counters() -> ForeignCounters:
    """What this process got from the store and put there."""
    return _store().counters


class CacheManager:
    """The files of one key: what the daemon has, and else what the directory has.

    Dumps and overrides are for people, and stay in their directories. Triton knows a cache manager
    by the name of its class.
    """

    def __init__(self, key: str, override: bool = False, dump: bool = False) -> None:
        self._key = key
        self._files = FileCacheManager(key, override=override, dump=dump)
        self._is_shared = not override and not dump

    def get_file(self, filename: str) -> str | None:
        """The path of a file, which the daemon or the directory has."""
        if self._is_shared and (content := _store().get(self._name(filename))) is not None:
            return self._laid(filename, content)
        path: str | None = self._files.get_file(filename)
        return path

    def put(self, data: bytes | str, filename: str, binary: bool = True) -> str:
        """Keeps a file, and gives its path."""
        path: str = self._files.put(data, filename, binary)
        if self._is_shared:
            content = data if isinstance(data, bytes) else str(data).encode()
            _store().keep(self._name(filename), content)
        return path

    def get_group(self, filename: str) -> dict[str, str] | None:
        """The paths of files that belong together; None unless all are there."""
        listed = _store().get(self._name(f"group {filename}")) if self._is_shared else None
        if listed is not None:
            paths = {name: self.get_file(name) for name in json.loads(listed)}
            found = {name: path for name, path in paths.items() if path is not None}
            if len(found) == len(paths):
                return found
        group: dict[str, str] | None = self._files.get_group(filename)
        return group

    def put_group(self, filename: str, group: dict[str, str]) -> str:
        """Notes which files belong together."""
        if self._is_shared:
            names = json.dumps(sorted(group)).encode()
            _store().keep(self._name(f"group {filename}"), names)
        path: str = self._files.put_group(filename, group)
        return path

    def _name(self, filename: str) -> str:
        return f"{self._key}/{filename}"

    def _laid(self, filename: str, content: bytes) -> str:
        """The path of a file with this content, written unless it is there."""
        path: str | None = self._files.get_file(filename)
        if path is not None and os.path.getsize(path) == len(content):
            with open(path, "rb") as file:
                if file.read() == content:
                    return path
        laid: str = self._files.put(content, filename)
        return laid
