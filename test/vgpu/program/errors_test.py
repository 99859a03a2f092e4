"""What a GPU refuses on one rank ends the point on all of them, or the job, in bounded time, and frees nothing that others still use."""

import unittest

from program import BRIEFLY, ProgramTest, cpbench, read_json

SMALL = ["--seq-len", "16", "--heads", "1", "--head-dim", "8", *BRIEFLY, "--backend", "cuda"]
LIMIT_S = 60


class Errors(ProgramTest):
    def run_with(self, failing, *arguments, **environment):
        environment["CPBENCH_VGPU_FAIL"] = failing
        run = cpbench("run", *SMALL, *arguments, ranks=2, environment=environment, limit_s=LIMIT_S)
        self.assertNotIn("virtual GPU: ", run.err)
        self.assertNotIn("terminate called", run.err)
        return run

    def expect_ended_by_rank_1(self, run, message):
        """Rank 1 says what it was; rank 0, which the launcher ends for it, may come to say in which point."""
        self.assertEqual(run.code, 4, str(run))
        first, *others = run.errors
        self.assertEqual(first, f"cpbench: rank 1: {message}")
        self.assertIn(others, ([], ["cpbench: ended by SIGTERM in point 1 of 1 (0-ring-cp2); no point is finished"]))

    def test_an_error_in_the_midst_of_a_run_ends_the_job(self):
        """Its peers have the memory of the rank open, and write there."""
        run = self.run_with("cudaGraphLaunch:1", "--transport", "ipc")
        self.expect_ended_by_rank_1(run, "cudaGraphLaunch: unknown error")

    def test_without_graphs_on_one_rank_all_go_without(self):
        for failing in ("cudaStreamBeginCapture:1", "cudaGraphInstantiate:1", "cudaStreamBeginCapture:1:2"):
            path = self.directory / f"{failing}.json"
            run = self.run_with(failing, "--transport", "ipc", "--mask", "causal,full", "--json", path)
            self.assertEqual(run.code, 0, str(run))
            self.assertEqual({point["status"] for point in read_json(path)["points"]}, {"ok"})
            warning = run.warnings[-1]
            self.assertIn(failing.split(":")[0] + ": unknown error: work is queued operation by operation", warning)

    def test_links_are_measured_without_graphs_and_not_without_memory(self):
        arguments = ["doctor", "--links", "--message-bytes", "4096", "-n", "3", "--transport", "nccl"]
        for code, failing, message in (
            (0, "cudaGraphInstantiate:1", "cudaGraphInstantiate: unknown error: messages are queued one by one"),
            (5, "cudaMalloc:1:1", "cannot allocate 4096 bytes of device memory"),
        ):
            run = cpbench(*arguments, ranks=2, environment={"CPBENCH_VGPU_FAIL": failing}, limit_s=LIMIT_S)
            self.assertEqual(run.code, code, str(run))
            self.assertIn(message, run.messages[-1])

    def test_an_error_of_nccl_ends_the_job(self):
        run = self.run_with("ncclCommGetAsyncError:1", "--transport", "nccl")
        self.assertEqual(run.code, 4, str(run))
        self.assertIn("cpbench: rank 1: NCCL: ", run.err)

    def test_a_network_that_is_gone_ends_the_job(self):
        """Messages that never end, of a graph, of single operations, and where peers first meet; neither rank can wait for its
        device any more."""
        for number, flags in ((4, []), (4, ["--no-graphs"]), (1, [])):
            run = self.run_with(f"network:1:{number}", "--transport", "nccl", *flags)
            self.expect_ended_by_rank_1(run, "NCCL: remote process exited or there was a network error: ")

    def test_a_rank_that_nccl_does_not_find_ends_the_job(self):
        """All wait for it, one says so: for the first communicator, and for one after a point that went well."""
        for failing, masks in (("bootstrap", "causal"), ("bootstrap:1:2", "causal,full")):
            run = self.run_with(failing, "--transport", "nccl", "--mask", masks, CPBENCH_NCCL_TIMEOUT="2")
            self.assertEqual(run.code, 4, str(run))
            (message,) = run.errors
            self.assertRegex(message, r"^cpbench: rank 0: NCCL has not found all of the 2 ranks within 2 s: ")
            self.assertIn("NCCL_DEBUG=INFO", message)
            self.assertIn("NCCL_SOCKET_IFNAME", message)

    def test_a_time_that_is_none_is_refused(self):
        for text in ("0", "-1", "nan", "soon", "2s"):
            run = self.run_with("nothing", "--transport", "nccl", CPBENCH_NCCL_TIMEOUT=text)
            self.expect_refused(run, 2, f"CPBENCH_NCCL_TIMEOUT={text} is no positive number of seconds")

    def test_memory_that_is_gone_on_one_rank_fails_the_point_on_all(self):
        """Before anything is made that takes both ranks, and after; the next point has what it needs. (The first is for
        finding out whether ipc reaches.)"""
        for number in (2, 19):
            path = self.directory / f"{number}.json"
            run = self.run_with(f"cudaMalloc:1:{number}", "--transport", "ipc", "--mask", "causal,full", "--json", path)
            self.assertEqual(run.code, 5, str(run))
            points = read_json(path)["points"]
            self.assertEqual([point["status"] for point in points], ["failed", "ok"], points)
            self.assertIn("cannot allocate", points[0]["reason"])

    def test_memory_that_is_gone_when_kernels_are_loaded_fails_the_point_on_all(self):
        path = self.directory / "result.json"
        run = self.run_with("cudaFuncGetAttributes:1:1", "--transport", "ipc", "--mask", "causal,full", "--json", path)
        self.assertEqual(run.code, 5, str(run))
        points = read_json(path)["points"]
        self.assertEqual([point["status"] for point in points], ["failed", "ok"], points)
        self.assertIn("no device memory left", points[0]["reason"])


if __name__ == "__main__":
    unittest.main()
