"""Results of the real program, compared by it."""

import json
import subprocess
import sys
import unittest

from program import BRIEFLY, PROGRAM, ROOT, TINY, ProgramTest, cpbench, read_json


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

    def write(self, name, factors=(1, 1), edit=lambda result: None):
        """A result whose times are exactly 10 ms, each point's times a factor."""
        result = self.result()
        for point, factor in zip(result["points"], factors):
            for variant in point["timing"].values():
                variant["samples_s"] = [0.01 * factor] * len(variant["samples_s"])
        edit(result)
        path = self.directory / name
        path.write_text(json.dumps(result), encoding="utf-8")
        return path

    def test_a_result_is_not_slower_than_itself(self):
        self.result()
        path = self.directory / "out.json"
        path.write_text(self.results["measured"], encoding="utf-8")
        run = self.expect_ok(cpbench("compare", path, path, "--threshold", "1000"))
        self.assertIn("# points 2: 2 same\n# verdict: NOT SLOWER\n", run.out)

    def test_a_slower_point_fails(self):
        base, head = self.write("base.json"), self.write("head.json", (1, 1.2))
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 1, str(run))
        rows = [line.split() for line in run.out.splitlines() if not line.startswith("#")]
        self.assertEqual([row[-1] for row in rows], ["same", "slower"], str(run))
        self.assertEqual([row[-6] for row in rows], ["+0.0", "+20.0"], str(run))
        self.assertIn("# verdict: SLOWER: 1 point, by more than 5%", run.out)
        self.expect_ok(cpbench("compare", head, base))
        self.expect_ok(cpbench("compare", base, head, "--threshold", "25"))

    def test_a_missing_point_fails_more_gravely(self):
        base = self.write("base.json")
        head = self.write("head.json", (2, 1), lambda result: result["points"].pop())
        run = cpbench("compare", base, head)
        self.assertEqual(run.code, 7, str(run))
        self.assertIn("missing: not in HEAD", run.out)
        self.assertIn("1 slower, 1 missing", run.out)

    def test_strict_minds_what_is_unclear(self):
        def scatter(result):
            result["points"][0]["timing"]["full"]["samples_s"] = [0.005, 0.01, 0.01, 0.01, 0.5]

        base, head = self.write("base.json"), self.write("head.json", edit=scatter)
        run = self.expect_ok(cpbench("compare", base, head))
        self.assertIn("1 same, 1 unclear", run.out)
        run = cpbench("compare", base, head, "--strict")
        self.assertEqual(run.code, 6, str(run))

    def test_launches_are_what_is_compared(self):
        for side, factors in (("base", (1, 1.3, 1.1, 1.2)), ("head", (1.15, 1.1, 1.25, 1.2))):
            (self.directory / side).mkdir()
            for number, factor in enumerate(factors):
                self.write(f"{side}/{number}.json", (factor, 1))
        run = self.expect_ok(cpbench("compare", self.directory / "base", self.directory / "head"))
        self.assertIn("4 launches", run.out)
        self.assertIn("1 same, 1 unclear", run.out)

    def test_another_instruction_set_is_another_point(self):
        def other(result):
            for point in result["points"]:
                point["case"]["isa"] = "abacus"

        base, head = self.write("base.json"), self.write("head.json", edit=other)
        self.expect_refused(cpbench("compare", base, head), 7, "no measured point in common", "abacus", "--ignore isa")
        self.expect_ok(cpbench("compare", base, head, "--ignore", "isa"))
        self.expect_ok(cpbench("compare", base, head, "--ignore", "isa,kv-heads"))

    def test_json_conforms_to_its_schema(self):
        base = self.write("base.json", edit=lambda result: result["points"].pop(0))
        head = self.write("head.json", (1, 3))
        path = self.directory / "comparison.json"
        self.assertEqual(cpbench("compare", base, head, "--json", path).code, 1)
        comparison = read_json(path)
        self.assertEqual([point["verdict"] for point in comparison["points"]], ["slower", "new"])
        self.assertEqual(comparison["summary"]["exit_code"], 1)
        check = [sys.executable, ROOT / "scripts" / "check_schema.py"]
        result = subprocess.run([*check, path], capture_output=True, text=True)
        if result.returncode == 77:
            self.skipTest(result.stderr)
        self.assertEqual(result.returncode, 0, result.stdout)
        comparison["points"][0]["verdict"] = "worse"
        path.write_text(json.dumps(comparison), encoding="utf-8")
        self.assertEqual(subprocess.run([*check, path], capture_output=True).returncode, 1)
        self.expect_refused(cpbench("compare", base, head, "--json", path), 2, path, "--overwrite")

    def test_bad_input_is_refused(self):
        good = self.write("good.json")
        bad = self.directory / "bad.json"
        bad.write_text('{"points": []}', encoding="utf-8")
        for arguments, code, words in (
            ([], 2, ["two sets of results"]),
            ([good], 2, ["two sets of results"]),
            ([good, good, good], 2, ["unexpected argument", good]),
            ([good, self.directory / "none.json"], 7, ["none.json", "no such"]),
            ([f"{good},{good}", good], 2, ["named twice"]),
            ([good, bad], 2, [bad, "not a result file"]),
            ([good, good, "--threshold", "-1"], 2, ["--threshold", "-1"]),
            ([good, good, "--confidence", "100"], 2, ["--confidence"]),
            ([good, good, "--ignore", "dtipe"], 2, ["dtipe", "dtype"]),
            ([good, good, "--seq-len", "40"], 2, ["--seq-len", "belongs to"]),
            ([good, good, "--json", self.directory / "no" / "where.json"], 2, ["where.json"]),
        ):
            with self.subTest(arguments):
                self.expect_refused(cpbench("compare", *arguments), code, *words)

    def test_ranks_of_a_launcher_speak_once(self):
        good = self.write("good.json")
        run = self.expect_ok(cpbench("compare", good, good, ranks=3))
        self.assertEqual(run.out.count("# verdict"), 1, str(run))


