"""Starts the real program, on one rank or on many, and reads what it leaves behind.

The environment names it: CPBENCH_PROGRAM, and CPBENCH_MPIEXEC as for scripts/launch.sh.
"""

import dataclasses
import json
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["CPBENCH_PROGRAM"]

is_long = unittest.skipUnless("CPBENCH_LONG_TESTS" in os.environ, "takes a minute or more: CPBENCH_LONG_TESTS=1")

# What every measured run of these tests adds: they ask what a run means and not how fast it is.
BRIEFLY = ["--iterations", "1", "--warmup", "0", "--threads", "1"]
# A problem that takes no time; a flag given later adds values to an axis, so a test that varies one leaves it out.
TINY = ["--heads", "2", "--head-dim", "8"]


@dataclasses.dataclass
class Finished:
    command: str
    code: int
    out: str
    err: str

    @property
    def messages(self):
        """What the program says on stderr; launchers add lines of their own."""
        return [line for line in self.err.splitlines() if line.startswith("cpbench: ")]

    @property
    def warnings(self):
        return [line for line in self.messages if line.startswith("cpbench: warning: ")]

    @property
    def errors(self):
        """Its messages but warnings, such as that ranks share a core where there is only one."""
        return [line for line in self.messages if line not in self.warnings]

    def __str__(self):
        return f"{self.command}\nexit {self.code}\n{self.out}\n{self.err}"


def start(ranks, arguments, environment=None, address_space=None, stdout=subprocess.PIPE, stderr=subprocess.PIPE, program=PROGRAM):
    """`ranks` None: without a launcher. `address_space`: bytes that a process may map."""

    def limit():
        if address_space is not None:
            resource.setrlimit(resource.RLIMIT_AS, (address_space, address_space))

    launcher = [] if ranks is None else [str(ROOT / "scripts" / "launch.sh"), str(ranks)]
    return subprocess.Popen(
        launcher + [str(program)] + [str(argument) for argument in arguments],
        stdout=stdout,
        stderr=stderr,
        text=True,
        errors="replace",
        env={**os.environ, **(environment or {})},
        start_new_session=True,
        preexec_fn=limit,
    )


def end(process):
    """The launcher ends its ranks if it is asked; killed, it would leave them."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()


def cpbench(*arguments, ranks=None, limit_s=100, **options):
    """`options`: of start."""
    process = start(ranks, arguments, **options)
    command = " ".join(map(str, process.args))
    try:
        out, err = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        out, err = end(process)
        raise AssertionError(f"still running after {limit_s} s: {command}\n{out}\n{err}") from None
    return Finished(command, process.returncode, out or "", err)


def parse_json(text):
    """Python takes NaN and Infinity for numbers; JSON does not know them."""

    def refuse(name):
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def read_json(path):
    return parse_json(pathlib.Path(path).read_text(encoding="utf-8"))


def check_schema(*paths):
    """What scripts/check_schema.py says of these files. Its exit code is 77 where the library that it needs is not there."""
    command = [sys.executable, ROOT / "scripts" / "check_schema.py", *paths]
    return subprocess.run(command, capture_output=True, text=True)


class ProgramTest(unittest.TestCase):
    """Each test has an empty directory."""

    maxDiff = None

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def config(self, content):
        path = self.directory / "sweep.json"
        path.write_text(json.dumps({"schema_version": 1, **content}), encoding="utf-8")
        return path

    def program_after(self, line):
        """The program as ever, each rank of which first does a line of shell; $rank is its number."""
        path = self.directory / "program"
        path.write_text(
            f"#!/bin/sh\nrank=${{OMPI_COMM_WORLD_RANK-$PMI_RANK}}\n{line}\nexec {PROGRAM} \"$@\"\n", encoding="utf-8"
        )
        path.chmod(0o755)
        return path

    def program_that_tells_its_number(self):
        """For `program` of start: processes of it pid_of_rank knows."""
        return self.program_after(f"echo $$ > {self.directory}/pid.$rank")

    def pid_of_rank(self, rank):
        return int((self.directory / f"pid.{rank}").read_text())

    def schema_faults(self, *paths):
        check = check_schema(*paths)
        if check.returncode == 77:
            self.skipTest(check.stderr)
        self.assertEqual(check.returncode == 0, check.stdout == "", check.stdout + check.stderr)
        return check.stdout

    def schema_faults_of(self, document):
        path = self.directory / "checked.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return self.schema_faults(path)

    def expect_refused(self, run, code, *words):
        """One message, from rank 0, with `words` in it, besides warnings, and nothing that looks like a crash."""
        self.assertEqual(run.code, code, str(run))
        self.assertEqual(len(run.errors), 1, str(run))
        for word in words:
            self.assertIn(str(word), run.errors[0])
        for crash in ("terminate called", "Segmentation", "Signal:", "Backtrace", "Aborted", "Sanitizer"):
            self.assertNotIn(crash, run.err)

    def expect_ok(self, run):
        self.assertEqual(run.code, 0, str(run))
        return run

    def points_of(self, *arguments, ranks=None, code=0, environment=None, limit_s=100):
        """The points in the result file of `cpbench run`, which leaves with `code`."""
        path = self.directory / "points.json"
        run = cpbench(
            "run", *BRIEFLY, *arguments, "--json", path, "--overwrite",
            ranks=ranks, environment=environment, limit_s=limit_s,
        )  # fmt: skip
        self.assertEqual(run.code, code, str(run))
        self.assertNotIn("operation by operation", run.err)  # a graph that could not be made
        return read_json(path)["points"]

    def expect_all_validated(self, points, tensors=("out", "lse", "dq", "dk", "dv")):
        for point in points:
            with self.subTest(point["id"]):
                self.assertEqual(point["status"], "ok", point)
                found = point["validation"]["tensors"]
                self.assertTrue(point["validation"]["passed"])
                self.assertEqual(set(found) - {"dsink"}, set(tensors))
                self.assertEqual("dsink" in found, point["case"]["sink"] and "dq" in tensors)
