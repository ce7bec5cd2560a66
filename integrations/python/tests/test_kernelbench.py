"""The KernelBench runner on problems in KernelBench's format, with a real daemon."""

import contextlib
import importlib.util
import io
import json
import unittest
import unittest.mock
from pathlib import Path

from daemon import running_daemon, use_tree

use_tree()

checkout = Path(__file__).resolve().parent / "kernelbench"
has_torch = importlib.util.find_spec("torch") is not None

if has_torch:
    from granary import kernelbench
    from granary.kernelbench import running
    from granary.kernelbench.__main__ import main
    from granary.kernelbench.outcomes import summary_lines


@unittest.skipUnless(has_torch, "needs PyTorch")
class RunnerTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(running_daemon())

    def run_problem(self, name, **settings):
        (path,) = checkout.glob(f"KernelBench/*/{name}.py")
        chosen = kernelbench.Settings(rounds=3, compile=False, scale="small", **settings)
        return kernelbench.run(path, chosen)

    def test_problems_are_correct_in_training_and_in_evaluation_mode(self):
        names = ["1_Square*", "50_*", "95_*", "12_*", "1_MLP", "36_*"]
        for training in (True, False):
            for name in names:
                with self.subTest(name, training=training):
                    found = self.run_problem(name, training=training)
                    self.assertEqual((found.state, found.remaining), ("correct", 0), found.reason)
                    self.assertGreater(found.speedup, 0)
                    self.assertIsNone(found.speedup_over_compiled)

    def test_memory_and_the_time_to_the_first_kernel_are_reported(self):
        found = self.run_problem("1_MLP")
        # Two layers of 4 x 64 f32 beside the result; the kernel may need fewer or none.
        self.assertGreaterEqual(found.eager_workspace_bytes, 4 * 64 * 4)
        self.assertGreaterEqual(found.workspace_bytes, 0)
        self.assertGreater(found.ready_seconds, 0)

    def test_problems_whose_wrong_answers_verification_cannot_see_are_named(self):
        without = self.run_problem("80_*")
        self.assertEqual((without.state, without.unexamined), ("correct", ""), without.reason)
        self.assertIn("zeros", without.unseen)
        self.assertIn("without signal", without.line())
        signal = self.run_problem("1_Square*")
        self.assertEqual((signal.unseen, signal.unexamined), ([], ""))
        self.assertEqual(self.run_problem("80_*", examine=False).unseen, [])

    def test_an_lstm_is_one_node_of_one_kernel(self):
        self.assertEqual(self.run_problem("36_*").specs, 1)

    def test_nodes_without_a_kernel_stay_with_pytorch_and_are_named(self):
        found = self.run_problem("99_*")
        self.assertEqual(found.state, "partial", found.reason)
        self.assertIn("aten._linalg_det.default", found.reason)
        self.assertGreater(found.remaining, 0)

    def test_random_and_broken_problems_say_so(self):
        self.assertEqual(self.run_problem("3_Random").state, "random")
        self.assertEqual(self.run_problem("1_Dropout", training=False).state, "correct")
        broken = self.run_problem("2_Broken")
        self.assertEqual(broken.state, "broken")
        self.assertIn("this file does not run", broken.reason)

    def test_random_numbers_that_stay_with_pytorch_are_the_models_from_equal_seeds(self):
        found = self.run_problem("1_Dropout")
        self.assertEqual(found.state, "partial", found.reason)
        self.assertIn("native_dropout", found.reason)
        self.assertIn("its random numbers are PyTorch's", found.reason)
        self.assertGreater(found.speedup, 0)

    def test_a_kernel_as_near_to_f64_as_pytorch_is_unstable_where_that_is_not_near(self):
        found = self.run_problem("5_Cancelling")
        self.assertEqual(found.state, "unstable", found.reason)
        self.assertIn("so does PyTorch's own result", found.reason)

    def test_an_import_at_full_scale_takes_no_memory_and_runs_nothing(self):
        (path,) = checkout.glob("KernelBench/level4/4_GPU.py")
        chosen = kernelbench.Settings(import_only=True)
        found = kernelbench.run(path, chosen)
        self.assertEqual((found.state, found.reason, found.specs), ("imported", "", 1))
        self.assertIsNone(found.workspace_bytes)
        (path,) = checkout.glob("KernelBench/*/99_*.py")
        self.assertEqual(kernelbench.run(path, chosen).state, "partial")

    def test_a_kernel_outside_the_tolerance_is_wrong(self):
        judgement = running.Judgement(wrong="trial 0: differs by 1", imprecise="is 1 from it")
        for judgement.is_unstable in (False, True):
            with unittest.mock.patch.object(running, "judged", return_value=judgement):
                found = self.run_problem("12_*")
            self.assertEqual((found.state, found.reason), ("wrong", "trial 0: differs by 1"))


