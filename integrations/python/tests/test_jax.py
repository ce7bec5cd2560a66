"""Kernels in JAX programs: traced, compiled, and replaced where there is no kernel."""

import importlib.util
import os
import tempfile
import unittest

from daemon import running_daemon, use_tree

use_tree()

if importlib.util.find_spec("jax") is None:
    raise unittest.SkipTest("needs JAX")

import jax
import jax.numpy as jnp
import numpy

import granary
import granary.jax


class JaxTests(unittest.TestCase):
    def setUp(self):
        os.environ["XDG_CACHE_HOME"] = self.enterContext(tempfile.TemporaryDirectory())

    def test_kernels_run_inside_of_jitted_programs(self):
        with running_daemon():
            spec = "softmax(x: f32[6,9], dim: -1)"
            granary.get(spec, deadline=300)
            softmax = granary.jax.kernel(spec)
            x = jax.random.normal(jax.random.key(0), (6, 9))
            before = granary.counters().calls
            given = jax.jit(lambda x: softmax(x * 2) + 1)(x)
            self.assertEqual(granary.counters().calls, before + 1)
            numpy.testing.assert_allclose(given, jax.nn.softmax(x * 2, -1) + 1, rtol=1e-5)
            two = granary.get("(neg(x: f32[8]), gt(x, 0))", deadline=300)
            self.assertEqual(len(two.outputs), 2)
            y = jnp.arange(8, dtype=jnp.float32) - 4
            negative, positive = granary.jax.call("(neg(x: f32[8]), gt(x, 0))", y)
            numpy.testing.assert_array_equal(negative, -y)
            numpy.testing.assert_array_equal(positive, y > 0)
            with self.assertRaises(ValueError):
                softmax(jnp.zeros((9, 6)))

    def test_without_a_kernel_the_fallback_is_traced(self):
        os.environ["GRANARY_SOCKET"] = "/nonexistent/socket"
        self.addCleanup(os.environ.pop, "GRANARY_SOCKET")
        function = granary.jax.kernel("exp(x: f32[3])", jnp.exp)
        with self.assertLogs("granary", "WARNING"):
            given = jax.jit(function)(jnp.ones(3))
        numpy.testing.assert_allclose(given, numpy.exp(numpy.ones(3)), rtol=1e-6)


if __name__ == "__main__":
    unittest.main()
