"""The program of a CUDA build where no GPU is to be seen."""

import unittest

from program import ProgramTest, cpbench

HIDDEN = {"CUDA_VISIBLE_DEVICES": ""}
SMALL = ["run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", "--iterations", "1", "--warmup", "0"]


class WithoutAGpu(ProgramTest):
    def test_the_cpu_serves_and_the_reason_is_said(self):
        run = self.expect_ok(cpbench(*SMALL, ranks=2, environment=HIDDEN))
        self.assertIn("there is no GPU", run.err)
        self.assertIn("backend cpu", run.out)

    def test_the_gpu_is_refused(self):
        refused = cpbench(*SMALL, "--backend", "cuda", ranks=2, environment=HIDDEN)
        self.expect_refused(refused, 5, "there is no GPU")

    def test_its_reference_is_refused(self):
        refused = cpbench(*SMALL, "--reference", "device", ranks=2, environment=HIDDEN)
        self.expect_refused(refused, 5, "--reference device", "there is no GPU", "--reference fp64")

    def test_what_runs_nothing_needs_none(self):
        run = self.expect_ok(cpbench("plan", "--cp-size", "2", "--seq-len", "64", environment=HIDDEN))
        self.assertIn("verified", run.out)


if __name__ == "__main__":
    unittest.main()
