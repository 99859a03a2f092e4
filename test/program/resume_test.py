"""What --resume keeps of a sweep that was cut, and what it runs."""

import json
import os
import signal
import unittest

from program import BRIEFLY, ROOT, TINY, ProgramTest, cpbench, end, parse_json, read_json, start


class Resume(ProgramTest):
    SWEEP = ["--seq-len", "40,41,42", *TINY]

    def setUp(self):
        super().setUp()
        self.path = self.directory / "out.json"
        self.lines = self.directory / "out.jsonl"

    def run_sweep(self, *arguments, sweep=SWEEP, ranks=2, **options):
        return cpbench("run", *sweep, *BRIEFLY, "--json", self.path, *arguments, ranks=ranks, **options)

    def resume(self, *arguments, **options):
        return self.run_sweep("--resume", *arguments, **options)

    def read_lines(self):
        return [parse_json(line) for line in self.lines.read_text().splitlines()]

    def cut(self, finished, edit=lambda head: None, last=""):
        """Leaves what a job that was killed does: its first points, and perhaps a line that is cut short."""
        self.expect_ok(self.run_sweep())
        head, *points = self.read_lines()
        edit(head)
        self.path.unlink()
        self.lines.write_text("".join(json.dumps(line) + "\n" for line in [head, *points[:finished]]) + last)
        return head, points[:finished]

    def expect_kept(self, kept, lengths=(40, 41, 42)):
        """The points of both files, which are the same and in the schema: first `kept`, as they were."""
        result = read_json(self.path)
        head, *points = self.read_lines()
        self.assertEqual(result["points"], points)
        self.assertEqual(points[: len(kept)], kept)
        self.assertEqual(sorted(point["case"]["seq_len"] for point in points), sorted(lengths))
        self.assertEqual(len({point["id"] for point in points}), len(points))
        self.assertEqual(result.get("resumed"), head.get("resumed"))
        self.assertEqual(self.schema_faults(self.path, self.lines), "")
        return result

    def test_runs_what_a_killed_job_left(self):
        head, kept = self.cut(2, last='{"id": "2-ring')
        run = self.expect_ok(self.resume())
        self.assertIn(f"cpbench: note: {self.lines} has 2 of 3 points already, which are kept", run.messages)
        self.assertIn("# points 3: 3 ok", run.out)
        resumed = self.expect_kept(kept)["resumed"]
        made = {**{key: head[key] for key in ("command", "environment", "ranks")}, "points": ["0-ring-cp2", "1-ring-cp2"]}
        self.assertEqual(resumed, [made])
        report = self.expect_ok(cpbench("report", self.path))
        self.assertIn(", 2 of its points from 1 earlier job\n", report.out)

    def test_runs_a_sweep_of_which_there_is_nothing(self):
        self.expect_ok(self.resume())
        self.assertNotIn("resumed", self.expect_kept([]))

    def test_runs_nothing_of_a_sweep_that_is_whole(self):
        self.expect_ok(self.run_sweep())
        before = self.path.read_bytes(), self.lines.read_bytes()
        run = self.expect_ok(self.resume())
        self.assertIn("# points 3: 3 ok", run.out)
        self.assertEqual((self.path.read_bytes(), self.lines.read_bytes()), before)
        self.path.unlink()  # as where the job was killed after its last point
        self.expect_ok(self.resume())
        self.assertEqual([point["status"] for point in read_json(self.path)["points"]], ["ok"] * 3)

    def test_of_one_that_was_resumed(self):
        _, first = self.cut(1)
        self.expect_ok(self.resume())
        head, *points = self.read_lines()
        self.path.unlink()
        self.lines.write_text("".join(json.dumps(line) + "\n" for line in [head, *points[:2]]))
        self.expect_ok(self.resume())
        resumed = self.expect_kept(points[:2])["resumed"]
        self.assertEqual([maker["points"] for maker in resumed], [["0-ring-cp2"], ["1-ring-cp2"]])
        self.assertEqual(resumed[1]["command"], head["command"])
        self.assertEqual(points[:1], first)

    def test_runs_again_what_did_not_finish(self):
        """Whatever ended it; what is wrong stays so."""
        _, points = self.cut(3)
        head = self.read_lines()[0]
        for point, status in zip(points, ("interrupted", "failed", "invalid")):
            point["status"] = status
            point["reason"] = "as it was"
            point.pop("throughput")
        self.lines.write_text("".join(json.dumps(line) + "\n" for line in [head, *points]))
        run = self.resume()
        self.assertEqual(run.code, 3, str(run))
        self.expect_kept(points[2:])
        self.assertIn("# points 3: 2 ok, 1 invalid", run.out)

    def test_after_a_signal(self):
        """The second of three points takes longer than anyone waits for; the third is no point of what is resumed."""
        sweep = ["--seq-len", "16,300000", *TINY, *BRIEFLY, "--check", "off", "--json", self.path, "--resume"]
        process = start(2, ["run", *sweep], environment={"CPBENCH_PROGRESS": "1"}, program=self.program_that_tells_its_number())
        self.addCleanup(end, process)
        text = ""
        while "[2/2]" not in text:
            text += process.stderr.read(1)
        for rank in (0, 1):
            os.kill(self.pid_of_rank(rank), signal.SIGTERM)
        process.communicate(timeout=100)
        _, kept, interrupted = self.read_lines()
        self.assertEqual((kept["status"], interrupted["status"]), ("ok", "interrupted"))
        self.expect_ok(self.resume(sweep=["--seq-len", "16,17", *TINY]))
        self.expect_kept([kept], lengths=(16, 17))

    def start_batch_job(self, lengths):
        """scripts/sweep.sbatch with commands of Slurm that do the same on this machine."""
        directory = self.directory / "slurm"
        directory.mkdir(exist_ok=True)
        for name, text in (
            ("srun", f'exec {ROOT}/scripts/launch.sh 2 "$@"'),
            ("scancel", f"kill -TERM $(cat {self.directory}/pid.*)"),
            ("scontrol", f'echo "$@" > {self.directory}/queued'),
        ):
            (directory / name).write_text(f"#!/bin/sh\n{text}\n")
            (directory / name).chmod(0o755)
        environment = {
            "PATH": f"{directory}:{os.environ['PATH']}",
            "SLURM_JOB_ID": "7",
            "CPBENCH_PROGRESS": "1",
            "CPBENCH_PROGRAM": str(self.program_that_tells_its_number()),
        }
        line = [self.path, "--seq-len", lengths, *TINY, *BRIEFLY, "--check", "off"]
        process = start(None, line, environment=environment, program=ROOT / "scripts" / "sweep.sbatch")
        self.addCleanup(end, process)
        return process

    def test_a_batch_job_queues_itself_again(self):
        queued = self.directory / "queued"
        process = self.start_batch_job("16,300000")
        text = ""
        while "[2/2]" not in text:
            text += process.stderr.read(1)
        process.send_signal(signal.SIGUSR1)
        process.communicate(timeout=100)
        self.assertNotEqual(process.returncode, 0)
        self.assertEqual(queued.read_text(), "requeue 7\n")
        self.assertEqual([point["status"] for point in self.read_lines()[1:]], ["ok", "interrupted"])
        queued.unlink()
        process = self.start_batch_job("16,17")
        out, err = process.communicate(timeout=100)
        self.assertEqual(process.returncode, 0, out + err)
        self.assertFalse(queued.exists())
        self.expect_kept(self.read_lines()[1:2], lengths=(16, 17))

    def test_of_a_sweep_that_has_grown(self):
        """Its points are numbered anew, as files of each are named after that."""
        self.expect_ok(self.run_sweep())
        kept = self.read_lines()[1:]
        self.expect_ok(self.resume("--trace", self.directory / "trace.json", sweep=["--seq-len", "39,40,41,42", *TINY]))
        for point in kept:
            point["id"] = f"{int(point['id'][0]) + 1}{point['id'][1:]}"
        result = self.expect_kept(kept, lengths=(39, 40, 41, 42))
        self.assertEqual(result["resumed"][0]["points"], [point["id"] for point in kept])
        self.assertEqual([path.name for path in self.directory.glob("trace*")], ["trace.0-ring-cp2.json"])

    def test_notes_other_nodes_and_refuses_another_program(self):
        def elsewhere(head):
            head["ranks"][0]["host"] = "elsewhere"

        self.cut(1, elsewhere)
        self.assertIn("cpbench: note: not alike, hosts: elsewhere, ", self.expect_ok(self.resume()).err)
        self.assertEqual(read_json(self.path)["resumed"][0]["ranks"][0]["host"], "elsewhere")
        for change, words in (
            (lambda head: head["tool"].update(version="0.0.9"), ["another program", "0.0.9"]),
            (lambda head: head["environment"].update(mpi="Open MPI v9"), ["another MPI", "Open MPI v9"]),
            (lambda head: head["ranks"][1].update(device="abacus"), ["other devices", "abacus"]),
        ):
            for file in (self.path, self.lines):
                file.unlink(missing_ok=True)
            self.cut(1, change)
            before = self.lines.read_bytes()
            self.expect_refused(self.resume(), 2, self.lines, *words, "name another result")
            self.assertEqual(self.lines.read_bytes(), before)

    def test_refuses_points_of_another_sweep(self):
        self.cut(2)
        before = self.lines.read_bytes()
        run = self.resume(sweep=["--seq-len", "41,42,43", *TINY])
        self.expect_refused(run, 2, self.lines, "0-ring-cp2", "seq_len 40 instead of 41")
        run = self.resume("--seed", "2")
        self.expect_refused(run, 2, "seed 1 instead of 2")
        self.assertEqual(self.lines.read_bytes(), before)

    def test_refuses_flags_that_say_something_else(self):
        self.expect_refused(cpbench("run", *self.SWEEP, *BRIEFLY, "--resume"), 2, "--json")
        self.expect_refused(self.resume("--overwrite"), 2, "--overwrite", "--resume")
        self.expect_refused(self.resume("--dump", self.directory / "dump"), 2, "--dump")
        self.lines.write_text("{}\n")
        self.expect_refused(self.resume(), 2, self.lines, "is no result file")

    def test_of_checks_alone(self):
        line = ["validate", *self.SWEEP, "--threads", "1", "--json", self.path]
        self.expect_ok(cpbench(*line, ranks=2))
        head, *points = self.read_lines()
        self.path.unlink()
        self.lines.write_text("".join(json.dumps(line) + "\n" for line in [head, points[0]]))
        self.expect_ok(cpbench(*line, "--resume", ranks=2))
        self.expect_kept(points[:1])
        self.expect_ok(self.resume())  # which measures: a check is not enough
        self.assertTrue(all("timing" in point for point in read_json(self.path)["points"]))


if __name__ == "__main__":
    unittest.main()