class ComparePrograms(ProgramTest):
    def compare(self, *arguments):
        script = ROOT / "scripts" / "compare_programs.sh"
        return subprocess.run([script, *map(str, arguments)], capture_output=True, text=True, timeout=100)

    def test_launches_both_in_turn(self):
        directory = self.directory / "launches"
        flags = ["--seq-len", "40", *TINY, *BRIEFLY]
        run = self.compare(2, PROGRAM, PROGRAM, 3, directory, *flags)
        self.assertIn(run.returncode, (0, 1), run.stderr)  # of times this short either may be
        self.assertIn("3 launches", run.stdout)
        turns = [line for line in run.stderr.splitlines() if line.startswith("launch ")]
        self.assertEqual([turn.split()[-1] for turn in turns], ["base", "head", "head", "base", "base", "head"])
        for side in ("base", "head"):
            self.assertEqual(len(list((directory / side).glob("*.json"))), 3)
        again = self.compare(2, PROGRAM, PROGRAM, 3, directory, *flags)
        self.assertNotEqual(again.returncode, 0)
        self.assertIn("File exists", again.stderr)

    def test_ends_with_a_launch_that_fails(self):
        run = self.compare(2, PROGRAM, PROGRAM, 3, self.directory / "launches", "--seq-len", "none")
        self.assertEqual(run.returncode, 2, run.stderr)
        self.assertIn("--seq-len", run.stderr)

    def test_says_how_it_is_used(self):
        for arguments in ([], [2, PROGRAM, PROGRAM], [2, PROGRAM, PROGRAM, "many", self.directory / "launches"]):
            run = self.compare(*arguments)
            self.assertEqual(run.returncode, 2, run.stderr)
            self.assertIn("LAUNCHES", run.stderr)


if __name__ == "__main__":
    unittest.main()
