"""What a run leaves behind: result, lines, trace, dump."""

import hashlib
import itertools
import json
import math
import os
import subprocess
import sys
import threading
import time
import unittest

from program import BRIEFLY, ROOT, TINY, Finished, ProgramTest, cpbench, end, parse_json, read_json, start


class Results(ProgramTest):
    def test_conform_to_the_schema(self):
        path = self.directory / "out.json"
        arguments = ["--seq-len", "40,41", "--cp-size", "2,3,4", *TINY, *BRIEFLY]  # 4: skipped
        self.expect_ok(cpbench("run", *arguments, "--json", path, ranks=3))
        invalid = self.directory / "invalid.json"
        run = cpbench("run", "--seq-len", "40", *TINY, *BRIEFLY, "--input", "nan", "--json", invalid, ranks=2)
        self.assertEqual(run.code, 3, str(run))
        validated = self.directory / "validated.json"
        run = cpbench("validate", "--seq-len", "40,41", "--cp-size", "2,4", *TINY, "--threads", "1", "--json", validated, ranks=2)
        self.expect_ok(run)
        files = [path.with_suffix(suffix) for path in (path, invalid, validated) for suffix in (".json", ".jsonl")]
        self.assertEqual(self.schema_faults(*files), "")

    def test_the_table_names_the_case_that_its_points_share(self):
        arguments = ["--seq-len", "40", "--docs", "30,10", "--sink", "--overlap", "on,off", *TINY, *BRIEFLY]
        run = self.expect_ok(cpbench("run", *arguments, ranks=2))
        case = "# case: batch 1, heads 2, kv_heads 2, head_dim 8, sink on, dtype bf16, docs 30,10"
        self.assertEqual([line for line in run.out.splitlines() if line.startswith("# case")], [case])

    def test_defaults_that_follow_another_axis_get_no_column(self):
        path = self.directory / "out.json"
        sweep = ["--seq-len", "40", "--heads", "2", "--head-dim", "8,16", *BRIEFLY]
        columns = lambda run: next(line for line in run.out.splitlines() if line.startswith("# algo")).split()
        named = columns(self.expect_ok(cpbench("run", *sweep, "--json", path)))
        self.assertIn("head_dim", named)
        self.assertNotIn("scale", named)
        self.assertNotIn("head_dim_v", named)
        self.assertEqual([point["case"]["scale"] for point in read_json(path)["points"]], [1 / math.sqrt(8), 1 / math.sqrt(16)])
        self.assertIn("scale", columns(self.expect_ok(cpbench("run", *sweep, "--scale", "0.25,0.5"))))

    def test_name_the_config_by_what_was_read_of_it(self):
        """Once: a pipe gives it no second time."""
        config = self.directory / "sweep.json"
        os.mkfifo(config)
        text = json.dumps({"schema_version": 1, "defaults": {"seq_len": 40}})
        for command in (["run", *BRIEFLY], ["plan"]):
            result = self.directory / f"{command[0]}.json"
            threading.Thread(target=config.write_text, args=[text], daemon=True).start()
            self.expect_ok(cpbench(*command, *TINY, "--config", config, "--json", result, limit_s=30))
            named = read_json(result)["command"]
            self.assertEqual((named["config"], named["sha256"]), (str(config), hashlib.sha256(text.encode()).hexdigest()))

    def test_lines_are_the_points_of_the_result(self):
        path = self.directory / "out.json"
        self.expect_ok(cpbench("run", "--seq-len", "40,41", *TINY, *BRIEFLY, "--json", path, ranks=2))
        result = read_json(path)
        lines = [parse_json(line) for line in path.with_suffix(".jsonl").read_text().splitlines()]
        self.assertTrue(result["complete"])
        self.assertEqual(lines[1:], result["points"])
        self.assertEqual([rank["rank"] for rank in result["ranks"]], [0, 1])
        for point in result["points"]:
            self.assertGreater(point["memory"]["planned_bytes"], 0)
            self.assertIsNone(point["memory"]["peak_bytes"], "the CPU's is not counted")
        self.assertEqual(sorted(p.name for p in self.directory.iterdir()), ["out.json", "out.jsonl"])

    def test_a_killed_job_keeps_its_finished_points(self):
        path = self.directory / "out.json"
        lines = path.with_suffix(".jsonl")
        for older in (path, lines):  # which --overwrite replaces, and which must not pass for this run's
            older.write_text("{}\n")
        lengths = ",".join(map(str, range(20, 2020)))  # more points than anyone waits for
        process = start(2, ["run", "--seq-len", lengths, *TINY, *BRIEFLY, "--check", "off", "--json", path, "--overwrite"])
        try:
            deadline = time.monotonic() + 60
            while lines.read_text().count("\n") < 4:
                self.assertLess(time.monotonic(), deadline, "no points are written")
                self.assertIsNone(process.poll())
                time.sleep(0.05)
        finally:
            end(process)
        self.assertFalse(path.exists())
        whole = lines.read_text().rpartition("\n")[0].splitlines()
        points = [parse_json(line) for line in whole][1:]
        self.assertGreaterEqual(len(points), 3)
        self.assertEqual([point["case"]["seq_len"] for point in points], list(range(20, 20 + len(points))))
        self.assertEqual({point["status"] for point in points[:-1]}, {"ok"})

    def test_a_result_that_cannot_be_written_is_in_the_lines(self):
        path = self.directory / "out.json"
        arguments = ["--seq-len", "600,700", *TINY, "--threads", "1", "--iterations", "100"]
        process = start(2, ["run", *arguments, "--json", path])
        try:
            process.stdout.readline()  # of the table's header, which comes after the checks
            path.mkdir()
            out, err = process.communicate(timeout=100)
        finally:
            end(process)
        lines = path.with_suffix(".jsonl")
        run = Finished("", process.returncode, out, err)
        self.expect_refused(run, 2, path, f'; all 2 points are in "{lines}", which report and compare read')
        self.assertEqual(len(lines.read_text().splitlines()), 3)

    def test_a_dump_that_cannot_be_written_loses_no_result(self):
        path, dump = self.directory / "out.json", self.directory / "dump"
        full = [dump / f"{index}-ring-cp2" / "q.npy" for index in (0, 1)]
        for file in full:
            file.parent.mkdir(parents=True)
            file.symlink_to("/dev/full")
        line = ["--seq-len", "20,21,22", *TINY, *BRIEFLY, "--dump", dump, "--json", path, "--overwrite"]
        run = cpbench("run", *line, ranks=2)
        self.expect_refused(run, 2, f'cannot write "{full[0]}": No space left on device', "; the run goes on")
        self.assertIn("# points 3: 3 ok", run.out)
        result = read_json(path)
        self.assertEqual([point["status"] for point in result["points"]], ["ok"] * 3)
        self.assertEqual(result["summary"]["exit_code"], 2)
        self.assertTrue((dump / "2-ring-cp2" / "dq.npy").exists())

    def test_a_wrong_result_is_graver_than_a_dump_that_cannot_be_written(self):
        dump = self.directory / "dump"
        dump.mkdir()
        (dump / "q.npy").symlink_to("/dev/full")
        run = cpbench("validate", "--seq-len", 20, *TINY, "--input", "nan", "--dump", dump, "--overwrite")
        self.expect_refused(run, 3, f'cannot write "{dump / "q.npy"}": No space left on device')

    def test_a_trace_that_cannot_be_written_loses_no_result(self):
        path, lines = self.directory / "out.json", self.directory / "out.jsonl"
        traces = self.directory / "traces"
        traces.mkdir()
        arguments = ["--seq-len", "600,700", *TINY, "--threads", "1", "--iterations", "100"]
        process = start(2, ["run", *arguments, "--json", path, "--trace", traces / "t.json"])
        try:
            process.stdout.readline()  # of the table's header, which comes after the checks
            traces.rmdir()  # what was checked before the run holds no more
            out, err = process.communicate(timeout=100)
        finally:
            end(process)
        run = Finished("", process.returncode, out, err)
        self.expect_refused(run, 2, traces / "t.0-ring-cp2.json", "; the run goes on")
        self.assertIn("# points 2: 2 ok", run.out)
        points = [parse_json(line) for line in lines.read_text().splitlines()[1:]]
        self.assertEqual([point["status"] for point in points], ["ok", "ok"])
        self.assertEqual((read_json(path)["points"], read_json(path)["summary"]["exit_code"]), (points, 2))


