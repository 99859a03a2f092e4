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

    def test_without_a_driver_there_is_none(self):
        run = self.expect_ok(cpbench("run", *SMALL, environment={"CPBENCH_VGPU_DRIVER": "0"}))
        self.assertIn("there is no GPU: no driver was found", run.err)

    def test_only_nccl_is_left_multiprocessors(self):
        """8 unless the user says; where nothing would use them none are left, and the user learns that."""
        many = {"CPBENCH_VGPU_MULTIPROCESSORS": "40"}
        for transport, flags, left, note in (
            ("nccl", [], 8, False), ("nccl", ["3"], 3, False), ("nccl", ["0"], None, False), ("ipc", [], None, False),
            ("ipc", ["3"], None, True), ("mpi", ["3"], None, True),
        ):  # fmt: skip
            path = self.directory / "result.json"
            ctas = ["--comm-ctas", *flags] if flags else []
            run = cpbench("run", *SMALL, "--transport", transport, *ctas, "--json", path, "--overwrite", ranks=2, environment=many)
            self.expect_ok(run)
            (point,) = read_json(path)["points"]
            self.assertEqual(point["case"].get("comm_ctas"), left, run.command)
            self.assertEqual(point.get("reserved_multiprocessors"), left, run.command)
            self.assertEqual(f"cpbench: --comm-ctas has no effect with --transport {transport}" in run.messages, note, str(run))

    def test_each_stream_of_nccl_is_left_multiprocessors(self):
        """Where it may be busy beside a kernel: on both levels of a double ring, or on the outer one alone."""
        for transport, nodes, left in (("nccl", "4", 6), ("ipc+nccl", "2", 3), ("ipc", "4", None)):
            path = self.directory / "result.json"
            environment = {"CPBENCH_VGPU_MULTIPROCESSORS": "40", "CPBENCH_VGPU_RANKS_PER_NODE": nodes}
            ctas = [] if left is None else ["--comm-ctas", "3"]
            run = cpbench(
                "run", *SMALL, "--algo", "double-ring", "--window-size", "2", "--mask", "full", "--transport", transport, *ctas,
                "--json", path, "--overwrite", ranks=4, environment=environment,
            )  # fmt: skip
            self.expect_ok(run)
            (point,) = read_json(path)["points"]
            self.assertEqual(point.get("reserved_multiprocessors"), left, run.command)

    def test_nodes_of_unequal_size(self):
        """All ranks choose the same grid: windows that lie within nodes of three and of two ranks have one."""
        path = self.directory / "result.json"
        run = cpbench(
            "run", *SMALL, "--backend", "cpu", "--algo", "double-ring", "--cp-size", "4", "--json", path,
            ranks=5, environment={"CPBENCH_VGPU_RANKS_PER_NODE": "3"},
        )  # fmt: skip
        self.expect_ok(run)
        self.assertEqual([point["case"]["window_size"] for point in read_json(path)["points"]], [1])

    def test_flags_of_gpus_have_no_effect_on_a_cpu(self):
        run = self.expect_ok(cpbench("run", *SMALL, "--backend", "cpu", "--no-graphs", "--allow-shared-gpu", "--comm-ctas", "2"))
        for flag in ("--no-graphs", "--allow-shared-gpu", "--comm-ctas"):
            self.assertIn(f"cpbench: {flag} has no effect with --backend cpu", run.messages)

    def test_streams_that_share_a_queue_are_warned_of(self):
        """The program asks for as many as there can be, unless the user says."""
        variable = "CUDA_DEVICE_MAX_CONNECTIONS"
        for said, queues, warned in (("1", "1", True), ("10", "10", True), ("11", "11", False), (None, "32", False)):
            path = self.directory / "result.json"
            environment = {} if said is None else {variable: said}
            run = self.expect_ok(cpbench("run", *SMALL, "--json", path, "--overwrite", ranks=2, environment=environment))
            self.assertEqual(f"warning: {variable}={queues}: " in run.err, warned, str(run))
            self.assertEqual(read_json(path)["environment"]["variables"][variable], queues)

    def test_graphs_of_nccl_are_not_mixed(self):
        """Unless the user says; the result says which."""
        variable = "NCCL_GRAPH_MIXING_SUPPORT"
        for said, kept in ((None, "0"), ("1", "1")):
            path = self.directory / "result.json"
            environment = {} if said is None else {variable: said}
            arguments = ["--transport", "nccl", "--no-graphs", "--json", path, "--overwrite"]
            self.expect_ok(cpbench("run", *SMALL, *arguments, ranks=2, environment=environment))
            self.assertEqual(read_json(path)["environment"]["variables"][variable], kept)

    def test_hopper_kernels_on_two_ranks(self):
        """With head sizes that are padded, and sequences packed one after the other."""
        arguments = ["--seq-len", "96", "--heads", "2", "--kv-heads", "1", "--head-dim", "64,136,200", "--layout", "thd", "--threads", "1"]
        hopper = {"CPBENCH_VGPU_CAPABILITY": "90"}
        run = self.expect_ok(cpbench("validate", *arguments, "--check", "full", "--kernel", "sm90", ranks=2, environment=hopper))
        self.assertEqual(run.out.count(": ok\n"), 3, str(run))


if __name__ == "__main__":
    unittest.main()
