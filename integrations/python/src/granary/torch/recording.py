"""Which specs a model asks for, so that they can be made before it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

_open: list[Recording] = []


@dataclass(eq=False)
class Recording:
    """The specs that were asked for, each once, in the order of the first time."""

    specs: list[str] = field(default_factory=list)

    def save(self, path: str | Path) -> None:
        """Writes them one a line, as `granary prewarm` and `granary lock` read them."""
        Path(path).write_text("".join(spec + "\n" for spec in self.specs))


@contextmanager
def record(path: str | Path | None = None) -> Iterator[Recording]:
    """Records the specs that compiled models and overridden operators ask for.

    Args:
        path: where they are written at the end, one a line.
    """
    recording = Recording()
    _open.append(recording)
    try:
        yield recording
    finally:
        _open.remove(recording)
        if path is not None:
            recording.save(path)


def note(specs: list[str]) -> None:
    """Tells all open recordings about specs."""
    for recording in _open:
        known = set(recording.specs)
        recording.specs += [spec for spec in dict.fromkeys(specs) if spec not in known]