@unittest.skipUnless(has_torch, "needs PyTorch")
class ProblemTests(unittest.TestCase):
    def problem(self, name, scale):
        (path,) = checkout.glob(f"KernelBench/*/{name}.py")
        return kernelbench.Problem(path, scale)

    def test_problems_are_listed_by_level_and_number_and_chosen_by_number_or_name(self):
        names = [path.stem for path in kernelbench.problems(checkout, [2, 1], [])]
        self.assertEqual(
            [name.split("_")[0] for name in names], ["12", "80", "99", "1", "23", "50", "95"]
        )
        for chosen in (["23"], ["softm"]):
            (path,) = kernelbench.problems(checkout / "KernelBench", [1, 2, 3], chosen)
            self.assertEqual(path.stem, "23_Softmax")

    def test_reduced_shapes_run_and_are_reported(self):
        small = self.problem("1_MLP", "small")
        self.assertEqual(small.reduced["batch_size"], "4")
        self.assertEqual(small.reduced["layer_sizes"], "[64, 64]")
        self.assertEqual(small.inputs(0)[0].shape, (4, 64))
        convolution = self.problem("50_*", "small")
        self.assertEqual(convolution.inputs(0)[0].shape, (4, 3, 56, 56))
        self.assertEqual(self.problem("50_*", "full").inputs(0)[0].shape, (64, 3, 224, 224))

    def test_what_a_file_places_on_a_gpu_is_on_the_cpu(self):
        import torch

        problem = self.problem("4_GPU", "small")
        self.assertEqual({tensor.device.type for tensor in problem.inputs(0)}, {"cpu"})
        self.assertEqual(problem.model().scale.device.type, "cpu")
        self.assertEqual(problem.inputs(0)[0].dtype, torch.float16)
        self.assertEqual(problem.inputs(0)[0].shape, (64, 64))

    def test_equal_seeds_give_equal_weights_and_inputs(self):
        import torch

        problem = self.problem("12_*", "full")
        for one, other in zip(
            problem.model().parameters(), problem.model().parameters(), strict=True
        ):
            self.assertTrue(torch.equal(one, other))
        self.assertTrue(torch.equal(problem.inputs(3)[0], problem.inputs(3)[0]))
        self.assertFalse(torch.equal(problem.inputs(3)[0], problem.inputs(4)[0]))


@unittest.skipUnless(has_torch, "needs PyTorch")
class JudgementTests(unittest.TestCase):
    def judge(self, name, change):
        from granary.kernelbench.judging import judged

        (path,) = checkout.glob(f"KernelBench/*/{name}.py")
        problem = kernelbench.Problem(path)
        model = problem.model()
        import torch

        with torch.no_grad():
            return judged(problem, model, lambda inputs: [change(model(*inputs))], 5, None)

    def test_what_computes_nothing_but_would_pass_is_named(self):
        found = self.judge("23_*", lambda result: result)
        self.assertIsNone(found.wrong)
        self.assertEqual(found.weak, ["zeros", "constant", "stale"])
        self.assertEqual(self.judge("12_*", lambda result: result).weak, [])

    def test_zeros_that_pass_kernelbench_do_not_pass_ours(self):
        found = self.judge("23_*", lambda result: result * 0)
        self.assertIsNone(found.wrong)
        self.assertIn("from the result in f64", found.imprecise)

    def test_wrong_values_shapes_and_nan_are_wrong(self):
        self.assertIn("differs by", self.judge("12_*", lambda result: result + 0.1).wrong)
        self.assertIn("shape", self.judge("12_*", lambda result: result[:1]).wrong)
        self.assertIsNotNone(self.judge("12_*", lambda result: result * float("nan")).wrong)


