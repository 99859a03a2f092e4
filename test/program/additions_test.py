"""A kernel and an algorithm that one file each adds from outside the program: docs/kernels.md and CONTRIBUTING.md promise them proof,
validation, measurement and a timeline.

CPBENCH_PROGRAM is the program with pairs_kernel.cpp and pairwise_algorithm.cpp linked into it.
"""

import unittest

from program import BRIEFLY, TINY, ProgramTest, cpbench, read_json

SHAPE = ["--seq-len", "60", "--heads", "4", "--kv-heads", "2", "--head-dim", "16"]


class Kernel(ProgramTest):
    def test_is_validated_in_every_dtype_and_mask(self):
        run = cpbench("validate", "--kernel", "pairs", *SHAPE, "--algo", "ring,ulysses", "--mask", "full,causal",
                      "--dtype", "fp32,bf16", ranks=2)
        self.expect_ok(run)
        for dtype, mask in ("fp32", ", mask full"), ("fp32", ""), ("bf16", ", mask full"), ("bf16", ""):
            self.assertRegex(run.out, rf"(?m)^\d-ring-cp2, .*dtype {dtype}{mask}: ok$")

    def test_a_mistake_in_it_is_found(self):
        run = cpbench("validate", "--kernel", "pairs-lossy", *SHAPE, "--algo", "ring", "--dtype", "fp32", ranks=2)
        self.assertEqual(run.code, 3, str(run))

    def test_passes_the_sweep_for_kernels(self):
        """On one rank a hybrid is skipped."""
        for ranks in (1, 4):
            self.expect_ok(self.sweep_for_kernels("pairs", ranks))

    def test_the_sweep_for_kernels_finds_what_authors_get_wrong_and_says_where(self):
        for mistake, in_pass, case, message in (
                ("band", "fwd", "dtype fp32", "out differs .*: heads 0-3, tokens 0-50[0-9]; first at batch 0, token 0, head 0,"),
                ("batch", "fwd", "batch 2", "out differs .*: batch 1, heads 0-3, tokens [0-9]-508; first at batch 1, token [0-9],"),
                ("first", "fwd", "dtype fp32", "NaN in out at batch 0, token 0, head 0, channel 0; in 2036 of 2036 rows: heads"),
                ("first-dq", "fwd+bwd", "dtype fp32", "NaN in dq at batch 0, token 0, head 0, channel 0; in 2036 of 2036 rows"),
                ("heads", "fwd", "uneven_heads on", "out differs .*: heads 5-9, tokens 0-508; first at batch 0, token 0, head 5,"),
                ("lse", "fwd", "dtype fp32", r"lse differs .* \(1\.4427 times the reference; 2036 of 2036 rows"),
                ("sink", "fwd", "sink on", "out differs .*: heads 0-3, tokens 0-508; first at batch 0, token 0, head 0,")):
            with self.subTest(mistake):
                run = self.sweep_for_kernels(f"mistaken-{mistake}", 2, "--pass", in_pass)
                self.assertEqual(run.code, 3, str(run))
                self.assertRegex(run.out, rf"(?m)^\d+-\w+-cp2, .*{case}.*: invalid: {message}")

    def test_gradients_that_follow_from_what_is_wrong_say_so(self):
        for mistake, arguments, follows in (
                ("lse", [], {"dq": "lse", "dk": "lse", "dv": "lse"}),
                ("sink", ["--sink"], {"dq": "out and lse", "dk": "out and lse", "dv": "lse", "dsink": "out and lse"}),
                ("first-dq", [], {"dq": None})):
            with self.subTest(mistake):
                run = cpbench("validate", "--kernel", f"mistaken-{mistake}", *SHAPE, "--threads", 1, *arguments, ranks=2)
                self.assertEqual(run.code, 3, str(run))
                for tensor, makers in follows.items():
                    (line,) = [line for line in run.out.splitlines() if line.startswith(f"  {tensor} ")]
                    self.assertIn("FAILED", line)
                    said = f"; it is computed from {makers}, which failed: mend the forward pass first"
                    self.assertEqual(line.endswith(said), makers is not None, line)
                    self.assertEqual("is computed from" in line, makers is not None, line)

    def sweep_for_kernels(self, kernel, ranks, *arguments):
        """With few channels: what it finds does not depend on them, and `pairs` is slow."""
        return cpbench("validate", "--config", "kernels", "--kernel", kernel, "--head-dim", "8", "--head-dim-v", "8",
                       "--threads", 1, *arguments, ranks=ranks)

    def test_a_mistake_that_it_makes_only_while_it_is_timed_is_found(self):
        self.expect_ok(cpbench("validate", "--kernel", "pairs-tiring", *SHAPE, ranks=2))
        self.expect_invalid_after_timing("pairs-tiring")
        (unchecked,) = self.points_of("--kernel", "pairs-tiring", *SHAPE, "--check", "off", ranks=2)
        self.assertEqual(unchecked["status"], "ok")

    def test_right_results_that_earlier_runs_left_do_not_count(self):
        self.expect_ok(cpbench("validate", "--kernel", "pairs-sleepy", *SHAPE, ranks=2))
        self.expect_invalid_after_timing("pairs-sleepy")

    def expect_invalid_after_timing(self, kernel):
        points = self.points_of("--kernel", kernel, *SHAPE, "--pass", "fwd,bwd,fwd+bwd", ranks=2, code=3)
        self.assertEqual(len(points), 3)
        for point in points:
            self.assertEqual(point["status"], "invalid")
            self.assertTrue(point["validation"]["passed"])
            self.assertIn("the last timed iteration left other results on rank 0", point["reason"])
            self.assertNotIn("throughput", point)

    def test_is_measured_beside_others_and_has_a_timeline(self):
        result, trace = self.directory / "result.json", self.directory / "trace.json"
        run = cpbench("run", "--kernel", "pairs", *SHAPE, *BRIEFLY, "--json", result, "--trace", trace, ranks=2)
        self.expect_ok(run)
        (point,) = read_json(result)["points"]
        self.assertEqual(point["case"]["kernel"], "pairs")
        self.assertGreater(point["throughput"]["fraction_of_peak"], 0)
        events = read_json(trace)["traceEvents"]
        for kind in ("attend", "attend-backward"):
            self.assertEqual(len({event["pid"] for event in events if event.get("cat") == kind}), 2, kind)

    def test_that_never_polls_is_named_once(self):
        for command in ["run", *BRIEFLY], ["validate", "--threads", 1]:
            run = self.expect_ok(cpbench(*command, "--kernel", "pairs-silent", *SHAPE, "--mask", "full,causal", ranks=2))
            said = [line for line in run.warnings if "poll" in line]
            self.assertEqual(len(said), 1, str(run))
            self.assertRegex(said[0], "kernel pairs-silent never called poll in [0-9]+ ms of an attend")

    def test_that_polls_or_has_no_messages_is_not_said_to_let_none_progress(self):
        """On two threads the one work item may not be the calling thread's."""
        for kernel, ranks, threads in ("pairs-slow", 2, 2), ("pairs-slow", 2, 1), ("pairs-silent", 1, 1):
            run = self.expect_ok(cpbench("validate", "--threads", threads, "--kernel", kernel, *SHAPE, ranks=ranks))
            self.assertNotIn("poll", run.err)

    def test_that_runs_out_of_memory_says_so(self):
        """Its threads do, which no exception may leave."""
        run = cpbench("run", "--kernel", "pairs-greedy", *SHAPE, *BRIEFLY, ranks=2)
        self.expect_refused(run, 5, "rank 0: out of memory while running point 0-ring-cp2")

    def test_that_contradicts_itself_is_not_taken_for_a_device_that_fails(self):
        run = cpbench("run", "--kernel", "pairs-mistaken", *SHAPE, *BRIEFLY, ranks=2)
        self.expect_refused(run, 70, "rank 0: internal error while running point 0-ring-cp2", "there are less than no keys")

    def test_is_offered_where_kernels_are_named(self):
        self.assertRegex(cpbench("run", "--help").out, r"attention kernel \(blocked, .*pairs, .*simple; ")

    def test_is_suggested_where_its_name_is_misspelt(self):
        run = cpbench("run", "--kernel", "pair", *SHAPE, ranks=2)
        self.expect_refused(run, 2, "pairs", "blocked", "simple")


