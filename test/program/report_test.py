"""What the real program reports of results of its own."""

import csv
import io
import json
import unittest

from program import TINY, ProgramTest, cpbench


def rows_of(run):
    return [line for line in run.out.splitlines() if not line.startswith("#")]


def csv_of(run):
    return list(csv.DictReader(io.StringIO(run.out)))


class Report(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.measured = {}

    def measure(self):
        """A sweep of two algorithms and two lengths, one of which a third algorithm cannot do: measured once for all tests."""
        if not self.measured:
            path = self.directory / "measured.json"
            sweep = ["--algo", "ring,ulysses,hybrid", "--ulysses-degree", "2", "--seq-len", "40,80", "--heads", "3", "--kv-heads", "3",
                     "--head-dim", "8", "-n", "5", "-w", "1", "--threads", "1"]  # fmt: skip
            run = cpbench("run", *sweep, "--uneven-heads", "--json", path, ranks=2)
            self.measured["table"] = self.expect_ok(run).out
            self.measured["result"] = path.read_text(encoding="utf-8")
        return json.loads(self.measured["result"])

    def write(self, name="out.json", edit=lambda result: None):
        result = self.measure()
        edit(result)
        path = self.directory / name
        path.write_text(json.dumps(result), encoding="utf-8")
        return path

    def timed(self, name, times, minute=0, edit=lambda result: None):
        """A result whose points took so many seconds, in their order, in each of two iterations."""

        def set_times(result):
            result["command"]["started"] = f"2026-11-29T12:{minute:02}:00Z"
            for point, time in zip(result["points"], times):
                point["timing"]["full"]["samples_s"] = [time, time]
            edit(result)

        return self.write(name, set_times)

    def test_shows_the_table_of_run(self):
        run = self.expect_ok(cpbench("report", self.write()))
        printed = self.measured["table"].splitlines()
        names = printed.index(next(line for line in printed if line.startswith("# algo")))
        self.assertEqual(run.out.splitlines()[-len(printed) + names:], printed[names:])
        self.assertRegex(run.out, r"^# \S+/out.json: cpbench \d\S+ \(git .*\), 2 ranks on \S+, 2 x .*, .*Z\n")
        self.assertIn("# case: ", run.out)

    def test_points_without_times_have_their_reason(self):
        def spoil(result):
            result["points"][1].update(status="failed", reason="no memory")
            for part in ("timing", "throughput", "comm"):
                del result["points"][1][part]

        path = self.write(edit=spoil)
        for question in ([], ["--rows", "algo", "--columns", "seq_len", "--value", "time_s"], ["--best", "seq_len"]):
            for form in ("text", "markdown"):
                with self.subTest(question, form=form):
                    run = self.expect_ok(cpbench("report", path, *question, "--format", form))
                    self.assertIn("failed: no memory", run.out)
                    self.assertIn("verdict: FAILED: some points did not finish", run.out)
            run = self.expect_ok(cpbench("report", path, *question, "--format", "csv"))
            self.assertIn("no memory", run.err if question else run.out)

    def test_wrong_points_are_wrong_for_whoever_reads_them(self):
        def spoil(result):
            result["points"][0].update(status="invalid", reason="dq is wrong")

        path = self.write(edit=spoil)
        for form in ("text", "csv"):
            run = cpbench("report", path, "--format", form)
            self.assertEqual(run.code, 3, str(run))
            self.assertIn("dq is wrong", run.out)
        self.expect_ok(cpbench("report", path, "--where", "algo=ulysses"))

    def test_reads_what_a_killed_job_left(self):
        result = self.measure()
        points = result.pop("points")
        path = self.directory / "left.jsonl"
        lines = [json.dumps(line) for line in (result, *points[:2])]
        path.write_text("\n".join(lines) + '\n{"id": "cut', encoding="utf-8")
        run = self.expect_ok(cpbench("report", path))
        self.assertEqual(len(rows_of(run)), 2)
        self.assertIn(", did not finish\n", run.out)

    def test_pivot(self):
        question = ["--rows", "algo,shard", "--columns", "seq-len", "--value", "time_s"]
        path = self.timed("out.json", (0.5, 1.5, 2, 3, 4, 5))
        run = self.expect_ok(cpbench("report", path, *question))
        self.assertEqual([row.split() for row in rows_of(run)],
                         [["ring", "zigzag", "0.5", "1.5"], ["ulysses", "contiguous", "2", "3"], ["hybrid", "contiguous", "4", "5"]])  # fmt: skip
        self.assertIn("# time_s in s\n", run.out)
        self.assertIn("mask causal", run.out)
        run = self.expect_ok(cpbench("report", path, *question, "--format", "csv", "--where", "algo=ring"))
        self.assertEqual(run.out, "algo,shard,seq_len=40,seq_len=80\nring,zigzag,0.5,1.5\n")
        run = self.expect_ok(cpbench("report", path, *question, "--format", "markdown"))
        self.assertIn("\n| algo | shard | seq_len=40 (s) | seq_len=80 (s) |\n| --- | --- | ---: | ---: |\n| ring | zigzag |", run.out)

    def test_pivot_of_repeated_launches_is_their_median(self):
        for minute, time in enumerate((1, 9, 2)):
            self.timed(f"{minute}.json", (time,) * 6, minute)
        question = ["--rows", "algo", "--columns", "seq_len", "--value", "time_s"]
        run = self.expect_ok(cpbench("report", self.directory, *question))
        self.assertEqual([row.split()[1:] for row in rows_of(run)], [["2", "2"]] * 3)
        self.assertIn("medians over the launches of a point, 3 at most", run.out)
        run = self.expect_ok(cpbench("report", self.directory, *question, "--format", "csv"))
        self.assertIn("3 at most", run.err)
        by_file = ["--rows", "file", *question[2:], "--where", "algo=ring"]
        run = self.expect_ok(cpbench("report", self.directory, *by_file))
        self.assertEqual([row.split()[1:] for row in rows_of(run)], [["1", "1"], ["9", "9"], ["2", "2"]])

    def test_several_files_are_one_table(self):
        one, other = self.timed("1.json", (1,) * 6), self.timed("2.json", (2,) * 6, minute=1)
        run = self.expect_ok(cpbench("report", one, other))
        self.assertEqual([row.split()[9] for row in rows_of(run)], [str(one)] * 6 + [str(other)] * 6)
        self.assertIn("# points 12: 12 ok", run.out)
        self.timed("2.json", (2,) * 6, minute=1, edit=lambda result: [point["case"].update(seed=2) for point in result["points"]])
        run = self.expect_ok(cpbench("report", one, other))
        self.assertEqual([row.split()[9] for row in rows_of(run)], ["1"] * 6 + ["2"] * 6)

    def test_best(self):
        path = self.timed("out.json", (2, 3, 1, 4, 2, 5))
        run = self.expect_ok(cpbench("report", path, "--best", "seq_len", "--format", "csv"))
        self.assertEqual([(row["seq_len"], row["algo"], row["time_s"], row["lead"]) for row in csv_of(run)],
                         [("40", "ulysses", "1", "wins"), ("80", "ring", "3", "wins")])  # fmt: skip
        self.assertAlmostEqual(float(csv_of(run)[1]["ahead_percent"]), 100 / 3)
        self.assertIn("algo ulysses", csv_of(run)[1]["runner_up"])
        path = self.timed("out.json", (1,) * 6)
        self.assertIn("within the spread", self.expect_ok(cpbench("report", path, "--best", "seq_len,mask")).out)

    def test_csv_has_every_axis_and_figure(self):
        path = self.write()
        points = self.measure()["points"]
        rows = csv_of(self.expect_ok(cpbench("report", path, "--format", "csv")))
        self.assertEqual(len(rows), len(points))
        for row, point in zip(rows, points):
            self.assertEqual(row["id"], point["id"])
            self.assertEqual(float(row["time_s"]), point["timing"]["full"]["median_s"])
            for figure, part in (("tflops_per_rank", "throughput"), ("exposed_s", "comm"), ("planned_bytes", "memory")):
                self.assertEqual(float(row[figure]), point[part][figure])
            for axis in point["case"]:
                self.assertIn(axis, row)

    def test_axes_of_other_programs_are_shown(self):
        strange = {"algo": "pairwise", "cp_size": "four", "head_dim": [1], "seq_len": None, "tile": 7.5}

        def edit(result):
            result["points"][0]["case"].update(strange)

        files = [self.timed("1.json", (1,) * 6, edit=edit), self.timed("2.json", (2,) * 6, minute=1, edit=edit)]
        for question in ([], ["--rows", "algo,tile", "--columns", "seq_len", "--value", "time_s"], ["--best", "tile,seq_len,head_dim"]):
            with self.subTest(question):
                self.assertIn("pairwise", self.expect_ok(cpbench("report", *files, *question)).out)

    def plan(self, name, *arguments):
        """A plan of two algorithms at two lengths."""
        path = self.directory / name
        sweep = ["--algo", "ring,double-ring", "--cp-size", 16, "--seq-len", "16000,32000", "--ranks-per-node", 4]
        run = cpbench("plan", *sweep, *arguments, "--json", path)
        return path, self.expect_ok(run).out

    def estimates(self, name, *arguments, outer=50):
        return self.plan(name, "--links", f"inner=400,outer={outer}", "--rate", 500, *arguments)

    def test_shows_the_table_of_plan(self):
        path, printed = self.estimates("plan.json", "--memory", 0.0625)
        run = self.expect_ok(cpbench("report", path))
        self.assertRegex(run.out, r"^# \S+/plan.json: plan of cpbench \d\S+ \(git .*\), .*Z\n")
        self.assertEqual(run.out.partition("\n")[2], printed)
        rows = csv_of(self.expect_ok(cpbench("report", path, "--format", "csv")))
        for row, point in zip(rows, json.loads(path.read_text())["points"], strict=True):
            estimate = point["estimate"]
            self.assertEqual(float(row["time_s"]), estimate["full_s"])
            for figure in ("exposed_s", "tflops_per_rank", "tokens_per_s", "fraction_of_compute_only", "bus_bandwidth"):
                self.assertAlmostEqual(float(row[figure]) / (estimate[figure] or 1), 1 if estimate[figure] else 0, 9)
            self.assertEqual(float(row["planned_bytes"]), point["peak_memory_bytes"])
            of_ranks = lambda key: max(rank["bytes_sent"][key] for rank in point["ranks"])
            self.assertEqual(float(row["bytes_between_nodes"]), of_ranks("between_nodes"))
            self.assertEqual((row["peak_bytes"], row["links"], row["memory"]), ("", "inner=400,outer=50", "0.0625"))

    def test_ranks_a_plan(self):
        path, _ = self.estimates("plan.json", "--memory", 0.0625, outer=0.5)
        run = self.expect_ok(cpbench("report", path, "--best", "seq_len", "--format", "csv"))
        self.assertEqual([(row["seq_len"], row["algo"], row["lead"]) for row in csv_of(run)],
                         [("16000", "double-ring", "wins"), ("32000", "", "nothing fits")])  # fmt: skip
        self.assertRegex(run.err, r"1-ring-cp16: does not fit: needs \S+ MiB of the 64.00 MiB of a rank")

    def test_a_plan_by_axes(self):
        fast, _ = self.estimates("fast.json", outer=50)
        slow, _ = self.estimates("slow.json", outer=0.5)
        question = ["--rows", "algo,seq_len", "--columns", "links", "--value", "comm_only_s", "--format", "csv"]
        rows = csv_of(self.expect_ok(cpbench("report", fast, slow, *question)))
        self.assertEqual(len(rows), 4)
        for row in rows:
            times = [float(row[f"links=inner=400,outer={outer}"]) for outer in ("50", "0.5")]
            self.assertLess(times[0] * 10, times[1])
        untimed, _ = self.plan("untimed.json")
        memory = ["--rows", "algo", "--columns", "seq_len", "--value", "planned_bytes"]
        rows = rows_of(self.expect_ok(cpbench("report", untimed, *memory)))
        self.assertEqual([row.split()[0] for row in rows], ["ring", "double-ring"])
        self.expect_refused(cpbench("report", untimed, *memory[:4], "--value", "time_s"), 2,
                            "--value: no point has time_s", "planned_bytes", "plan --links --rate")  # fmt: skip
        self.expect_refused(cpbench("report", fast, *memory[:4], "--value", "peak_bytes"), 2, "no point has peak_bytes")
        self.expect_refused(cpbench("report", fast, "--best", "algo"), 2, "seq_len 16000 and 32000")
        self.expect_refused(cpbench("report", fast, self.write()), 2, fast, "is a plan, not results of run")
        self.expect_refused(cpbench("report", fast, fast), 2, "same launch")

    def test_bad_input_is_refused(self):
        good = self.write()
        none, bad = self.directory / "none.json", self.directory / "bad.json"
        bad.write_text('{"points": []}', encoding="utf-8")
        pivot = ["--rows", "algo", "--columns", "seq_len", "--value", "time_s"]
        for arguments, code, words in (
            ([], 2, ["report needs result files", "FILE"]),
            ([none], 7, [none, "no such"]),
            ([good, none], 7, [none, "no such"]),
            ([bad], 2, [f"{bad} is no result file of cpbench"]),
            ([good, good], 2, ["same launch"]),
            ([good, *pivot[:2]], 2, ["--columns is missing", "--value FIGURE"]),
            ([good, *pivot[2:]], 2, ["--rows is missing"]),
            ([good, *pivot[:4]], 2, ["--value is missing"]),
            ([good, *pivot, "--best", "seq_len"], 2, ["--best", "--rows", "one at a time"]),
            ([good, "--rows", "algo,algo", *pivot[2:]], 2, ["--rows and --columns: algo is given twice"]),
            ([good, "--rows", "alga", *pivot[2:]], 2, ['"alga"', 'did you mean "algo"', "vary: algo"]),
            ([good, "--rows", "shard", *pivot[2:]], 2, ["differ in algo (ulysses, hybrid)", "add algo to --rows", "--where algo=ulysses"]),
            ([good, *pivot[:2], "--columns", "seq_len,mask", *pivot[4:]], 2, ["--columns seq_len,mask", "add the others to --rows"]),
            ([good, *pivot[:2], "--columns", "length", *pivot[4:]], 2, ['"length"']),
            ([good, *pivot[:4], "--value", "load_balance"], 2, ["--value: no point has load_balance", "there are time_s, "]),
            ([good, *pivot[:4], "--value", "tflops"], 2, ['figure "tflops"', "tflops_per_rank, "]),
            ([good, "--value", "time_s", "--value", "time_s"], 2, ["--value takes one value"]),
            ([good, "--where", "algo"], 2, ["--where algo", "AXIS=VALUE"]),
            ([good, "--where", "algo=rong"], 2, ['algo "rong"', "ring, ulysses"]),
            ([good, "--where", "length=40"], 2, ['"length"', "vary"]),
            ([good, "--best", "length"], 2, ['"length"', "vary"]),
            ([good, "--best", "algo"], 2, ["seq_len 40 and 80", "add seq_len to --best"]),
            ([good, "--format", "xml"], 2, ['format "xml"', "text, markdown, csv"]),
            ([good, "--seq-len", "40"], 2, ["--seq-len", "belongs to"]),
            ([good, "--rowz", "algo"], 2, ["--rowz", "did you mean --rows"]),
        ):
            with self.subTest(arguments):
                self.expect_refused(cpbench("report", *arguments), code, *words)

    def test_one_rank_of_a_launcher_does_it_all(self):
        run = self.expect_ok(cpbench("report", self.write(), ranks=3))
        self.assertEqual(run.out.count("# verdict"), 1, str(run))


if __name__ == "__main__":
    unittest.main()
