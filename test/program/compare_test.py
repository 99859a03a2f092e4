"""Results of the real program, compared by it."""

import json
import subprocess
import unittest

from program import BRIEFLY, PROGRAM, ROOT, TINY, ProgramTest, check_schema, cpbench, read_json


class Compare(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.results = {}

    def result(self):
        """What two points of `run` leave, measured once for all tests."""
        if not self.results:
            path = self.directory / "measured.json"
            sweep = ["--seq-len", "40,41", *TINY, "-n", "5", "-w", "1", "--threads", "1"]
            self.expect_ok(cpbench("run", *sweep, "--json", path, ranks=2))
            self.results["measured"] = path.read_text(encoding="utf-8")
        return json.loads(self.results["measured"])

    def write(self, name, factors=(1, 1), edit=lambda result: None, minute=0):
        """A result whose times are exactly 10 ms, each point's times a factor."""
        result = self.result()
        result["command"]["started"] = f"2026-11-29T12:{minute:02}:00Z"
        for point, factor in zip(result["points"], factors):
            for variant in point["timing"].values():
                variant["samples_s"] = [0.01 * factor] * len(variant["samples_s"])
        edit(result)
        path = self.directory / name
        path.write_text(json.dumps(result), encoding="utf-8")
        return path

    def launches(self, side, factors=(1, 1), edit=lambda result: None, count=4):
        """A directory of launches that all took the same."""
        (self.directory / side).mkdir()
        for number in range(count):
            self.write(f"{side}/{number}.json", factors, edit, number)
        return self.directory / side

    def test_one_launch_is_shown_but_not_judged(self):
        base, head = self.write("base.json"), self.write("head.json", (1, 3))
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 6, str(run))
        self.assertIn("+200.0", run.out)
        self.assertIn("needs 4 launches per side", run.out)
        self.assertIn("# verdict: NOT JUDGED (too few launches): 2 points", run.out)

    def test_a_slower_point_fails(self):
        base, head = self.launches("base"), self.launches("head", (1, 1.2))
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 1, str(run))
        rows = [line.split() for line in run.out.splitlines() if not line.startswith("#")]
        self.assertEqual([row[-1] for row in rows], ["same", "slower"], str(run))
        self.assertEqual([row[-6] for row in rows], ["+0.0", "+20.0"], str(run))
        self.assertIn("# verdict: SLOWER: 1 point", run.out)
        self.assertRegex(run.out, r"(?m)^# slower 1-\S+: \+2\.0 ms: compute alone \+2\.0, communication exposed \+0\.0")
        self.expect_ok(cpbench("compare", head, base))
        self.expect_ok(cpbench("compare", base, head, "--threshold", "25"))
        self.expect_ok(cpbench("compare", base, base, "--strict"))

    def test_a_missing_point_fails_more_gravely(self):
        base = self.launches("base")
        head = self.launches("head", (2, 1), lambda result: result["points"].pop())
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 7, str(run))
        self.assertIn("missing: not in HEAD", run.out)
        self.assertIn("# verdict: MISSING: 1 point; SLOWER: 1 point", run.out)

    def test_a_job_that_was_killed_lacks_points(self):
        base, head = self.launches("base"), self.launches("head")
        result = self.result()
        head_of_file = {key: result[key] for key in ("schema", "tool", "command", "environment", "ranks")}
        lines = [json.dumps(line) for line in (head_of_file, result["points"][0])]
        (head / "4.jsonl").write_text("\n".join(lines) + '\n{"id": "cut', encoding="utf-8")
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 7, str(run))
        self.assertIn("missing: not in", run.out)
        self.assertIn("4.jsonl, which did not finish", run.out)

    def interrupt(self, side):
        """Leaves of its results what a job leaves that was ended in their second point."""
        for path in side.glob("*.json"):
            result = read_json(path)
            first, second = result.pop("points")
            in_flight = {"id": second["id"], "case": second["case"], "status": "interrupted", "reason": "ended by SIGTERM"}
            lines = [json.dumps(line) for line in (result, first, in_flight)]
            path.with_suffix(".jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
            path.unlink()
        return side

    def test_strict_minds_what_an_interrupted_base_had_not_reached(self):
        base, head = self.interrupt(self.launches("base")), self.launches("head")
        run = self.expect_ok(cpbench("compare", base, head))
        self.assertIn("# note: 4 launches of BASE did not finish", run.out)
        self.assertIn("# verdict: not reached by BASE: 1 point\n", run.out)
        run = cpbench("compare", base, head, "--strict")
        self.assertEqual(run.code, 6, str(run))

    def test_strict_minds_what_neither_side_had_reached(self):
        base, head = self.interrupt(self.launches("base")), self.interrupt(self.launches("head"))
        run = self.expect_ok(cpbench("compare", base, head))
        self.assertIn("# points 1: 1 same; measured on neither side: 1\n", run.out)
        self.assertIn("# verdict: not reached by BASE: 1 point; no launch finished: there may be more points\n", run.out)
        run = cpbench("compare", base, head, "--strict")
        self.assertEqual(run.code, 6, str(run))

    def test_a_directory_may_have_other_files(self):
        base, head = self.launches("base"), self.launches("head")
        (base / "other.json").write_text("{}", encoding="utf-8")
        self.expect_ok(cpbench("compare", base, head))

    def test_a_wrong_result_fails_as_it_does_for_run(self):
        def spoil(result):
            point = result["points"][1]
            point.update(status="invalid", reason="dq is wrong")

        run = cpbench("compare", self.launches("base"), self.launches("head", edit=spoil))
        self.assertEqual(run.code, 3, str(run))
        self.assertIn("invalid: invalid in", run.out)
        self.assertIn("dq is wrong", run.out)

    def test_strict_minds_what_is_unclear(self):
        base, head = self.launches("base"), self.launches("head")
        self.write("head/3.json", (1.5, 1), minute=3)
        run = self.expect_ok(cpbench("compare", base, head))
        self.assertIn("1 same, 1 unclear", run.out)
        path = self.directory / "strict.json"
        run = cpbench("compare", base, head, "--strict", "--json", path)
        self.assertEqual(run.code, 6, str(run))
        self.assertEqual(read_json(path)["summary"]["exit_code"], 6)

    def test_pairs_are_blind_to_what_slows_both(self):
        for side, factor in (("base", 1), ("head", 1.1)):
            (self.directory / side).mkdir()
            for minute, slowed in enumerate((1, 3, 1.5, 2, 1.2, 2.5)):
                self.write(f"{side}/{minute}.json", (factor * slowed, 1), minute=minute)
        base, head = self.directory / "base", self.directory / "head"
        self.assertIn("1 same, 1 unclear", self.expect_ok(cpbench("compare", base, head)).out)
        run = cpbench("compare", base, head, "--paired")
        self.assertEqual(run.code, 1, str(run))
        self.assertIn("of pairs of launches", run.out)
        self.assertEqual(cpbench("compare", base, head, "--paired", "--confidence", "99").code, 6)  # takes more pairs

    def test_another_instruction_set_is_another_point(self):
        def other(result):
            for point in result["points"]:
                point["case"]["isa"] = "abacus"

        base, head = self.launches("base"), self.launches("head", edit=other)
        self.expect_refused(cpbench("compare", base, head), 7, "no measured point in common", "abacus", "--ignore isa")
        self.expect_ok(cpbench("compare", base, head, "--ignore", "isa"))
        self.assertIn("# ignored: isa, kv_heads", cpbench("compare", base, head, "--ignore", "isa,kv-heads").out)

    def test_json_conforms_to_its_schema(self):
        base = self.launches("base", edit=lambda result: result["points"].pop(0))
        head = self.launches("head", (1, 3))
        path = self.directory / "comparison.json"
        self.assertEqual(cpbench("compare", base, head, "--json", path).code, 1)
        comparison = read_json(path)
        self.assertEqual([point["verdict"] for point in comparison["points"]], ["slower", "new"])
        self.assertEqual(comparison["summary"]["exit_code"], 1)
        self.assertEqual(self.schema_faults(path), "")
        self.expect_refused(cpbench("compare", base, head, "--json", path), 2, path, "--overwrite")
        self.assertEqual(cpbench("compare", base, head, "--json", path, "--overwrite").code, 1)
        comparison["points"][0]["verdict"] = "worse"
        path.write_text(json.dumps(comparison), encoding="utf-8")
        self.assertEqual(check_schema(path).returncode, 1)

    def test_results_are_not_overwritten_by_their_comparison(self):
        base = self.write("base.json")
        before = base.read_text(encoding="utf-8")
        run = cpbench("compare", base, self.write("head.json", minute=1), "--json", base, "--overwrite")
        self.expect_refused(run, 2, base, "one of the files")
        self.assertEqual(base.read_text(encoding="utf-8"), before)

    def test_bad_input_is_refused(self):
        good = self.write("good.json")
        bad = self.directory / "bad.json"
        bad.write_text('{"points": []}', encoding="utf-8")
        cut = self.directory / "cut.json"
        cut.write_text(good.read_text(encoding="utf-8")[:-9], encoding="utf-8")
        for arguments, code, words in (
            ([], 2, ["two sets of results"]),
            ([good], 2, ["two sets of results"]),
            ([good, good, good], 2, ["unexpected argument", good]),
            ([good, self.directory / "none.json"], 7, ["none.json", "no such"]),
            ([f"{good},{good}", good], 2, ["same launch"]),
            ([good, bad], 2, [f"{bad} is no result file of cpbench"]),
            ([good, cut], 2, [f"{cut} is cut short or not JSON (line 1): make it again"]),
            ([good, good, "--threshold", "-1"], 2, ["--threshold", "-1"]),
            ([good, good, "--threshold", "0.05"], 2, ["--threshold", "percent"]),
            ([good, good, "--confidence", "100"], 2, ["--confidence"]),
            ([good, good, "--confidence", "0.95"], 2, ["--confidence", "percent"]),
            ([good, good, "--ignore", "dtipe"], 2, ["dtipe", "dtype"]),
            ([good, good, "--seq-len", "40"], 2, ["--seq-len", "belongs to"]),
            ([good, good, "--json", self.directory / "no" / "where.json"], 2, ["where.json"]),
        ):
            with self.subTest(arguments):
                self.expect_refused(cpbench("compare", *arguments), code, *words)

    def test_one_rank_of_a_launcher_does_it_all(self):
        base, head = self.launches("base"), self.launches("head", (1, 2))
        path = self.directory / "comparison.json"
        run = cpbench("compare", base, head, "--json", path, ranks=3)
        self.assertEqual(run.code, 1, str(run))
        self.assertEqual(run.out.count("# verdict"), 1, str(run))
        self.assertEqual(read_json(path)["summary"]["slower"], 1)


class CompareRecords(ProgramTest):
    """Of `doctor`."""

    @classmethod
    def setUpClass(cls):
        cls.records = {}

    def record(self):
        if not self.records:
            path = self.directory / "measured.json"
            self.expect_ok(cpbench("doctor", "--peaks", "--links", "--message-bytes", "4096", "-n", "3", "--json", path, ranks=2))
            self.records["measured"] = path.read_text(encoding="utf-8")
        record = json.loads(self.records["measured"])
        for link in record["links"]["patterns"] + record["links"]["pairs"]:
            link["bandwidth"] = 1  # null where the machine is too busy
        return record

    def launches(self, side, edit=lambda record: None, count=4):
        """A directory of launches that measured the same."""
        (self.directory / side).mkdir()
        for number in range(count):
            record = self.record()
            record["command"]["started"] = f"2026-11-29T12:{number:02}:00Z"
            edit(record)
            (self.directory / side / f"{number}.json").write_text(json.dumps(record), encoding="utf-8")
        return self.directory / side

    @staticmethod
    def slow_down(record):
        record["peaks"]["memory_bandwidth"] /= 1.25
        for rank in record["ranks"]:
            rank["host"] = "another"

    def verdicts(self, run):
        rows = [line.split() for line in run.out.splitlines() if not line.startswith("#")]
        return {" ".join(row[:-7]): (row[-4], row[-1]) for row in rows}

    def test_a_slower_figure_fails(self):
        base, head = self.launches("base"), self.launches("head", self.slow_down)
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 1, str(run))
        verdicts = self.verdicts(run)
        self.assertEqual(verdicts.pop("memory bandwidth GB/s"), ("+25.0", "slower"), str(run))
        self.assertIn("inner hop us", verdicts)
        self.assertEqual(set(verdicts.values()), {("+0.0", "same")}, str(run))
        self.assertIn("| another\n", run.out)
        self.expect_ok(cpbench("compare", head, base))
        self.expect_ok(cpbench("compare", base, head, "--threshold", "30"))
        self.expect_ok(cpbench("compare", base, base, "--strict"))

    def test_one_record_is_shown_but_not_judged(self):
        base, head = self.launches("base", count=1), self.launches("head", self.slow_down, count=1)
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 6, str(run))
        self.assertEqual(self.verdicts(run)["memory bandwidth GB/s"], ("+25.0", "unjudged"))

    def test_json_conforms_to_its_schema(self):
        def lose_peaks(record):
            del record["peaks"]

        path = self.directory / "comparison.json"
        run = cpbench("compare", self.launches("base"), self.launches("head", lose_peaks), "--json", path)
        self.assertEqual(run.code, 7, str(run))
        comparison = read_json(path)
        self.assertEqual(comparison["summary"]["missing"], 10)
        self.assertEqual(self.schema_faults(path), "")
        comparison["points"][0]["base"]["median_s"] = 1
        self.assertNotEqual(self.schema_faults_of(comparison), "", "a figure and a time")

    def test_results_are_not_compared_with_records(self):
        base = self.launches("base", count=1)
        result = self.directory / "result.json"
        self.expect_ok(cpbench("run", "--seq-len", "40", *TINY, *BRIEFLY, "--json", result))
        for sides, words in (
            ([base, result], "BASE has records of doctor, and HEAD results of run"),
            ([f"{base / '0.json'},{result}", base], "0.json is a record of doctor, not results of run"),
        ):
            self.expect_refused(cpbench("compare", *sides), 2, words)


