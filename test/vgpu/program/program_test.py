"""The whole program with a virtual GPU for each rank: every algorithm, every transport, each point validated."""

import os
import re
import unittest

from program import BRIEFLY, ProgramTest, cpbench, is_long, read_json

ALGORITHMS = ["ring", "ulysses", "double-ring", "hybrid", "all-gather"]
SMALL = {"seq_len": 64, "heads": 4, "kv_heads": 2, "head_dim": 16, "mask": "window:24", "sink": True}
LIMIT_S = 600


class OnVirtualGpus(ProgramTest):
    def expect_validated(self, ranks, content, *flags, environment=None):
        points = self.points_of(
            "--config", self.config(content), "--check", "full", "--backend", "cuda", *flags,
            ranks=ranks, environment=environment, limit_s=LIMIT_S,
        )  # fmt: skip
        self.expect_all_validated(points)
        return points

    def test_every_algorithm_with_messages_through_the_host(self):
        content = {"defaults": SMALL, "matrix": {"algo": ALGORITHMS}}
        points = self.expect_validated(4, content, "--transport", "mpi")
        self.assertEqual([p["case"]["algo"] for p in points], ALGORITHMS)
        for point in points:
            self.assertEqual((point["case"]["backend"], point["case"]["transport"]), ("cuda", "mpi"))

    def test_messages_from_device_to_device_by_mpi(self):
        """Where the library says that it takes their memory."""
        path = self.directory / "result.json"
        content = {"defaults": SMALL, "matrix": {"algo": ["double-ring", "hybrid"]}}
        for aware, ranks, flags, described in (
            ("1", 4, ["--config", self.config(content)], "transport mpi (direct)"),
            ("0", 2, ["--seq-len", "16", "--heads", "1", "--head-dim", "8"], "transport mpi (through pinned memory)"),
        ):  # fmt: skip
            run = cpbench(
                "run", *flags, *BRIEFLY, "--check", "full", "--transport", "mpi", "--json", path, "--overwrite",
                ranks=ranks, environment={"CPBENCH_VGPU_CUDA_AWARE_MPI": aware}, limit_s=LIMIT_S,
            )  # fmt: skip
            self.expect_ok(run)
            self.assertIn(described, run.out)
            self.expect_all_validated(read_json(path)["points"])

    def test_mpi_takes_the_memory_of_devices_only_where_that_is_switched_on(self):
        cray = "MPI VERSION    : CRAY MPICH version 8.1.28.2 (ANL base 3.4a2)\nMPI BUILD INFO : Wed Nov 15"
        intel, mvapich = "Intel(R) MPI Library 2021.14 for Linux* OS", "MVAPICH2 Version      :\t2.3.7"
        for library, switch, way in (
            (cray, {}, "through pinned memory"),
            (cray, {"MPICH_GPU_SUPPORT_ENABLED": "0"}, "through pinned memory"),
            (cray, {"MPICH_GPU_SUPPORT_ENABLED": "1"}, "direct"),
            (intel, {"MPICH_GPU_SUPPORT_ENABLED": "1"}, "through pinned memory"),
            (intel, {"I_MPI_OFFLOAD": "1"}, "direct"),
            (mvapich, {}, "through pinned memory"),
            (mvapich, {"MV2_USE_CUDA": "1"}, "direct"),
        ):
            run = cpbench(
                "run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", *BRIEFLY, "--transport", "mpi",
                environment={"CPBENCH_VGPU_CUDA_AWARE_MPI": "1", "CPBENCH_VGPU_MPI_LIBRARY": library, **switch}, limit_s=LIMIT_S,
            )  # fmt: skip
            self.assertIn(f"transport mpi ({way})", self.expect_ok(run).out, (library, switch))

    def test_every_algorithm_by_ipc(self):
        """Chosen unasked; operation by operation, and as graphs."""
        for ranks, algorithms, flags in ((2, ["ring", "ulysses"], ["--no-graphs"]), (4, ALGORITHMS, [])):
            content = {"defaults": SMALL, "matrix": {"algo": algorithms}}
            points = self.expect_validated(ranks, content, *flags)
            self.assertEqual({p["case"]["transport"] for p in points}, {"ipc"})

    def test_copies_are_not_said_to_be_by_copy_engines(self):
        """Within a GPU the driver may copy by multiprocessors."""
        shared = {"CPBENCH_VGPU_DEVICES": "1"}
        arguments = ["--seq-len", "16", "--heads", "1", "--head-dim", "8", *BRIEFLY, "--transport", "ipc", "--allow-shared-gpu"]
        run = cpbench("run", *arguments, ranks=2, environment=shared)
        self.assertIn("transport ipc (copies by the driver)", self.expect_ok(run).out)

    def test_every_algorithm_by_nccl(self):
        for ranks, algorithms, flags in ((2, ["ring", "ulysses"], ["--no-graphs"]), (4, ALGORITHMS, ["--comm-ctas", "2"])):
            content = {"defaults": SMALL, "matrix": {"algo": algorithms}}
            points = self.expect_validated(ranks, content, "--transport", "nccl", *flags)
            self.assertEqual({p["case"]["transport"] for p in points}, {"nccl"})

    def test_on_two_nodes_ipc_and_nccl_share_the_messages(self):
        nodes = {"CPBENCH_VGPU_RANKS_PER_NODE": "2"}
        for algorithms, flags in ((["double-ring", "hybrid", "all-gather"], []), (["ring"], ["--no-graphs", "--transport", "nccl+ipc"])):
            content = {"defaults": SMALL, "matrix": {"algo": algorithms}}
            points = self.expect_validated(4, content, *flags, environment=nodes)
            self.assertEqual({p["case"]["transport"] for p in points}, {"ipc+nccl"})

    def test_a_result_names_the_transports_of_its_own_ranks(self):
        nodes = {"CPBENCH_VGPU_RANKS_PER_NODE": "2"}
        content = {"defaults": SMALL, "matrix": {"cp_size": [1, 2, 3]}}
        points = self.expect_validated(3, content, environment=nodes)
        self.assertEqual([p["case"]["transport"] for p in points], ["ipc", "ipc", "ipc+nccl"])

    def test_one_node_may_have_too_few_cores_and_another_enough(self):
        every = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, every)
        os.sched_setaffinity(0, {min(every)})
        nodes = {"CPBENCH_VGPU_RANKS_PER_NODE": "2"}
        self.expect_validated(3, {"defaults": SMALL}, environment=nodes)

    def test_links_are_measured_on_every_transport(self):
        """In the memory of devices, as graphs and message by message, and what arrives is looked at there."""
        path = self.directory / "doctor.json"
        nodes = {"CPBENCH_VGPU_RANKS_PER_NODE": "2"}
        for transport, flags, environment, kinds in (
            ("ipc", [], None, ["inner", "all-to-all"]),
            ("nccl", ["--no-graphs"], None, ["inner", "all-to-all"]),
            ("mpi", [], None, ["inner", "all-to-all"]),
            ("ipc+nccl", ["--ranks-per-node", "2"], nodes, ["inner", "outer", "all-to-all"]),
        ):
            run = cpbench(
                "doctor", "--links", "--all-to-all", "--message-bytes", "4096", "-n", "3", "--transport", transport, *flags,
                "--json", path, "--overwrite", ranks=3, environment=environment, limit_s=LIMIT_S,
            )  # fmt: skip
            self.expect_ok(run)
            self.assertNotIn("one by one", run.err)
            record = read_json(path)
            self.assertEqual(record["devices"]["backend"], "cuda")
            links = record["links"]
            self.assertEqual((links["transport"], links["corrupt"], links["repetitions"]), (transport, [], 3))
            self.assertEqual([pattern["kind"] for pattern in links["patterns"]], kinds)
            self.assertEqual(len(links["pairs"]), 6)

    def test_devices_that_cannot_reach_each_other_use_nccl(self):
        for peers, transport in ((1, "nccl"), (2, "ipc+nccl")):
            reach = {"CPBENCH_VGPU_PEERS": str(peers)}
            points = self.expect_validated(3, {"defaults": SMALL}, environment=reach)
            self.assertEqual([p["case"]["transport"] for p in points], [transport])

    def expect_ipc_refused(self, environment, reason):
        arguments = ["run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", "--transport", "ipc"]
        refused = cpbench(*arguments, ranks=2, environment=environment, limit_s=LIMIT_S)
        self.expect_refused(refused, 2, "--transport ipc: ranks 0 and 1", reason)

    def expect_not_reached(self, failing_call, reason):
        environment = {"CPBENCH_VGPU_FAIL": failing_call}
        points = self.expect_validated(3, {"defaults": SMALL}, environment=environment)
        self.assertEqual([p["case"]["transport"] for p in points], ["ipc+nccl"])
        self.expect_ipc_refused(environment, reason)

    def test_memory_that_cannot_be_opened_is_not_reached(self):
        """Though nothing else says so: a GPU that the peer does not see."""
        for call in ("cudaIpcOpenMemHandle:1", "cudaMalloc:1:1", "cudaStreamCreateWithFlags:1:1"):
            self.expect_not_reached(call, "cannot reach each other")

    def test_memory_in_which_no_flag_can_be_raised_is_not_reached(self):
        """Whether the driver refuses to, or what it writes never comes."""
        for call in ("cuStreamWriteValue32:1", "flag:1"):
            self.expect_not_reached(call, "their streams cannot raise flags")

    def test_a_stream_that_does_not_end_has_raised_no_flag(self):
        """And is not waited for, though the memory that it may yet write to is kept."""
        self.expect_ipc_refused({"CPBENCH_VGPU_FAIL": "cudaStreamQuery:1"}, "their streams cannot raise flags")

    def test_keys_between_those_that_are_attended(self):
        """A window over stripes skips ranks whose rows lie between those of others: nobody sends them, and kernels load them."""
        content = {"defaults": {**SMALL, "algo": "all-gather", "shard": "striped", "mask": "window:1"}}
        for capability in ("80", "90"):
            self.expect_validated(4, content, environment={"CPBENCH_VGPU_CAPABILITY": capability})

    def test_batches_of_shards_that_differ_in_length(self):
        """Boxes of two gaps, whose strides differ where they come from and go to."""
        content = {"defaults": {**SMALL, "seq_len": 61, "batch": 2, "algo": "ulysses"}}
        for transport in ("ipc", "nccl", "mpi"):
            self.expect_validated(2, content, "--transport", transport)

    def test_a_transport_that_does_not_reach_is_refused(self):
        arguments = ["run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", "--transport"]
        for variable, reason in (("RANKS_PER_NODE", "on different nodes"), ("PEERS", "cannot reach each other")):
            self.expect_ipc_refused({"CPBENCH_VGPU_" + variable: "1"}, reason)
        self.expect_refused(cpbench(*arguments, "ipc+mpi", limit_s=LIMIT_S), 2, "all moved by devices, or all by the host")
        self.expect_refused(cpbench(*arguments, "ipc+pigeon", limit_s=LIMIT_S), 2, "ipc+pigeon", "ipc, nccl, mpi")

    @is_long
    def test_planted_faults_are_caught(self):
        for reference in ("fp64", "device"):
            arguments = ["--self-test", "--backend", "cuda", "--reference", reference]
            run = self.expect_ok(cpbench("validate", *arguments, ranks=2, limit_s=10 * LIMIT_S))
            self.assertRegex(run.out, r"self-test: [1-9]\d+ caught, 0 missed")

    def test_a_reference_on_the_device(self):
        for check, reference in (("full", r"^cublas-full$"), ("sample:40", r"^cublas-sample:\d+$")):
            content = {"defaults": SMALL, "matrix": {"algo": ["ring", "ulysses"]}}
            points = self.points_of(
                "--config", self.config(content), "--check", check, "--reference", "device",
                ranks=2, limit_s=LIMIT_S,
            )  # fmt: skip
            self.expect_all_validated(points)
            for point in points:
                self.assertRegex(point["validation"]["reference"], reference)

    def test_a_reference_on_the_device_sees_a_planted_nan(self):
        for check in ("full", "sample:8"):
            (point,) = self.points_of(
                "--seq-len", "32", "--heads", "2", "--head-dim", "16", "--input", "nan", "--check", check,
                "--reference", "device", ranks=2, code=3, limit_s=LIMIT_S,
            )  # fmt: skip
            self.assertEqual(point["status"], "invalid")
            self.assertIn("NaN in out", point["reason"])
            self.assertTrue(point["validation"]["reference"].startswith("cublas-"))

    def test_a_reference_on_the_device_needs_one(self):
        arguments = ["run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", "--reference", "device"]
        none = {"CPBENCH_VGPU_DEVICES": "0"}
        refused = cpbench(*arguments, ranks=2, environment=none, limit_s=LIMIT_S)
        self.expect_refused(refused, 5, "--reference device", "there is no GPU", "--reference fp64")
        refused = cpbench(*arguments, "--backend", "cpu", limit_s=LIMIT_S)
        self.expect_refused(refused, 5, "--reference device", "--backend cpu", "--backend cuda")

    def test_the_result_names_the_devices(self):
        path = self.directory / "result.json"
        arguments = ["--seq-len", "16", "--heads", "1", "--head-dim", "8", "--iterations", "1", "--warmup", "0"]
        run = self.expect_ok(cpbench("run", *arguments, "--json", path, ranks=2, limit_s=LIMIT_S))
        result = read_json(path)
        self.assertEqual({rank["device"] for rank in result["ranks"]}, {"cpbench virtual GPU"})
        uuids = [rank["uuid"] for rank in result["ranks"]]
        self.assertEqual(len(set(uuids)), 2)
        for uuid in uuids:
            self.assertIn(uuid, run.out)
        for version in ("cuda", "driver", "nccl_header", "nccl_library"):
            self.assertRegex(result["environment"][version], r"^\d+\.\d+")
        (point,) = result["points"]
        self.assertEqual([device["rank"] for device in point["devices"]], [0, 1])
        for device in point["devices"]:
            self.assertEqual((device["sm_clock_mhz"], device["lowest_sm_clock_mhz"], device["power_w"]), (1500, 1500, 350))
            self.assertEqual(device["throttled_by"], ["power-cap"])
        # 2,048 FLOPs a clock on each of 4 multiprocessors at 1 GHz.
        self.assertAlmostEqual(point["throughput"]["peak_tflops"], 8.192)
        # The flags of `ipc` come on top of what is planned.
        flags = point["memory"]["peak_bytes"] - point["memory"]["planned_bytes"]
        self.assertEqual(flags, 4096 * 4)

    def test_all_memory_is_planned(self):
        """Buffers, work lists and workspaces: exactly what is allocated where the transport needs none on the device."""
        shape = ["--seq-len", "163", "--heads", "2", "--kv-heads", "1", "--head-dim", "16", "--mask", "window:50"]
        for flags in (["--algo", "hybrid", "--ulysses-degree", "2"], ["--algo", "ring", "--accumulate", "merge"]):
            (point,) = self.points_of(*shape, *flags, "--transport", "mpi", "--check", "off", ranks=4, limit_s=LIMIT_S)
            self.assertEqual(point["memory"]["planned_bytes"], point["memory"]["peak_bytes"], point["case"])
        planned = []
        for backend in ("cpu", "cuda"):
            text = self.expect_ok(cpbench("plan", "--cp-size", "4", *shape, "--backend", backend)).out
            planned.append(float(re.search(r"peak memory ([\d.]+) KiB", text).group(1)))
        self.assertGreater(planned[1], planned[0])

    def test_more_than_the_devices_hold_is_refused(self):
        small = {"CPBENCH_VGPU_MEGABYTES": "1"}
        arguments = ["run", "--algo", "ring", "--heads", "8", "--head-dim", "64", "--seq-len", "2048"]
        refused = cpbench(*arguments, "--backend", "cuda", ranks=2, environment=small, limit_s=LIMIT_S)
        self.expect_refused(refused, 5, "not enough memory on GPU-", "but only 976.56 KiB is available")

    def test_any_kernel_of_the_device_can_be_chosen(self):
        hopper = {"CPBENCH_VGPU_CAPABILITY": "90"}
        arguments = ["--seq-len", "48", "--heads", "1", "--head-dim", "16", "--check", "full", "--iterations", "1", "--warmup", "0"]
        names = []
        for flags in ([], ["--kernel", "sm80"]):
            path = self.directory / f"{len(names)}.json"
            self.expect_ok(cpbench("run", *arguments, *flags, "--json", path, environment=hopper, limit_s=LIMIT_S))
            names += [point["case"]["kernel"] for point in read_json(path)["points"]]
        self.assertEqual(names, ["sm90", "sm80"])
        self.assertIn("kernels of cpbench virtual GPU, the best first: sm90 sm80\n", cpbench("doctor", environment=hopper).out)
        refused = cpbench("run", *arguments, "--kernel", "sm90", limit_s=LIMIT_S)
        self.expect_refused(refused, 2, "sm90", "sm80")

    def test_two_ranks_do_not_share_a_device_unasked(self):
        few = {"CPBENCH_VGPU_DEVICES": "1"}
        arguments = ["run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", "--iterations", "1", "--warmup", "0"]
        refused = cpbench(*arguments, ranks=2, environment=few, limit_s=LIMIT_S)
        self.expect_refused(refused, 5, "--allow-shared-gpu")
        self.expect_ok(cpbench(*arguments, "--allow-shared-gpu", ranks=2, environment=few, limit_s=LIMIT_S))

    def test_without_a_device_the_cpu_serves(self):
        none = {"CPBENCH_VGPU_DEVICES": "0"}
        arguments = ["run", "--seq-len", "16", "--heads", "1", "--head-dim", "8", "--iterations", "1", "--warmup", "0"]
        run = self.expect_ok(cpbench(*arguments, ranks=2, environment=none, limit_s=LIMIT_S))
        self.assertIn("there is no GPU", run.err)
        self.assertIn("backend cpu", run.out)
        refused = cpbench(*arguments, "--backend", "cuda", ranks=2, environment=none, limit_s=LIMIT_S)
        self.expect_refused(refused, 5, "there is no GPU")


if __name__ == "__main__":
    unittest.main()