@unittest.skipUnless(has_torch, "needs PyTorch")
class ReportTests(unittest.TestCase):
    def test_shares_are_of_all_problems_and_ratios_of_correct_ones(self):
        outcomes = [
            kernelbench.Outcome("a", "correct", kernel_ms=1, eager_ms=4, compiled_ms=1.6),
            kernelbench.Outcome("b", "correct", kernel_ms=2, eager_ms=1, compiled_ms=1),
            kernelbench.Outcome("c", "wrong", "trial 0: differs by 3", kernel_ms=1, eager_ms=9),
            kernelbench.Outcome("d", "broken", "no", weak=["zeros"]),
        ]
        found = kernelbench.summary(outcomes)
        self.assertEqual((found["pass_rate"], found["weak"]), (0.5, 1))
        eager, compiled = found["eager"], found["torch_compile"]
        self.assertEqual([eager[f"fast_{p}"] for p in ("1", "1.5", "2")], [0.25, 0.25, 0.25])
        self.assertEqual([compiled[f"fast_{p}"] for p in ("1", "1.5", "2")], [0.25, 0.25, 0])
        self.assertAlmostEqual(eager["geometric_mean"], 2**0.5)
        self.assertEqual((eager["median"], eager["share_that_loses"]), (2.25, 0.5))

    def test_times_to_kernels_memory_and_problems_without_signal_are_summed_up(self):
        def outcome(name, seconds, own, other, unseen):
            return kernelbench.Outcome(
                name,
                "correct",
                ready_seconds=seconds,
                workspace_bytes=own,
                eager_workspace_bytes=other,
                unseen=unseen,
            )

        outcomes = [
            outcome("a", 0.5, 2**20, 2**21, []),
            outcome("b", 4.0, 2**22, 2**20, ["zeros"]),
            outcome("c", 1.0, 0, 0, []),
            kernelbench.Outcome("d", "broken", "no"),
        ]
        found = kernelbench.summary(outcomes)
        self.assertEqual(found["ready_seconds"], {"median": 1.0, "largest": 4.0})
        self.assertEqual(found["workspace"]["more_than_eager"], 1)
        self.assertEqual(found["without_signal"], ["b"])
        text = "\n".join(summary_lines(outcomes))
        self.assertIn("median 1.00 s, largest 4.00 s", text)
        self.assertIn("largest 4.0 MiB, PyTorch's 2.0 MiB; more than PyTorch's at 1 of 3", text)
        self.assertIn("without signal, some wrong answer would pass verification: b", text)

    def test_the_command_runs_each_problem_apart_and_reports_every_failure(self):
        with running_daemon():
            text = self.command("--level", "4", "--scale", "small", "--mode", "both")
            for mode, states in (
                ("training", "1 broken, 1 correct, 1 partial, 1 random, 1 unstable"),
                ("evaluation", "1 broken, 2 correct, 1 random, 1 unstable"),
            ):
                self.assertIn(f"5 problems in {mode} mode: {states}; pass rate", text)
            self.assertIn("MiB, PyTorch's", text)
            self.assertEqual(text.count("RuntimeError: this file does not run"), 4)
            report = json.loads(self.command("--level", "4", "--problem", "2", "--json"))
            chosen = ("--level", "4", "--problem", "gpu", "--import-only")
            imported = self.command(*chosen, status=0)
        self.assertIn("1 problems in training mode: 1 imported; pass rate 100.0%", imported)
        self.assertEqual(report["summary"]["states"], {"broken": 1})
        self.assertEqual(report["modes"]["training"], report["summary"])
        self.assertEqual(report["problems"][0]["problem"], "level4/2_Broken")

    def test_a_problem_that_takes_too_long_is_ended(self):
        text = self.command("--level", "3", "--problem", "1", "--limit", "0", status=1)
        self.assertIn("took more than 0 seconds", text)

    def command(self, *options, status=1):
        output = io.StringIO()
        given = ["--path", str(checkout), "--rounds", "3", "--no-compile", *options]
        with contextlib.redirect_stdout(output):
            self.assertEqual(main(given), status)
        return output.getvalue()


if __name__ == "__main__":
    unittest.main()
