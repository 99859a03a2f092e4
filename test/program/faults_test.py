"""Faults that are not the user's: each ends every command with one message and the exit code that README.md gives it.

CPBENCH_PROGRAM is the program with an algorithm that does not verify, with a transport that loses bits, and with an MPI library that
fails where it is told to.
"""

import signal
import unittest

from program import BRIEFLY, TINY, Finished, ProgramTest, cpbench, end, read_json, start


class Unverified(ProgramTest):
    LINE = ["--algo", "unverified", "--seq-len", "60", *TINY]

    def test_programs_are_never_run(self):
        for command in (["run", *BRIEFLY], ["validate", "--threads", "1"]):
            path = self.directory / "out.json"
            run = cpbench(*command, *self.LINE, "--json", path, ranks=3)
            self.expect_refused(run, 3, "does not verify", "nothing is run")
            self.assertIn("rank 0, op", run.err)
            self.assertFalse(path.exists())

    def test_the_plan_says_what_is_wrong(self):
        run = cpbench("plan", *self.LINE, "--cp-size", "3")
        self.assertEqual(run.code, 3, str(run))
        self.assertIn("NOT VERIFIED", run.out)
        run = cpbench("plan", *self.LINE, "--cp-size", "2,3", "--json", self.directory / "plan.json")
        self.assertEqual(run.code, 3, str(run))
        self.assertRegex(run.out, r"\n  \S+ +3 .* invalid: .*rank 0, op")
        self.assertIn("verdict: FAILED: ", run.out)
        self.assertEqual(cpbench("report", self.directory / "plan.json").code, 3)

    def test_the_self_test_ends(self):
        self.expect_refused(cpbench("validate", "--self-test", "--threads", "1", ranks=2), 3, "does not verify")


class Mpi(ProgramTest):
    def test_what_fails_before_the_command_begins_is_said(self):
        for call, words in (("MPI_Init_thread", "supports no threads"), ("MPI_Comm_size", "MPI_Comm_size: ")):
            run = cpbench("doctor", environment={"CPBENCH_TEST_MPI_FAILS": call})
            self.expect_refused(run, 4, "rank 0: ", words)

    def test_the_lowest_of_several_ranks_speaks(self):
        """The launcher's signal ends the others before their turn."""
        run = cpbench("doctor", ranks=3, environment={"CPBENCH_TEST_MPI_FAILS": "MPI_Comm_size"})
        self.expect_refused(run, 4, "rank 0: ", "MPI_Comm_size: ")

    def test_a_signal_ends_what_never_begins(self):
        process = start(None, ["doctor"], environment={"CPBENCH_TEST_MPI_FAILS": "hang"})
        self.addCleanup(end, process)
        self.assertEqual(process.stdout.readline(), "initialising\n")
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=100)
        self.expect_refused(Finished("doctor", process.returncode, out, err), 143, "ended by SIGTERM")


class Links(ProgramTest):
    def test_one_that_corrupts_data_is_found_and_named(self):
        path = self.directory / "doctor.json"
        line = ["doctor", "--links", "--transport", "lossy", "--message-bytes", "4096", "-n", "3", "--json", path]
        run = cpbench(*line, ranks=3)
        self.assertEqual(run.code, 4, str(run))
        self.assertRegex(run.out, r"corrupt link: rank 2 on \S+ to rank 1 on \S+: wrong bytes in 4 messages of 4.00 KiB, the first at byte 1000\n")
        self.assertIn("verdict: FAILED", run.out)
        self.assertNotIn("for plan:", run.out)
        record = read_json(path)
        self.assertEqual(record["exit_code"], 4)
        self.assertEqual(record["links"]["corrupt"], [{"from": 2, "to": 1, "bytes": 4096, "first_wrong": 1000, "times": 4}])
        self.assertIsNone(record["links"]["plan"])

    def test_they_are_not_found_where_another_transport_is_used(self):
        self.expect_ok(cpbench("doctor", "--links", "--message-bytes", "4096", "-n", "3", ranks=3))


if __name__ == "__main__":
    unittest.main()
