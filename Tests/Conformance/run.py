"""Compares Granary with PyTorch on the samples of PyTorch's own operator tests.

    python Tests/Conformance/run.py
        every sample, by the reference evaluator
    python Tests/Conformance/run.py --through daemon --sample 2
        two samples of each operator and dtype, by compiled kernels

Prints for each operator how many samples of each dtype passed, what failed, and what is
unsupported and why.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integrations/python/tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "integrations/python/src"))

from daemon import running_daemon, use_tree

use_tree()

import torch

import samples
from comparison import difference, names_equal_elements
from granary.graphs import Untranslatable
from judges import DaemonJudge, EvaluatorJudge, Unsupported, Wrong

# Operators whose samples lie where f32 and f64 round to different sides of a whole number.
discontinuous = {
    ("linspace", "integer"),
    ("linspace.tensor_overload", "integer"),
    ("masked.logsumexp", "integer"),
}


class Tally:
    """What became of the samples of one operator."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts: dict[str, Counter[str]] = {}
        self.reasons: Counter[str] = Counter()
        self.failures: list[dict[str, str]] = []
        self.passed_by_aten: Counter[tuple[str, str]] = Counter()

    def note(self, dtype: str, outcome: str, reason: str = "", spec: str = "") -> None:
        self.counts.setdefault(dtype, Counter())[outcome] += 1
        if outcome == "unsupported":
            self.reasons[shortened(reason)] += 1
        if outcome == "failed" and sum(f["dtype"] == dtype for f in self.failures) < 3:
            self.failures.append({"dtype": dtype, "reason": reason, "spec": spec})

    def total(self, outcome: str) -> int:
        return sum(count[outcome] for count in self.counts.values())

    def line(self) -> str:
        shown = [
            f"{dtype} {count['passed']}/{count.total()}" for dtype, count in self.counts.items()
        ]
        return f"{self.name:44} {'  '.join(shown)}"

    def json(self) -> dict:
        return {
            "operator": self.name,
            "dtypes": {dtype: dict(count) for dtype, count in self.counts.items()},
            "unsupported": dict(self.reasons.most_common()),
            "failures": self.failures,
            "passed_by_aten": [[*pair, count] for pair, count in self.passed_by_aten.items()],
        }


def shortened(reason: str) -> str:
    """A reason without what differs between samples."""
    reason = reason.splitlines()[0] if reason else "no reason"
    return re.sub(r"^node \S+ \((\S+)\): ", r"\1: ", reason)[:200]


def examine(op, options: argparse.Namespace) -> Tally:
    """Tries the samples of one operator."""
    tally = Tally(samples.full_name(op))
    judge = the_judge(options)
    for name in options.dtypes:
        if samples.dtypes[name] not in op.supported_dtypes("cpu"):
            continue
        if options.part == "gradients" and not (
            op.supports_autograd and samples.dtypes[name].is_floating_point
        ):
            continue
        prepared = []
        try:
            for call in islice(samples.calls(op, samples.dtypes[name]), options.sample):
                if sample := prepare(op, call, name, tally, options):
                    prepared.append(sample)
        except Exception as error:
            tally.note(name, "unsupported", f"PyTorch makes no samples: {error!r}")
        if isinstance(judge, DaemonJudge) and prepared:
            judge.fetch(prepared)
        for sample in prepared:
            compare(sample, judge, name, tally)
    return tally


def prepare(
    op, call, dtype: str, tally: Tally, options: argparse.Namespace
) -> samples.Sample | None:
    try:
        return samples.prepare(op, call, options.known, options.part)
    except samples.NotComparable as reason:
        tally.note(dtype, "skipped", str(reason))
    except Untranslatable as reason:
        tally.note(dtype, "unsupported", str(reason))
    except Exception as error:
        # The operator refuses its own sample, or cannot be traced.
        first = (str(error).splitlines() or [""])[0]
        tally.note(dtype, "unsupported", f"cannot be traced: {type(error).__name__}: {first}")
    return None


def compare(sample: samples.Sample, judge, dtype: str, tally: Tally) -> None:
    try:
        results = sample.results(judge.compute(sample))
        wrong = difference(results, sample.expected)
    except Unsupported as reason:
        tally.note(dtype, "unsupported", str(reason))
        return
    except Wrong as reason:
        results, wrong = None, str(reason)
    if wrong and results is not None and agrees_otherwise(sample, results):
        wrong = None
    if wrong and results is not None and is_ambiguous(tally.name, sample, results):
        tally.note(dtype, "skipped", "PyTorch's own parts do not give the operator's result")
    elif wrong:
        tally.note(dtype, "failed", wrong, sample.spec.json())
    else:
        tally.note(dtype, "passed")
        tally.passed_by_aten.update((name, dtype) for name in sample.operators)


