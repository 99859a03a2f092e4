"""Which GPU a rank uses where they differ."""

import unittest

from program import BRIEFLY, ProgramTest, cpbench, read_json

SMALL = ["--seq-len", "16", "--heads", "1", "--head-dim", "8", *BRIEFLY]
OLD = "is of compute capability 7.0, older than 8.0"


class Devices(ProgramTest):
    def test_old_ones_are_left_out(self):
        """Two ranks, and of the node's three GPUs the first is too old."""
        environment = {"CPBENCH_VGPU_DEVICES": "3", "CPBENCH_VGPU_CAPABILITY": "70,80"}
        path = self.directory / "result.json"
        run = self.expect_ok(cpbench("run", *SMALL, "--json", path, ranks=2, environment=environment))
        self.assertEqual(len([line for line in run.messages if "left out on" in line and OLD in line]), 1, str(run))
        result = read_json(path)
        self.assertEqual({point["case"]["backend"] for point in result["points"]}, {"cuda"})
        self.assertEqual([rank["uuid"][-2:] for rank in result["ranks"]], ["01", "02"])
        self.assertIn(OLD, cpbench("doctor", environment=environment).out)

    def test_fewer_than_ranks_are_refused(self):
        environment = {"CPBENCH_VGPU_DEVICES": "3", "CPBENCH_VGPU_CAPABILITY": "70,80"}
        refused = cpbench("run", *SMALL, ranks=3, environment=environment)
        self.expect_refused(refused, 5, "share GPU-", "--allow-shared-gpu")

    def test_old_ones_alone_are_none(self):
        run = self.expect_ok(cpbench("run", *SMALL, environment={"CPBENCH_VGPU_CAPABILITY": "70"}))
        self.assertIn("backend cpu", run.out)
        self.assertIn(OLD, run.err)


if __name__ == "__main__":
    unittest.main()
