"""A rank that crashes says where, loses no result, and then does what crashing processes do.

CPBENCH_PROGRAM is the program with crashing_kernels.cpp linked into it.
"""

import platform
import re
import unittest

from program import TINY, ProgramTest, cpbench, parse_json


class Crashes(ProgramTest):
    # The kernels crash in the second of three points.
    SWEEP = ["--seq-len", "60,400,80", *TINY, "--iterations", "1", "--warmup", "0"]

    def crash(self, how, *arguments, rank=None, ranks=2, threads=1):
        self.path, self.lines = self.directory / "out.json", self.directory / "out.jsonl"
        environment = {} if rank is None else {"CRASHING_RANK": str(rank)}
        run = cpbench("run", *self.SWEEP, "--kernel", f"crashing-{how}", "--threads", threads, "--json", self.path, *arguments,
                      ranks=ranks, environment=environment)  # fmt: skip
        self.assertNotEqual(run.code, 0, str(run))
        return run

    def expect_said(self, run, rank, signal):
        """By a line of the crashed rank, whole, and once."""
        said = [line for line in run.errors if f"rank {rank} on " in line]
        self.assertEqual(len(said), 1, str(run))
        self.assertRegex(said[0], rf"^cpbench: rank {rank} on {re.escape(platform.node())}: crashed with {signal} "
                         r"(\(address 0x[0-9a-f]+\) )?while running point 1-ring-cp2, in operation 'attend \d'$")

    def recorded(self):
        header, *points = [parse_json(line) for line in self.lines.read_text().splitlines()]
        self.assertEqual([path.name for path in self.directory.glob("out*")], ["out.jsonl"])
        self.assertEqual((points[0]["id"], points[0]["status"]), ("0-ring-cp2", "ok"))
        return points

    def test_of_rank_0_is_said_and_recorded(self):
        run = self.crash("astray", rank=0)
        self.expect_said(run, 0, "SIGSEGV")
        self.assertIn(f'cpbench: ended by SIGSEGV in point 2 of 3 (1-ring-cp2); 1 finished point is in "{self.lines}"', run.errors)
        self.assertIn("# points 3: 1 ok, 1 interrupted, 1 not begun\n# verdict: FAILED: some points did not finish\n", run.out)
        points = self.recorded()
        self.assertEqual([(point["id"], point["status"]) for point in points[1:]], [("1-ring-cp2", "interrupted")])
        self.assertEqual(points[1]["reason"], "ended by SIGSEGV")

    def test_of_another_rank_is_said(self):
        """Rank 0 then hears of it from the launcher, or is killed."""
        self.expect_said(self.crash("astray", rank=1), 1, "SIGSEGV")
        self.recorded()

    def test_of_all_ranks_is_said(self):
        run = self.crash("astray")
        self.assertRegex(run.err, "crashed with SIGSEGV .*while running point 1-ring-cp2")
        self.recorded()

    def test_by_any_signal(self):
        for how, signal in ("abort", "SIGABRT"), ("bus", "SIGBUS"), ("division", "SIGFPE"), ("illegal", "SIGILL"):
            with self.subTest(signal):
                self.expect_said(self.crash(how, "--overwrite", rank=1), 1, signal)

    def test_on_any_thread(self):
        self.expect_said(self.crash("astray-on-thread", rank=1, threads=2), 1, "SIGSEGV")

    def test_where_the_stack_is_at_its_end(self):
        for how in "overflow", "overflow-on-thread":
            with self.subTest(how):
                self.expect_said(self.crash(how, "--overwrite", rank=1, threads=2), 1, "SIGSEGV")

    def test_leaves_the_signal_to_who_had_it(self):
        """Open MPI prints its stack, and the launcher knows the signal."""
        run = self.crash("astray", rank=1)
        if "Open MPI" not in run.out:
            self.skipTest("another MPI")
        self.assertIn("Signal: Segmentation fault (11)", run.err)
        self.assertIn("signal 11", run.err)

    def test_without_a_launcher_ends_the_process_by_the_signal(self):
        run = self.crash("abort", "--cp-size", 1, ranks=None)
        self.assertEqual(run.code, -6, str(run))
        self.assertIn("crashed with SIGABRT while running point 1-ring-cp1", run.err)
        self.assertEqual(len(self.lines.read_text().splitlines()), 3)


if __name__ == "__main__":
    unittest.main()