def agrees_otherwise(sample: samples.Sample, results: list[torch.Tensor]) -> bool:
    """Whether results differ only among equal elements, or are what PyTorch gives for 16-bit types
    when it does not round on the way.

    PyTorch's own tests judge these types so: what it computes in them may be far off.
    """
    if differs_in_ties(sample, results):
        return True
    if not is_narrow(sample):
        return False
    try:
        return difference(results, sample.expected_exactly()) is None
    except (RuntimeError, TypeError):
        return False


def differs_in_ties(sample: samples.Sample, results: list[torch.Tensor]) -> bool:
    (node, *others) = sample.spec.nodes
    gives_positions = node["op"] == "aten.argsort.default"
    if others or not (gives_positions or node["op"] in ("aten.sort.default", "aten.topk.default")):
        return False
    dim = node["args"].get("dim", -1)
    return all(
        names_equal_elements(sample.inputs[0], dim, got, want)
        if gives_positions or reference.endswith("#1")
        else difference([got], [want]) is None
        for reference, got, want in zip(sample.spec.outputs, results, sample.expected, strict=True)
    )


def is_ambiguous(name: str, sample: samples.Sample, results: list[torch.Tensor]) -> bool:
    """Whether PyTorch gives another result when it computes the spec's operators one by one, and
    the results are those; in 16-bit types it is enough that PyTorch disagrees with itself.
    """
    kind = "real" if sample.expected[0].is_floating_point() else "integer"
    if (name, kind) in discontinuous:
        return True
    parts = sample.expected_of_parts()
    if not difference(parts, sample.expected):
        return False
    return is_narrow(sample) or difference(results, parts) is None


def is_narrow(sample: samples.Sample) -> bool:
    return any(want.dtype in (torch.bfloat16, torch.float16) for want in sample.expected)


_judges: list = []


def the_judge(options: argparse.Namespace):
    """The judge of this process."""
    if not _judges:
        daemon = options.through == "daemon"
        _judges.append(DaemonJudge() if daemon else EvaluatorJudge(options.evaluator))
    return _judges[0]


def examine_at(task: tuple[int, argparse.Namespace]) -> Tally:
    index, options = task
    torch.set_num_threads(1)
    return examine(samples.operators()[index], options)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--through", choices=["evaluator", "daemon"], default="evaluator")
    parser.add_argument("--evaluator", default="granary-evaluate", help="the program's path")
    parser.add_argument("--sample", type=int, help="samples of each operator and dtype; else all")
    parser.add_argument("--operators", default="", help="only names with this regular expression")
    parser.add_argument("--dtypes", default=",".join(samples.dtypes), help="separated by commas")
    parser.add_argument(
        "--part",
        choices=["results", "gradients", "as-written"],
        default="results",
        help="what of a sample; as-written is its results by operators such as conv2d, whole",
    )
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", help="a file for everything that was found")
    options = parser.parse_args()
    options.dtypes = options.dtypes.split(",")
    return options


def main() -> int:
    options = arguments()
    listed = subprocess.run(
        [options.evaluator, "--operators"], check=True, capture_output=True, text=True
    )
    options.known = set(listed.stdout.split())
    chosen = [
        (index, options)
        for index, op in enumerate(samples.operators())
        if re.search(options.operators, samples.full_name(op))
    ]
    context = multiprocessing.get_context("fork")
    daemon = running_daemon() if options.through == "daemon" else contextlib.nullcontext()
    tallies = []
    with daemon, context.Pool(options.jobs) as pool:
        for tally in pool.imap_unordered(examine_at, chosen):
            tallies.append(tally)
            if sys.stderr.isatty():
                print(f"\r{len(tallies)} of {len(chosen)}", end="", file=sys.stderr)
    tallies.sort(key=lambda tally: tally.name)
    report(tallies)
    if options.json:
        Path(options.json).write_text(json.dumps([tally.json() for tally in tallies], indent=1))
    return 1 if any(tally.failures for tally in tallies) else 0


def report(tallies: list[Tally]) -> None:
    """Prints what passed, then what failed, then what is unsupported."""
    print("passed of all samples:")
    for tally in tallies:
        if tally.total("passed"):
            print("  " + tally.line())
    print("unsupported:")
    for tally in tallies:
        if tally.total("unsupported"):
            reason, _ = tally.reasons.most_common(1)[0]
            print(f"  {tally.name:44} {tally.total('unsupported'):5}  {reason}")
    print("failed:")
    for tally in tallies:
        for failure in tally.failures:
            print(f"  {tally.name} {failure['dtype']}: {failure['reason']}")
            print(f"    {failure['spec'][:300]}")
    totals = {
        outcome: sum(tally.total(outcome) for tally in tallies)
        for outcome in ("passed", "failed", "unsupported", "skipped")
    }
    print(", ".join(f"{count} {outcome}" for outcome, count in totals.items()))
    covered = [tally for tally in tallies if tally.total("passed")]
    print(f"{len(covered)} of {len(tallies)} operators of PyTorch's tests have samples that pass")


if __name__ == "__main__":
    sys.exit(main())
