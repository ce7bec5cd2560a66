"""KernelBench's problem files, at their own and at reduced shapes."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.overrides import TorchFunctionMode

_batch_limit = 4
_limits = (64, 128, 256, 512)


class NotReduced(Exception):
    """A problem that does not run at smaller shapes."""


def problems(checkout: Path, levels: list[int], chosen: list[str]) -> Iterator[Path]:
    """The problem files of a checkout, by level and number.

    Args:
        checkout: of KernelBench, or its folder with the levels.
        levels: which; in this order.
        chosen: numbers, or parts of names such as `softmax`; all when it is empty.
    """
    root = checkout / "KernelBench" if (checkout / "KernelBench").is_dir() else checkout
    for level in levels:
        files = sorted((root / f"level{level}").glob("[0-9]*.py"), key=_number)
        yield from (file for file in files if not chosen or _is_chosen(file, chosen))


def _is_chosen(file: Path, chosen: list[str]) -> bool:
    return any(
        int(wanted) == _number(file) if wanted.isdigit() else wanted.lower() in file.stem.lower()
        for wanted in chosen
    )


def _number(file: Path) -> int:
    return int(file.stem.split("_")[0])


class Problem:
    """A problem file, run in a namespace of its own.

    Args:
        path: a file with `Model`, `get_inputs` and `get_init_inputs`.
        scale: `full` for the file's own shapes; `small` for reduced ones, the smallest of a few
            with which the model runs.
        training: whether the model is in training mode, as KernelBench leaves it.

    Raises:
        NotReduced: for `small`, when no reduction runs.
        Whatever the file raises.
    """

    def __init__(self, path: Path, scale: str = "full", training: bool = True) -> None:
        self.name = f"{path.parent.name}/{path.stem}"
        self.training = training
        self.reduced: dict[str, str] = {}
        """What was made smaller: a name or `get_inputs`, and how it reads now."""
        self._path = path
        self._names: dict[str, Any] = {}
        self._load(ast.parse(path.read_text()))
        if scale == "small":
            self._reduce()

    def model(self) -> torch.nn.Module:
        """The model with the weights of seed 42."""
        torch.manual_seed(42)
        with _OnTheProcessor():
            model: torch.nn.Module = self._names["Model"](*self._names["get_init_inputs"]())
            return model.train(self.training)

    def inputs(self, seed: int) -> list[Any]:
        """Fresh inputs."""
        torch.manual_seed(seed)
        with _OnTheProcessor():
            return list(self._names["get_inputs"]())

    def without_memory(self) -> tuple[torch.nn.Module, list[Any], FakeTensorMode]:
        """The model and inputs as tensors of no memory, and the mode that they are of.

        A model that reads values while it is made has real parameters.
        """
        mode = FakeTensorMode(allow_non_fake_inputs=True)
        with mode:
            inputs = self.inputs(42)
            try:
                return self.model(), inputs, mode
            except Exception:
                pass
        return self.model(), inputs, mode

    def _load(self, tree: ast.Module) -> None:
        self._names = {"__name__": "kernelbench_problem", "__file__": str(self._path)}
        with _OnTheProcessor():
            exec(compile(tree, str(self._path), "exec"), self._names)

    def _reduce(self) -> None:
        reason: Exception | None = None
        for limit in _limits:
            for also_inputs in (True, False):
                reduction = _Reduction(limit, also_inputs)
                tree = reduction.visit(ast.parse(self._path.read_text()))
                try:
                    self._load(ast.fix_missing_locations(tree))
                    with torch.no_grad():
                        results = self.model()(*self.inputs(42))
                    if all(tensor.numel() for tensor in flat(results)):
                        self.reduced = reduction.changes
                        return
                except Exception as error:
                    reason = error
        raise NotReduced(f"no reduction of its shapes runs: {reason}")


class _OnTheProcessor(TorchFunctionMode):
    """Makes on the CPU what a file makes on a GPU, as some do by name."""

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = {name: _on_the_processor(value) for name, value in (kwargs or {}).items()}
        if function is torch.Tensor.cuda:
            return args[0]
        if function is torch.Tensor.to:
            args = (args[0], *map(_on_the_processor, args[1:]))
        return function(*args, **kwargs)


def _on_the_processor(value: Any) -> Any:
    is_gpu = isinstance(value, str | torch.device) and str(value).split(":")[0] == "cuda"
    return "cpu" if is_gpu else value


class _Reduction(ast.NodeTransformer):
    """Halves the integers of a file's constants until they are small.

    Halving keeps what divides what, as far as it can be kept; whether the model runs is tried.
    """

    def __init__(self, limit: int, also_inputs: bool) -> None:
        self.changes: dict[str, str] = {}
        self._limit = limit
        self._also_inputs = also_inputs

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Reduces the constants at the top of the file."""
        for statement in node.body:
            if isinstance(statement, ast.Assign):
                self._reduce(statement.value, ast.unparse(statement.targets[0]))
            elif self._also_inputs and getattr(statement, "name", "") == "get_inputs":
                self._reduce(statement, "get_inputs")
        return node

    def _reduce(self, node: ast.AST, name: str) -> None:
        limit = _batch_limit if "batch" in name.lower() else self._limit
        changed = False
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and type(part.value) is int and part.value > limit:
                while part.value > limit:
                    part.value //= 2
                changed = True
        if changed:
            self.changes[name] = ast.unparse(node) if name != "get_inputs" else "smaller"


def flat(value: Any) -> list[torch.Tensor]:
    """The tensors of a model's result, in order."""
    leaves = torch.utils._pytree.tree_leaves(value)
    return [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
