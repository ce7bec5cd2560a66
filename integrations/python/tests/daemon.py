"""A daemon of its own for tests: the real one, in a folder that goes away."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

library = Path(__file__).resolve().parents[2] / "c" / "build" / "libgranary.so"


def use_tree() -> None:
    """Uses the C library of this tree, unless another is named or the package is installed."""
    os.environ.setdefault("GRANARY_LIBRARY", str(library))


@contextlib.contextmanager
def running_daemon(**settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `granaryd` from PATH with a private GRANARY_HOME, which this process uses too."""
    program = shutil.which("granaryd")
    if program is None:
        raise SystemExit("granaryd is not in PATH")
    home = tempfile.mkdtemp(prefix="granary-python-")
    searching = {"GRANARY_SEARCH_SECONDS": "0.01", "GRANARY_SEARCH_CANDIDATES": "1"}
    before = dict(os.environ)
    os.environ.update({"GRANARY_HOME": home, **searching, **settings})
    os.environ.pop("GRANARY_SOCKET", None)
    with open(Path(home) / "daemon.log", "wb") as log:
        daemon = subprocess.Popen([program], stderr=log)
    try:
        _await(daemon, home)
        yield daemon
    finally:
        daemon.kill()
        daemon.wait()
        shutil.rmtree(home, ignore_errors=True)
        os.environ.clear()
        os.environ.update(before)


def _await(daemon: subprocess.Popen[bytes], home: str) -> None:
    deadline = time.monotonic() + 60
    while daemon.poll() is None and time.monotonic() < deadline:
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.connect(home + "/granary.sock")
            return
        time.sleep(0.01)
    raise SystemExit((Path(home) / "daemon.log").read_text(errors="replace"))