class Algorithm(ProgramTest):
    def test_is_proven_for_hundreds_of_ranks(self):
        run = self.expect_ok(cpbench("plan", "--algo", "pairwise", "--cp-size", 200, "--seq-len", 4000, *TINY,
                                     "--shard", "zigzag,striped", "--mask", "causal,window:100"))
        self.assertIn("pairwise", run.out)

    def test_is_validated_in_every_shard_mask_and_pass(self):
        points = self.points_of("--algo", "pairwise", *SHAPE, "--shard", "contiguous,zigzag,striped", "--mask",
                                "causal,window:9", "--sink", "--overlap", "on,off", "--accumulate", "fused,merge", ranks=3)
        self.assertEqual(len(points), 24)
        self.expect_all_validated(points)

    def test_faults_planted_in_it_are_caught(self):
        run = self.expect_ok(cpbench("validate", "--self-test", "--threads", 1, ranks=3))
        self.assertRegex(run.out, r"(?m)^pairwise 1x1x3 .*: ok$")

    def test_is_offered_where_algorithms_are_named(self):
        self.expect_refused(cpbench("run", "--algo", "pairwize", *SHAPE, ranks=2), 2, "pairwise", "double-ring")
        self.assertIn("pairwise", cpbench("run", "--help").out)

    def test_takes_no_grid_but_its_own(self):
        (point,) = self.points_of("--algo", "pairwise", *SHAPE, "--window-size", "2", ranks=4)
        self.assertEqual(point["case"]["window_size"], 1)


if __name__ == "__main__":
    unittest.main()
