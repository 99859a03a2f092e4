"""What a signal ends: said once, with exit code 128 and the signal's number, and nothing lost."""

import contextlib
import fcntl
import os
import pathlib
import re
import select
import signal
import time
import unittest

from program import TINY, Finished, ProgramTest, check_schema, end, parse_json, start


def is_running(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    return False


class Signals(ProgramTest):
    # The first point is nothing, the second takes longer than anyone waits for.
    SWEEP = ["--seq-len", "16,300000,17", *TINY, "--threads", "1", "--iterations", "1", "--warmup", "0", "--check", "off"]

    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.json"
        self.lines = self.directory / "out.jsonl"

    def start(self, ranks, *arguments, **options):
        process = start(ranks, arguments, environment={"CPBENCH_PROGRESS": "1"}, **options)
        self.addCleanup(end, process)
        return process

    def start_sweep(self, ranks):
        """Returns when the second of three points is in flight."""
        process = self.start(ranks, "run", *self.SWEEP, "--json", self.path, program=self.program_that_tells_its_number())
        self.read_until(process.stderr, "[2/3]")
        return process

    def read_until(self, stream, words):
        text = ""
        while words not in text:
            read = stream.read(1)
            self.assertTrue(read, text)
            text += read

    def finish(self, process):
        out, err = process.communicate(timeout=100)
        return Finished(" ".join(map(str, process.args)), process.returncode, out, err.replace("\x1b[K", ""))

    def pids(self, ranks):
        return [self.pid_of_rank(rank) for rank in range(ranks)]

    def expect_recorded(self, run, name):
        """The finished point and the one in flight; nothing else is left behind."""
        header, *points = [parse_json(line) for line in self.lines.read_text().splitlines()]
        self.assertEqual(header["schema"]["name"], "cpbench.result")
        self.assertEqual([(point["id"], point["status"]) for point in points], [("0-ring-cp2", "ok"), ("1-ring-cp2", "interrupted")])
        self.assertEqual(points[1]["reason"], f"ended by {name}")
        self.assertEqual(points[1]["case"]["seq_len"], 300000)
        self.assertEqual([path.name for path in self.directory.glob("out*")], ["out.jsonl"])
        self.assertIn(f" interrupted: ended by {name}\n", run.out)
        self.assertIn("# points 3: 1 ok, 1 interrupted, 1 not begun\n# verdict: FAILED: some points did not finish\n", run.out)
        check = check_schema(self.lines)
        self.assertIn(check.returncode, (0, 77), check.stdout)

    def expect_gone(self, pids):
        """A launcher that kills its ranks may end before they do. One that nobody killed computes for longer than this."""
        end_of_wait = time.monotonic() + 30
        while (left := [pid for pid in pids if is_running(pid)]) and time.monotonic() < end_of_wait:
            time.sleep(0.05)
        self.assertEqual(left, [])

    def expect_ended(self, run, name, pids):
        where = f'in point 2 of 3 (1-ring-cp2); 1 finished point is in "{self.lines}"'
        self.assertEqual(run.errors, [f"cpbench: ended by {name} {where}"], str(run))
        self.expect_recorded(run, name)
        self.expect_gone(pids)

    def test_to_all_ranks(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                process = self.start_sweep(2)
                pids = self.pids(2)
                for pid in pids:
                    os.kill(pid, number)
                run = self.finish(process)
                self.assertEqual(run.code, 128 + number, str(run))
                self.expect_ended(run, number.name, pids)
                self.lines.unlink()

    def send_to_one(self, rank, number):
        """Returns how the sweep ended, and the processes that it had."""
        process = self.start_sweep(2)
        pids = self.pids(2)
        os.kill(pids[rank], number)
        run = self.finish(process)
        self.assertEqual(run.code, 128 + number, str(run))
        return run, pids

    def test_to_rank_0_alone(self):
        run, pids = self.send_to_one(0, signal.SIGTERM)
        self.expect_ended(run, "SIGTERM", pids)

    def test_to_another_rank_alone(self):
        """It leaves rank 0 some time, and then ends the job; whether rank 0 has a word then is the launcher's choice."""
        run, pids = self.send_to_one(1, signal.SIGINT)
        self.assertIn("cpbench: rank 1: ended by SIGINT", run.errors)
        self.expect_gone(pids)

    def test_by_the_launcher(self):
        process = self.start_sweep(2)
        pids = self.pids(2)
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does
        run = self.finish(process)
        self.assertNotEqual(run.code, 0)
        self.expect_recorded(run, parse_json(self.lines.read_text().splitlines()[-1])["reason"].rpartition(" ")[2])
        self.expect_gone(pids)

    def test_twice(self):
        process = self.start_sweep(2)
        pids = self.pids(2)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            self.wait_until_taken(pids)
        run = self.finish(process)
        self.assertEqual(run.code, 128 + signal.SIGTERM, str(run))
        self.expect_ended(run, "SIGTERM", pids)

    def wait_until_taken(self, pids):
        """Of two signals that wait for a process, either may be the first that one of its threads takes."""
        for pid in pids:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                while re.search(r"ShdPnd:\s*0*[1-9a-f]", pathlib.Path(f"/proc/{pid}/status").read_text()):
                    time.sleep(0.001)

    def test_that_was_ignored_stays_ignored(self):
        for number in (signal.SIGHUP, signal.SIGINT):
            before = signal.signal(number, signal.SIG_IGN)
            self.addCleanup(signal.signal, number, before)
        process = self.start(None, "run", *self.SWEEP)
        self.read_until(process.stderr, "[2/3]")
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        ignored = int(re.search(r"SigIgn:\s*(\w+)", status)[1], 16)
        for number in (signal.SIGHUP, signal.SIGINT):
            self.assertTrue(ignored >> (number - 1) & 1, status)
        process.terminate()
        run = self.finish(process)
        self.expect_refused(run, 128 + signal.SIGTERM, "ended by SIGTERM in point 2 of 3", "1 finished point is printed above")

    def test_before_anything_has_begun(self):
        config = self.directory / "config.json"
        os.mkfifo(config)
        process = self.start(None, "run", "--config", config, "--json", self.path)
        with config.open("w"):  # the program waits for what is in it
            process.send_signal(signal.SIGINT)
            self.expect_refused(self.finish(process), 128 + signal.SIGINT, "ended by SIGINT")
        self.assertEqual(list(self.directory.glob("out*")), [])

    def test_in_the_self_test(self):
        process = self.start(None, "validate", "--self-test", "--threads", "1")
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        self.expect_refused(self.finish(process), 128 + signal.SIGTERM, "ended by SIGTERM")

    def start_and_wait_for_the_result(self):
        """Returns what reads the result's temporary file, while that is being written: a pipe that it does not fit into."""
        process = self.start(None, "run", "--seq-len", "600", *TINY, "--threads", "1", "--iterations", "300", "--json", self.path)
        process.stdout.readline()  # of the table's header, which comes after the checks
        temporary = self.directory / f"out.json.{process.pid}.part"
        os.mkfifo(temporary)
        pipe = os.fdopen(os.open(temporary, os.O_RDONLY | os.O_NONBLOCK), encoding="utf-8")
        self.addCleanup(pipe.close)
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 4096)
        select.select([pipe], [], [])
        os.set_blocking(pipe.fileno(), True)
        return process, pipe

    def test_waits_for_the_result(self):
        process, pipe = self.start_and_wait_for_the_result()
        process.send_signal(signal.SIGTERM)
        self.assertTrue(parse_json(pipe.read())["complete"])
        run = self.finish(process)
        self.expect_refused(run, 128 + signal.SIGTERM, f'after the last point; 1 finished point is in "{self.path}"')
        self.assertIn("# verdict: PASSED", run.out)
        self.assertEqual(sorted(path.name for path in self.directory.iterdir()), ["out.json", "out.jsonl"])

    def test_does_not_wait_for_ever(self):
        process, _ = self.start_and_wait_for_the_result()
        process.send_signal(signal.SIGTERM)
        self.expect_refused(self.finish(process), 128 + signal.SIGTERM, "ended by SIGTERM")
        self.assertEqual([path.name for path in self.directory.iterdir()], ["out.jsonl"])
        self.assertEqual(parse_json(self.lines.read_text().splitlines()[-1])["status"], "ok")

    def test_does_not_wait_for_a_terminal_that_is_held_up(self):
        reader, writer = os.pipe()
        process = start(None, ["run", *self.SWEEP], stderr=writer)
        self.addCleanup(end, process)
        for descriptor in (reader, writer):  # before `end`: what MPI started may wait for the same terminal
            self.addCleanup(os.close, descriptor)
        process.stdout.readline()
        own = os.open(f"/proc/self/fd/{writer}", os.O_WRONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, own)
        with contextlib.suppress(BlockingIOError):
            while os.write(own, b"x"):
                pass
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(100), 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