class Trace(ProgramTest):
    def trace_of(self, *arguments, ranks=3):
        path = self.directory / "trace.json"
        self.expect_ok(cpbench("run", *BRIEFLY, *arguments, "--trace", path, "--overwrite", ranks=ranks))
        return read_json(path)

    def test_has_every_rank_and_track(self):
        trace = self.trace_of("--seq-len", 60, *TINY)
        named = {
            (event["pid"], event["args"]["name"]) for event in trace["traceEvents"] if event["name"] == "thread_name"
        }
        self.assertEqual(named, set(itertools.product((1, 2, 3), ("compute", "inner", "outer", "gradient"))))
        spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
        for rank in (1, 2, 3):
            kinds = [event["cat"] for event in spans if event["pid"] == rank]
            self.assertEqual(kinds.count("attend"), 3)
            self.assertEqual(kinds.count("attend-backward"), 3)
            self.assertGreaterEqual(kinds.count("exchange"), 4)
        self.assertEqual([clock["rank"] for clock in trace["otherData"]["ranks"]], [0, 1, 2])
        self.assertTrue(all(clock["residual_ns"] >= 0 for clock in trace["otherData"]["ranks"]))

    def expect_hops_beside_compute(self, overlap, waiting_or_in_flight, in_flight):
        """How many hops lie beside compute of the same rank, with the time in which they wait for a peer that comes
        late, and in flight. The link holds a message for far longer than it takes to start the compute of its step."""
        shape = ["--seq-len", 300, "--heads", 2, "--head-dim", 16, "--mask", "full", "--shard", "contiguous"]
        trace = self.trace_of(*shape, "--pass", "fwd", "--emulate-link", "10:20000", "--overlap", overlap)
        spans = [event for event in trace["traceEvents"] if event["ph"] == "X"]
        hops = [event for event in spans if event["cat"] in ("exchange", "wait")]
        self.assertEqual(sum(hop["cat"] == "exchange" for hop in hops), 6)
        compute = [event for event in spans if event["cat"] == "attend"]
        beside = [
            hop
            for hop in hops
            if any(
                hop["pid"] == work["pid"]
                and hop["ts"] < work["ts"] + work["dur"]
                and work["ts"] < hop["ts"] + hop["dur"]
                for work in compute
            )
        ]
        named = {(hop["pid"], hop["name"].removeprefix("wait: ")) for hop in beside}
        self.assertEqual(len(named), waiting_or_in_flight)
        self.assertIn(sum(hop["cat"] == "exchange" for hop in beside), in_flight)

    def test_hops_fly_during_compute_with_overlap_only(self):
        # A rank whose peer comes late may have computed already when its hop begins; the peer has not.
        self.expect_hops_beside_compute("on", waiting_or_in_flight=6, in_flight=range(1, 7))
        self.expect_hops_beside_compute("off", waiting_or_in_flight=0, in_flight=[0])

    def test_a_file_for_each_of_several_points(self):
        trace, dump = self.directory / "trace.json", self.directory / "dump"
        sweep = ["--seq-len", "30", "--algo", "ring,all-gather", *TINY, *BRIEFLY]
        self.expect_ok(cpbench("run", *sweep, "--trace", trace, "--dump", dump, ranks=2))
        names = ("0-ring-cp2", "1-all-gather-cp2")
        for name in names:
            self.assertIn("traceEvents", read_json(self.directory / f"trace.{name}.json"))
            self.assertTrue((dump / name / "dq.npy").exists())
        self.assertEqual({path.name for path in dump.iterdir()}, set(names))


