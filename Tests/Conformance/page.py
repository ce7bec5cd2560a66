"""Writes the page of all operators from what `run.py` found.

    python Tests/Conformance/page.py --evaluator PROGRAM --output docs/operators.md \\
        --results FILE… --as-written FILE… --gradients FILE…
"""

from __future__ import annotations

import argparse
import json
import subprocess
from collections import Counter
from pathlib import Path

dtypes = ["f32", "f64", "bf16", "f16", "i64", "i32", "i16", "i8", "u8", "bool"]
introduction = """\
# Operators

Written by `make operators`. Each operator of the table with

- the golden cases that use it by itself: `make test` compares them with what PyTorch
  gives, or, for operators that PyTorch lacks, with a composition in PyTorch;
- the sketches of the first case's kernels, before any search;
- the number of samples of PyTorch's own operator tests that use it and agree with
  PyTorch, for each dtype: the results of all samples, and the gradients of some. One
  that is another way to write others counts where a sample is written with it.

What has no samples is judged by its golden cases alone. That PyTorch's tests do not reach it,
or that its result is random or unspecified there, is the reason.

Names without a library are ATen's. [recommendation.md](recommendation.md) describes
those of FBGEMM and Granary, [random.md](random.md) the random ones.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluator", required=True)
    parser.add_argument("--output", required=True)
    for part in ("results", "as-written", "gradients"):
        parser.add_argument(f"--{part}", nargs="*", default=[], metavar="FILE")
    options = parser.parse_args()
    passed = counted(options.results)
    for pair, count in counted(options.as_written).items():
        passed[pair] = max(passed[pair], count)
    passed.update(counted(options.gradients))
    Path(options.output).write_text(page(passed, options.evaluator))


def counted(files: list[str]) -> Counter[tuple[str, str]]:
    """How many samples passed for each operator and dtype."""
    passed: Counter[tuple[str, str]] = Counter()
    for file in files:
        for tally in json.loads(Path(file).read_text()):
            for operator, dtype, count in tally["passed_by_aten"]:
                passed[operator, dtype] += count
    return passed


def page(passed: Counter[tuple[str, str]], evaluator: str) -> str:
    cases, sketches = golden_cases(evaluator)
    listed = subprocess.run([evaluator, "--operators"], check=True, capture_output=True, text=True)
    lines = [
        "| Operator | Cases | Sketches | " + " | ".join(dtypes) + " |",
        "|---" * (len(dtypes) + 3) + "|",
    ]
    for name in sorted(listed.stdout.split(), key=lambda name: name.removeprefix("aten.")):
        counts = [cases[name] or "", sketches.get(name, "")]
        counts += [passed[name, dtype] or "" for dtype in dtypes]
        lines.append(f"| `{name.removeprefix('aten.')}` | {' | '.join(map(str, counts))} |")
    return introduction + "\n" + "\n".join(lines) + "\n"


def golden_cases(evaluator: str) -> tuple[Counter[str], dict[str, str]]:
    """For each operator the golden cases of it alone, and the sketches of the first."""
    file = Path(__file__).resolve().parents[1] / "TensorProgramTests" / "Golden" / "cases.json"
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for case in json.loads(file.read_text()):
        nodes = json.loads(case["spec"])["nodes"]
        if not case.get("refused") and len(nodes) == 1:
            counts[nodes[0]["op"]] += 1
            first.setdefault(nodes[0]["op"], json.dumps(json.loads(case["spec"])))
    asked = subprocess.run(
        [evaluator, "--sketches"],
        input="\n".join(first.values()) + "\n",
        check=True,
        capture_output=True,
        text=True,
    )
    return counts, dict(zip(first, asked.stdout.split("\n"), strict=False))


if __name__ == "__main__":
    main()
