"""Triton's and Inductor's caches in the daemon's store, with real Triton and real Inductor."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest

from daemon import running_daemon, use_tree

use_tree()

import granary
from granary.foreign import Foreign

triton_program = """
import json, sys, triton, triton.language as tl
from triton.compiler import ASTSource
from triton.backends.compiler import GPUTarget

target = GPUTarget("cuda", 90, 32)

@triton.jit
def add(x, y, n, B: tl.constexpr):
    i = tl.program_id(0) * B + tl.arange(0, B)
    tl.store(y + i, tl.load(x + i, mask=i < n) + 1, mask=i < n)

types = {"x": "*fp32", "y": "*fp32", "n": "i32", "B": "constexpr"}
compiled = triton.compile(ASTSource(add, types, {(3,): 128}), target=target)

# Autotuning asks for the device's kind only; the trials are counted in the place of a device.
class Device:
    def get_current_target(self):
        return target

triton.runtime.driver.set_active(Device())
configs = [triton.Config({"B": size}) for size in (64, 128)]
tuned = triton.autotune(configs, key=["n"], cache_results=True)(add)
trials = []

def bench():
    trials.append(1)
    tuned.configs_timings = {configs[0]: [2.0], configs[1]: [1.0]}
    tuned.cache[(7,)] = configs[1]

tuned.check_disk_cache((7,), configs, bench)
counters = __import__("granary.triton").triton.counters()
print(json.dumps({
    "ptx": compiled.asm["ptx"], "best": tuned.cache[(7,)].kwargs["B"], "trials": len(trials),
    "hits": counters.hits, "kept": counters.kept, "failures": counters.failures,
}))
"""

inductor_program = """
import json, sys, torch, granary.torch
from torch._dynamo.utils import counters

x = torch.randn(64, 64)
with granary.torch.inductor_cache("test") as cache:
    y = torch.compile(lambda x: torch.softmax(x * 2 + 1, -1).sum(0))(x)
torch.testing.assert_close(y, torch.softmax(x * 2 + 1, -1).sum(0))
print(json.dumps({
    "loaded": cache.loaded_bytes, "saved": cache.saved_bytes,
    "hits": counters["inductor"]["fxgraph_cache_hit"]
    + counters["aot_autograd"]["autograd_cache_hit"],
}))
"""


def run_apart(program, folder, **settings):
    """What a program prints in a process with a cache folder of its own."""
    folders = {"TRITON_CACHE_DIR": folder + "/triton", "TORCHINDUCTOR_CACHE_DIR": folder}
    # Triton reads the source of what it compiles from a file.
    path = folder + "/program.py"
    with open(path, "w") as file:
        file.write(program)
    answer = subprocess.run(
        [sys.executable, path],
        env={**os.environ, **folders, **settings},
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(answer.stdout.splitlines()[-1])


class ForeignCase(unittest.TestCase):
    def folder(self):
        return self.enterContext(tempfile.TemporaryDirectory())


class ForeignTests(ForeignCase):
    def test_bytes_come_back_and_are_forgotten_when_removed(self):
        with running_daemon():
            client = granary.Client()
            for content in (b"", bytes(range(256)) * 1000):
                client.keep_foreign("test.name", content)
                self.assertEqual(client.foreign("test.name"), content)
            client.remove_foreign("test.name")
            self.assertIsNone(client.foreign("test.name"))
            with self.assertRaises(granary.GranaryError):
                client.keep_foreign("a%2Fb", b"")

    def test_without_a_daemon_everything_is_a_miss_and_it_is_asked_once(self):
        store = Foreign("test", "/nonexistent/socket")
        with self.assertLogs("granary", "WARNING") as logs:
            self.assertIsNone(store.get("a"))
        self.assertFalse(store.keep("a", b"1"))
        self.assertIsNone(store.get("a"))
        self.assertEqual((store.counters.failures, len(logs.records)), (1, 1))


@unittest.skipUnless(importlib.util.find_spec("triton"), "needs Triton")
class TritonTests(ForeignCase):
    setting = "granary.triton:CacheManager"

    def test_what_one_process_compiled_and_tuned_another_takes_from_the_store(self):
        folders = [self.folder(), self.folder()]
        with running_daemon():
            one, two = (
                run_apart(triton_program, folder, TRITON_CACHE_MANAGER=self.setting)
                for folder in folders
            )
        self.assertEqual((one["hits"], one["trials"], one["failures"]), (0, 1, 0), one)
        self.assertGreater(one["kept"], 5)
        self.assertEqual((two["kept"], two["trials"], two["failures"]), (0, 0, 0), two)
        self.assertEqual(two["best"], 128)
        self.assertIn(".visible .entry add", two["ptx"])

    def test_without_a_daemon_tritons_own_directory_serves(self):
        folder = self.folder()
        absent = {"TRITON_CACHE_MANAGER": self.setting, "GRANARY_SOCKET": "/nonexistent/socket"}
        one, two = (run_apart(triton_program, folder, **absent) for _ in range(2))
        self.assertEqual((one["trials"], two["trials"]), (1, 0))
        self.assertEqual(one["ptx"], two["ptx"])


@unittest.skipUnless(importlib.util.find_spec("torch"), "needs PyTorch")
class InductorTests(ForeignCase):
    def test_graphs_that_one_process_compiled_another_takes_from_the_store(self):
        with running_daemon():
            one, two = (run_apart(inductor_program, self.folder()) for _ in range(2))
        self.assertEqual((one["loaded"], one["hits"]), (0, 0))
        self.assertGreater(one["saved"], 0)
        self.assertEqual(two["loaded"], one["saved"])
        self.assertGreater(two["hits"], 0)

    def test_without_a_daemon_inductor_compiles(self):
        result = run_apart(inductor_program, self.folder(), GRANARY_SOCKET="/nonexistent/socket")
        self.assertEqual((result["loaded"], result["saved"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