class Dump(ProgramTest):
    def test_two_points_never_mix(self):
        dump = self.directory / "dump"
        line = ["run", *TINY, *BRIEFLY, "--check", "off", "--dump", dump]
        self.expect_ok(cpbench(*line, "--seq-len", 20))
        before = (dump / "dq.npy").read_bytes()
        forward = [*line, "--seq-len", 30, "--pass", "fwd"]
        self.expect_refused(cpbench(*forward), 2, dump, "not empty", "--overwrite")
        self.assertEqual((dump / "dq.npy").read_bytes(), before)
        self.expect_ok(cpbench(*forward, "--overwrite"))
        self.assertEqual(read_json(dump / "problem.json")["seq_len"], 30)
        self.assertFalse((dump / "dq.npy").exists(), "of the point before")
        file = self.directory / "file"
        file.write_text("")
        self.expect_refused(cpbench(*line[:-1], file, "--seq-len", 20), 2, file, "ot a directory")

    def test_of_a_wrong_result(self):
        dump, path = self.directory / "dump", self.directory / "out.json"
        line = ["validate", *TINY, "--threads", "1", "--seq-len", "20,21", "--input", "nan", "--dump", dump, "--json", path]
        run = cpbench(*line, "--iterations", "5", "--trace", self.directory / "trace.json", ranks=2)
        self.assertEqual(run.code, 3, str(run))
        self.assertEqual(run.messages, ["cpbench: no effect on validate: --iterations --trace"])
        points = read_json(path)["points"]
        self.assertEqual([point["status"] for point in points], ["invalid"] * 2)
        for point in points:
            self.assertNotIn("timing", point)
            self.assertTrue((dump / point["id"] / "dq.npy").exists())
        self.assertEqual({entry.name for entry in self.directory.iterdir()}, {"dump", "out.json", "out.jsonl"})
        self.expect_refused(cpbench(*line, ranks=2), 2, path, "--overwrite")

    def test_its_check_says_how_to_call_it_without_pytorch(self):
        check = [sys.executable, "-S", ROOT / "scripts" / "check_dump.py"]  # -S: no installed packages
        for arguments, code, words in ((["--help"], 0, "--dump DIR"), ([], 2, "required: directory")):
            run = subprocess.run(check + arguments, capture_output=True, text=True)
            self.assertEqual(run.returncode, code, run.stderr)
            self.assertIn(words, run.stdout + run.stderr)

    def test_holds_the_point_in_global_order(self):
        """Checked with PyTorch where it is installed."""
        dump = self.directory / "dump"
        shape = ["--seq-len", 101, "--heads", 4, "--kv-heads", 2, "--head-dim", 16, "--head-dim-v", 8, "--sink"]
        self.expect_ok(cpbench("run", *BRIEFLY, *shape, "--mask", "window:30", "--dump", dump, ranks=3))
        problem = read_json(dump / "problem.json")
        self.assertEqual((problem["seq_len"], problem["heads"], problem["sink"]), (101, 4, True))
        tensors = {"q", "k", "v", "sink", "out", "lse", "dout", "dq", "dk", "dv", "dsink"}
        self.assertEqual({path.stem for path in dump.glob("*.npy")}, tensors)
        for name, shape in {"q": "(1, 101, 4, 16)", "dv": "(1, 101, 2, 8)", "lse": "(1, 101, 4)"}.items():
            self.assertIn(shape, (dump / f"{name}.npy").read_bytes()[:128].decode("latin-1"))
        check = subprocess.run(
            [sys.executable, ROOT / "scripts" / "check_dump.py", dump], capture_output=True, text=True
        )
        self.assertNotIn("Traceback", check.stderr)
        if check.returncode == 2:
            self.assertRegex(check.stderr, "(torch|numpy) is missing; install it")
            self.skipTest(check.stderr.strip())
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)


if __name__ == "__main__":
    unittest.main()
