"""Models compiled ahead of time: a folder that runs where there is no daemon."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._pytree import tree_flatten, tree_unflatten

from granary.client import Client
from granary.errors import BadAnswer
from granary.exporting import placeholder_values
from granary.torch.backend import decompositions, name_attention
from granary.torch.groups import FusedGraph
from granary.torch.support import Support

_format = 1


@dataclass(frozen=True)
class Ahead:
    """What was written."""

    path: Path
    kernels: int
    groups: int
    groups_in_kernels: int


def compile_ahead(
    model: torch.nn.Module,
    inputs: Sequence[Any],
    out: str | Path,
    *,
    policy: str | None = None,
    deadline: float = 600,
    socket: str | None = None,
) -> Ahead:
    """Writes a model with its kernels into a folder, for `load` where there is no daemon.

    The folder has the program with its weights (`model.pt2`), the kernels as the daemon publishes
    them (`artifacts`, `kernels`, `specs`), the specs one a line (`specs.jsonl`), `granary.lock`,
    and `manifest.json` with the digest of every file.

    Args:
        model: in the mode in which it is to run; it is exported for inference.
        inputs: positional arguments, whose sizes the kernels get.
        out: a folder that is new or empty.
        policy: as for `granary.get`; `tuned` waits for searches.
        deadline: seconds for all kernels together.
        socket: as for `granary.get`.

    Raises:
        GranaryError: when the daemon does not answer.
        ValueError: when the folder is not empty, or the model changes its buffers.
        torch.export's own errors for what it cannot export.
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty")
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(model, tuple(inputs), strict=False)
        program = program.run_decompositions(decompositions())
    if program.graph_signature.buffers_to_mutate:
        raise ValueError("the model changes its buffers; call model.eval() first")
    torch.export.save(program, folder / "model.pt2")
    # What `load` will see.
    graph = torch.export.load(folder / "model.pt2").graph_module
    name_attention(graph.graph)
    support = Support(graph.graph)
    support.ask(socket)
    fused = FusedGraph(graph, support)
    fused.ask(policy=policy, deadline=deadline, socket=socket)
    specs = sorted({item.spec for item in fused.fused if item.kernel is not None})
    answers = Client(socket).resolve(specs, policy="cached") if specs else []
    _write_kernels(folder, specs, answers, Client(socket))
    _write_manifest(folder, [node.name for node in graph.graph.nodes if support(node)])
    inside = sum(item.kernel is not None for item in fused.fused)
    artifacts = {answer["artifact"] for answer in answers}
    return Ahead(folder, len(artifacts), len(fused.fused), inside)


def load(path: str | Path, *, measured: bool = True) -> Callable[..., Any]:
    """The function of a model that `compile_ahead` wrote; asks no daemon for what is there.

    A group whose kernel this machine cannot run is run by PyTorch.

    Args:
        path: the folder.
        measured: whether PyTorch keeps the groups at which it is faster, as measured by the first
            call.

    Raises:
        BadAnswer: when a file is missing or is not the one that was written.
    """
    folder = Path(path)
    manifest = _checked_manifest(folder)
    program = torch.export.load(folder / "model.pt2")
    graph = program.graph_module
    name_attention(graph.graph)
    fused = FusedGraph(graph, Support.known(graph.graph, manifest["nodes"]))
    # No daemon is asked: what the folder lacks stays with PyTorch.
    absent = str(folder.resolve() / "no-daemon")
    fused.ask(policy="cached", deadline=1, socket=absent, published=str(folder.resolve()))
    run = fused.compile(measured=measured)
    values = placeholder_values(program)
    form: Any = program.call_spec.out_spec

    def call(*args: Any, **kwargs: Any) -> Any:
        given = iter(tree_flatten((args, kwargs))[0])
        with torch.no_grad():
            results = run(*[next(given) if value is None else value for value in values])
        return tree_unflatten(list(results), form)

    return call


def _write_kernels(
    folder: Path, specs: Sequence[str], answers: Sequence[dict[str, Any]], client: Client
) -> None:
    """In the form in which the daemon publishes kernels, which the C library reads."""
    for part in ("artifacts", "kernels", "specs"):
        (folder / part).mkdir(mode=0o755)
    locked = {}
    for spec, answer in zip(specs, answers, strict=True):
        members = ("artifact", "key", "manifest", "revision", "verdict")
        kernel = {name: answer[name] for name in members}
        means = {"inputs": answer["inputs"], "kernel": answer["key"]}
        (folder / "kernels" / answer["key"]).write_text(_json(kernel))
        (folder / "specs" / _digest(spec.encode())).write_text(_json(means))
        (folder / "artifacts" / answer["artifact"]).write_bytes(client.artifact(answer["artifact"]))
        names = ("key", "name", "revision", "artifact")
        locked[answer["key"]] = {name: answer[name] for name in names if name in answer}
    lock = {"granary_lock": 1, "kernels": list(locked.values())}
    (folder / "granary.lock").write_text(json.dumps(lock, indent=2) + "\n")
    (folder / "specs.jsonl").write_text("".join(spec + "\n" for spec in specs))


def _write_manifest(folder: Path, nodes: list[str]) -> None:
    files = {str(file.relative_to(folder)): _digest(file.read_bytes()) for file in _files(folder)}
    manifest = {"granary_ahead": _format, "torch": torch.__version__, "nodes": nodes}
    (folder / "manifest.json").write_text(json.dumps(manifest | {"files": files}, indent=1) + "\n")


def _checked_manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    except (OSError, ValueError) as error:
        raise BadAnswer(f"{folder} holds no model compiled ahead: {error}") from None
    if manifest.get("granary_ahead") != _format:
        raise BadAnswer(f"{folder} was written by another version of Granary")
    for name, digest in manifest["files"].items():
        file = folder / name
        if not file.is_file() or _digest(file.read_bytes()) != digest:
            raise BadAnswer(f"{file} is not the file that was written")
    return manifest


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), sort_keys=True)
