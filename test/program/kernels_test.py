"""A kernel that one file outside the program adds: docs/kernels.md promises it validation, measurement and a timeline.

CPBENCH_PROGRAM is the program with pairs_kernel.cpp linked into it.
"""

import unittest

from program import BRIEFLY, ProgramTest, cpbench, read_json

SHAPE = ["--seq-len", "60", "--heads", "4", "--kv-heads", "2", "--head-dim", "16"]


class Kernels(ProgramTest):
    def test_is_validated_in_every_dtype_and_mask(self):
        run = cpbench("validate", "--kernel", "pairs", *SHAPE, "--algo", "ring,ulysses", "--mask", "full,causal",
                      "--dtype", "fp32,bf16", ranks=2)
        self.expect_ok(run)

    def test_a_mistake_in_it_is_found(self):
        run = cpbench("validate", "--kernel", "pairs-lossy", *SHAPE, "--algo", "ring", "--dtype", "fp32", ranks=2)
        self.assertEqual(run.code, 3, str(run))

    def test_a_mistake_that_it_makes_only_while_it_is_timed_is_found(self):
        self.expect_ok(cpbench("validate", "--kernel", "pairs-tiring", *SHAPE, ranks=2))
        points = self.points_of("--kernel", "pairs-tiring", *SHAPE, "--pass", "fwd,bwd,fwd+bwd", ranks=2, code=3)
        self.assertEqual(len(points), 3)
        for point in points:
            self.assertEqual(point["status"], "invalid")
            self.assertTrue(point["validation"]["passed"])
            self.assertIn("the last timed iteration left other results on rank 0", point["reason"])
            self.assertNotIn("throughput", point)
        (unchecked,) = self.points_of("--kernel", "pairs-tiring", *SHAPE, "--check", "off", ranks=2)
        self.assertEqual(unchecked["status"], "ok")

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

    def test_is_suggested_where_its_name_is_misspelt(self):
        run = cpbench("run", "--kernel", "pair", *SHAPE, ranks=2)
        self.expect_refused(run, 2, "pairs", "blocked", "simple")


if __name__ == "__main__":
    unittest.main()