class ComparePrograms(ProgramTest):
    def compare(self, *arguments):
        script = ROOT / "scripts" / "compare_programs.sh"
        return subprocess.run([script, *map(str, arguments)], capture_output=True, text=True, timeout=100)

    def test_launches_both_in_turn(self):
        directory = self.directory / "launches"
        flags = ["--seq-len", "40", *TINY, *BRIEFLY]
        run = self.compare(1, PROGRAM, PROGRAM, 6, directory, *flags)
        self.assertIn(run.returncode, (0, 1), run.stderr)  # of times this short either may be
        self.assertIn("6 launches", run.stdout)
        self.assertIn("of pairs of launches", run.stdout)
        turns = [line for line in run.stderr.splitlines() if line.startswith("launch ")]
        self.assertEqual([turn.split()[-1] for turn in turns], ["base", "head", "head", "base"] * 3)
        for side in ("base", "head"):
            self.assertEqual(len(list((directory / side).glob("*.json"))), 6)
        again = self.compare(1, PROGRAM, PROGRAM, 6, directory, *flags)
        self.assertEqual(again.returncode, 2)  # 1 would be "slower"
        self.assertIn("File exists", again.stderr)

    def test_ends_with_a_launch_that_fails(self):
        run = self.compare(1, PROGRAM, PROGRAM, 6, self.directory / "launches", "--seq-len", "none")
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("--seq-len", run.stderr)
        run = self.compare(1, PROGRAM, "false", 6, self.directory / "others", "--seq-len", "40")
        self.assertEqual(run.returncode, 4, run.stderr)  # as above
        self.assertIn("of head failed", run.stderr)

    def test_says_how_it_is_used(self):
        for arguments in ([], [2, PROGRAM, PROGRAM], [2, PROGRAM, PROGRAM, "many", self.directory / "launches"],
                          [2, PROGRAM, PROGRAM, 5, self.directory / "launches"]):
            run = self.compare(*arguments)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn("LAUNCHES", run.stderr)


if __name__ == "__main__":
    unittest.main()
