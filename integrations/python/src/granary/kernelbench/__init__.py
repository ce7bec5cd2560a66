"""Runs KernelBench's problems with Granary's kernels: `python -m granary.kernelbench`.

Problem files are read as they are; `granary bench kernelbench` is the same from the command line.
Source of the rule: KernelBench, `src/eval.py`, https://github.com/ScalingIntelligence/KernelBench.
"""

from granary.kernelbench.outcomes import Outcome, summary
from granary.kernelbench.problems import Problem, problems
from granary.kernelbench.running import Settings, run

__all__ = ["Outcome", "Problem", "Settings", "problems", "run", "summary"]
