"""Those who compute an operator: Granary, PyTorch, ONNX Runtime, OpenVINO; and the ceilings.

Each runs in a process of its own (`python peers.py NAME`) that reads commands and writes answers,
one JSON object a line: `prepare` makes the operator ready and gives its result once, `run` times a
burst of calls.
"""

from __future__ import annotations

import ctypes
import json
import os
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import operators
from operators import Operator

THREADS = int(os.environ.get("BENCH_THREADS", os.cpu_count() or 1))

Run = Callable[[], Any]
"""One call."""


class Granary:
    """The baseline that a first request is answered with, or what a search found."""

    def __init__(self, policy: str) -> None:
        self.policy = policy

    def prepare(self, operator: Operator) -> tuple[Run, Callable[[Any], Any]]:
        """Asks the daemon, for the tuned policy until its search has ended."""
        import granary
        from granary import _library

        seconds = float(os.environ["BENCH_SEARCH_SECONDS"]) + 300
        kernel = granary.get(operator.spec, policy=self.policy, deadline=seconds)
        inputs = operators.arrays(operator)
        out = granary.empty(kernel.outputs[0], None)
        self.verdict = kernel.verdict
        tensors = [*inputs, out]
        self.kept = (kernel, tensors)
        buffers = struct.pack(f"{len(tensors)}P", *(tensor.ctypes.data for tensor in tensors))
        # As a program in C calls it: what checking tensors in Python costs is no kernel's time.
        call, handle = _library.library().granary_call_packed, ctypes.c_void_p(kernel.handle)

        def run() -> None:
            if status := call(handle, buffers):
                raise RuntimeError(f"the kernel gave {status}")

        return run, lambda _: out


class Torch:
    """PyTorch, eager or through Inductor."""

    def __init__(self, compiles: bool) -> None:
        self.compiles = compiles

    def prepare(self, operator: Operator) -> tuple[Run, Callable[[Any], Any]]:
        """The function of the operator over tensors without gradients."""
        import torch

        torch.set_num_threads(THREADS)
        torch.set_grad_enabled(False)
        inputs = [torch.from_numpy(array) for array in operators.arrays(operator)]

        def function(*tensors: Any) -> Any:
            return operator.torch(torch, *tensors)

        if self.compiles:
            torch._dynamo.reset()
            function = torch.compile(function, dynamic=False)
        return lambda: function(*inputs), lambda result: result.numpy()


def _module(operator: Operator) -> tuple[Any, list[Any]]:
    """A PyTorch module that owns the weights, and the other inputs."""
    import torch

    torch.set_grad_enabled(False)
    tensors = [torch.from_numpy(array) for array in operators.arrays(operator)]
    weights = [input.is_weight for input in operator.inputs]

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            owned = [tensor for tensor, mine in zip(tensors, weights, strict=True) if mine]
            self.weights = torch.nn.ParameterList(
                torch.nn.Parameter(tensor, requires_grad=False) for tensor in owned
            )

        def forward(self, *given: Any) -> Any:
            own, others = iter(self.weights), iter(given)
            return operator.torch(torch, *(next(own if mine else others) for mine in weights))

    live = [tensor for tensor, mine in zip(tensors, weights, strict=True) if not mine]
    return Model().eval(), live


class OnnxRuntime:
    """ONNX Runtime on what PyTorch exports, with bound inputs and outputs."""

    def prepare(self, operator: Operator) -> tuple[Run, Callable[[Any], Any]]:
        """A session with all threads."""
        import numpy
        import onnxruntime
        import torch

        model, live = _module(operator)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            names = [f"x{position}" for position in range(len(live))]
            torch.onnx.export(
                model, tuple(live), file.name, dynamo=False, opset_version=17, input_names=names
            )
            session = onnxruntime.InferenceSession(
                file.name, options, providers=["CPUExecutionProvider"]
            )
        binding = session.io_binding()
        self.inputs = [onnxruntime.OrtValue.ortvalue_from_numpy(x.numpy()) for x in live]
        for name, value in zip(names, self.inputs, strict=True):
            binding.bind_ortvalue_input(name, value)
        out = onnxruntime.OrtValue.ortvalue_from_numpy(numpy.zeros(operator.output, numpy.float32))
        binding.bind_ortvalue_output(session.get_outputs()[0].name, out)
        return lambda: session.run_with_iobinding(binding), lambda _: out.numpy()


class OpenVINO:
    """OpenVINO on the traced module, in f32, for the shortest latency."""

    def prepare(self, operator: Operator) -> tuple[Run, Callable[[Any], Any]]:
        """An inference request whose inputs are set."""
        import openvino

        model, live = _module(operator)
        converted = openvino.convert_model(
            model, example_input=tuple(live), input=[list(x.shape) for x in live]
        )
        options = {
            "INFERENCE_NUM_THREADS": THREADS,
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        }
        request = openvino.Core().compile_model(converted, "CPU", options).create_infer_request()
        request.infer([x.numpy() for x in live])
        return request.infer, lambda _: request.get_output_tensor(0).data.copy()


