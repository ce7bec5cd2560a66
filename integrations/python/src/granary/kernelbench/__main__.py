"""The command line: `python -m granary.kernelbench --path CHECKOUT`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from granary.kernelbench.outcomes import (
    Outcome,
    by_mode,
    failures,
    summary,
    summary_lines,
)
from granary.kernelbench.problems import problems
from granary.kernelbench.running import Settings, run_apart


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="granary bench kernelbench",
        description="Runs KernelBench's problems with Granary's kernels, and times PyTorch beside.",
    )
    add = parser.add_argument
    add("--path", type=Path, required=True, help="a checkout of KernelBench")
    add("--level", type=int, action="append", help="1, 2, 3 or 4; 1 to 3 unless told")
    add("--problem", action="append", default=[], help="a number, or a part of a name")
    add("--scale", choices=["small", "full"], default="full", help="reduced or the files' shapes")
    add("--mode", choices=["training", "evaluation", "both"], default="training")
    add("--policy", choices=["baseline", "tuned"], default="baseline")
    add("--deadline", type=float, default=300, help="seconds for one kernel")
    add("--trials", type=int, default=5, help="fresh inputs for each check")
    add("--tolerance", type=float, help="absolute and relative; KernelBench's unless told")
    add("--rounds", type=int, default=20, help="timed calls of each")
    add("--no-compile", action="store_true", help="do not time torch.compile")
    add("--no-examine", action="store_true", help="do not ask what verification would not see")
    add("--limit", type=float, default=900, help="seconds for one problem")
    add("--import-only", action="store_true", help="export only: nothing runs or needs memory")
    add("--json", action="store_true", help="print one object for all")
    return parser.parse_args(given)


def settings(options: argparse.Namespace) -> list[Settings]:
    """The settings of each mode that was asked for."""
    modes = ["training", "evaluation"] if options.mode == "both" else [options.mode]
    return [
        Settings(
            scale=options.scale,
            training=mode == "training",
            policy=options.policy,
            deadline=options.deadline,
            trials=options.trials,
            tolerance=options.tolerance,
            rounds=options.rounds,
            compile=not options.no_compile,
            examine=not options.no_examine,
            limit=options.limit,
            import_only=options.import_only,
        )
        for mode in modes
    ]


def main(given: list[str] | None = None) -> int:
    """Runs the chosen problems.

    Returns:
        0 when all are correct, or imported with `--import-only`, 1 when one is not, 2 when there is
        none.
    """
    options = arguments(given)
    # A pool of compiler processes would outlive the problem's.
    os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")
    outcomes: list[Outcome] = []
    for path in problems(options.path, options.level or [1, 2, 3], options.problem):
        for chosen in settings(options):
            outcomes.append(run_apart(path, chosen))
            if not options.json:
                print(outcomes[-1].line(), flush=True)
    if not outcomes:
        message = f"{options.path} has no such problem; a checkout has KernelBench/level1/*.py"
        print(f"granary: {message}", file=sys.stderr)
        return 2
    if options.json:
        listed = [outcome.json() for outcome in outcomes]
        modes = {mode: summary(each) for mode, each in by_mode(outcomes).items()}
        report = {"problems": listed, "summary": summary(outcomes), "modes": modes}
        print(json.dumps(report, indent=1))
    else:
        print("\n".join(summary_lines(outcomes)))
    return 1 if failures(outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