class Ceiling:
    """The best that the machine does: multiply-adds, and loops over as much memory."""

    FMA_F32 = 1
    READ, READ_AHEAD, WRITE, STREAMING_WRITE, COPY, COPY_AHEAD, STREAMING_COPY = range(4, 11)

    def prepare(self, operator: Operator) -> tuple[Run, None]:
        """The time of the operator if it were nothing but its arithmetic or its traffic."""
        library = ctypes.CDLL(os.environ["BENCH_CEILINGS"])
        library.granary_probe_rate.restype = ctypes.c_double
        library.granary_probe_memory.restype = ctypes.c_void_p
        size = (operator.bytes_read + operator.bytes_written + 4095) // 4096 * 4096
        memory = [library.granary_probe_memory(ctypes.c_size_t(size), THREADS) for _ in range(2)]

        def rate(probes: list[int], bytes: int) -> float:
            rates = [
                library.granary_probe_rate(
                    probe,
                    THREADS,
                    ctypes.c_double(0.004),
                    ctypes.c_void_p(memory[0]),
                    ctypes.c_void_p(memory[1]),
                    ctypes.c_size_t(bytes),
                )
                for probe in probes
            ]
            return max(rates)

        def seconds() -> float:
            both = min(operator.bytes_read, operator.bytes_written)
            copied = 2 * both / rate([self.COPY, self.COPY_AHEAD, self.STREAMING_COPY], size // 2)
            if operator.bytes_read > both:
                left = operator.bytes_read - both
                copied += left / rate([self.READ, self.READ_AHEAD], size)
            if operator.bytes_written > both:
                left = operator.bytes_written - both
                copied += left / rate([self.WRITE, self.STREAMING_WRITE], size)
            return max(copied, operator.flops / rate([self.FMA_F32], size))

        return seconds, None


PEERS: dict[str, Callable[[], Any]] = {
    "granary": lambda: Granary("tuned"),
    "granary-baseline": lambda: Granary("baseline"),
    "eager": lambda: Torch(compiles=False),
    "inductor": lambda: Torch(compiles=True),
    "onnxruntime": OnnxRuntime,
    "openvino": OpenVINO,
    "ceiling": Ceiling,
}


def waited() -> float:
    """Seconds that threads of this process could have run but had no core."""
    total = 0
    for task in Path("/proc/self/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[1])
        except OSError:
            continue
    return total * 1e-9


def prefer(is_preferred: bool) -> None:
    """Lets this process' session have the cores before others, where the system allows it."""
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("-15" if is_preferred else "0")


def _thread_times() -> dict[int, int]:
    """Nanoseconds that each thread of this process has run."""
    times = {}
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            times[int(task.name)] = int((task / "schedstat").read_text().split()[0])
    return times


def spread(run: Run) -> None:
    """Gives each thread that works in `run` a core of its own, one after the other.

    On a busy machine two threads may else share a core for long; some libraries pin theirs, and
    this does it for all.
    """
    cores = sorted(os.sched_getaffinity(0))
    prefer(True)
    before, start, calls = _thread_times(), time.perf_counter(), 0
    while calls < 3 or (time.perf_counter() - start < 0.1 and calls < 100):
        run()
        calls += 1
    spent = {task: ns - before.get(task, 0) for task, ns in _thread_times().items()}
    prefer(False)
    busy = [task for task, ns in spent.items() if ns > 0.1 * max(spent.values())]
    busy.sort(key=lambda task: -spent[task])
    for position, task in enumerate(busy):
        with suppress(OSError):
            os.sched_setaffinity(task, {cores[position % len(cores)]})


class Worker:
    """Answers the commands of one peer."""

    def __init__(self, name: str) -> None:
        self.peer = PEERS[name]()
        self.is_ceiling = name == "ceiling"
        self.cores = os.sched_getaffinity(0)
        self.run: Run | None = None

    def prepare(self, operator: Operator, reference: str) -> dict[str, Any]:
        """Makes an operator ready, and compares its result with PyTorch's in `reference`."""
        import numpy

        self.run = None
        for task in _thread_times():
            with suppress(OSError):
                os.sched_setaffinity(task, self.cores)
        start = time.perf_counter()
        run, result = self.peer.prepare(operator)
        value = run()
        answer: dict[str, Any] = {"prepare_seconds": time.perf_counter() - start}
        if result is not None:
            value = numpy.asarray(result(value)).reshape(-1)
            if os.path.exists(reference):
                wanted = numpy.load(reference).astype(numpy.float64)
                error = numpy.abs(value - wanted).max() / numpy.abs(wanted).max()
                answer["error"] = float(error)
            else:
                numpy.save(reference, value)
        answer["verdict"] = getattr(self.peer, "verdict", None)
        if not self.is_ceiling:
            spread(run)
        self.run = run
        return answer

    def burst(self, seconds: float) -> dict[str, Any]:
        """The median time of calls for so long, three at least, after one that is not counted."""
        assert self.run is not None
        prefer(True)
        self.run()
        times: list[float] = []
        before, start = waited(), time.perf_counter()
        while len(times) < 200 and (len(times) < 3 or time.perf_counter() - start < seconds):
            begun = time.perf_counter()
            value = self.run()
            times.append(value if self.is_ceiling else time.perf_counter() - begun)
        share = (waited() - before) / (time.perf_counter() - start)
        prefer(False)
        return {"seconds": statistics.median(times), "waited": share}

    def serve(self) -> None:
        """Answers until the input ends. What libraries print goes to standard error."""
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        for line in sys.stdin:
            command = json.loads(line)
            try:
                if command["do"] == "prepare":
                    operator = operators.named(command["operator"])
                    answer = self.prepare(operator, command["reference"])
                elif command["do"] == "run":
                    answer = self.burst(command["seconds"])
                else:
                    self.run, answer = None, {}
            except Exception as error:  # A peer that cannot is a gap in the table.
                answer = {"error_text": f"{type(error).__name__}: {str(error)[:300]}"}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()


if __name__ == "__main__":
    Worker(sys.argv[1]).serve()
