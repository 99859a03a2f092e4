"""schema_test.py WRITE_SAMPLE_RESULT: what the real writer writes conforms to docs/result.schema.json, and what must not be
written does not."""

import copy
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import check_schema  # exits with 77 where python3-jsonschema is missing

WRITER = sys.argv.pop()


class SchemaTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = check_schema.load_schema()
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = pathlib.Path(cls.directory.name) / "sample.json"
        subprocess.run([WRITER, str(cls.path)], check=True)
        cls.sample = check_schema.parse(cls.path.read_text(encoding="utf-8"))

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def test_what_is_written_conforms(self):
        self.assertEqual(len(self.sample["points"]), 6)
        for path in (self.path, self.path.with_suffix(".jsonl")):
            self.assertEqual(list(check_schema.faults_of_file(path)), [])

    def test_what_is_published_conforms(self):
        published = sorted((pathlib.Path(check_schema.__file__).parents[1] / "results" / "published").glob("*.json"))
        self.assertNotEqual(published, [])
        for path in published:
            self.assertEqual(list(check_schema.faults_of_file(path)), [], path.name)

    def test_the_script_judges_by_exit_code(self):
        script = [sys.executable, check_schema.__file__]
        self.assertEqual(subprocess.run(script + [str(self.path)]).returncode, 0)
        bad = self.path.with_name("bad.json")
        bad.write_text('{"complete": NaN}')
        run = subprocess.run(script + [str(self.path), str(bad)], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("NaN is not JSON", run.stdout)

    def point(self, document, status):
        return next(point for point in document["points"] if point["status"] == status)

    def test_a_point_may_go_wrong_in_its_timed_iterations(self):
        document = copy.deepcopy(self.sample)
        point = self.point(document, "invalid")
        self.assertIn("timing", point)
        point["validation"]["passed"] = True
        self.assertEqual(list(check_schema.faults_of(document, self.schema)), [])

    def test_what_must_not_be_written_does_not_conform(self):
        throughput = self.point(self.sample, "ok")["throughput"]
        ok, invalid, skipped = (lambda d, s=s: self.point(d, s) for s in ("ok", "invalid", "skipped"))
        mutations = {
            "no tool": lambda d: d.pop("tool"),
            "an unknown key": lambda d: d.update(colour="red"),
            "an unknown key of a point": lambda d: ok(d).update(colour="red"),
            "incomplete": lambda d: d.update(complete=False),
            "another version": lambda d: d["schema"].update(version=2),
            "a secret": lambda d: d["environment"]["variables"].update(AWS_SECRET="x"),
            "a hash that is none": lambda d: d["command"].update(sha256="abc"),
            "an unknown status": lambda d: ok(d).update(status="fine"),
            "an invalid point with throughput": lambda d: invalid(d).update(throughput=throughput),
            "an invalid point that passed": lambda d: (invalid(d)["validation"].update(passed=True), invalid(d).pop("timing")),
            "an ok point that did not pass": lambda d: ok(d)["validation"].update(passed=False),
            "an ok point without throughput": lambda d: ok(d).pop("throughput"),
            "a skipped point without reason": lambda d: skipped(d).pop("reason"),
            "a skipped point with timing": lambda d: skipped(d).update(timing=ok(d)["timing"]),
            "an axis that is not resolved": lambda d: ok(d)["case"].pop("window_size"),
            "a mask that is none": lambda d: ok(d)["case"].update(mask="diagonal"),
            "overlap as a boolean": lambda d: ok(d)["case"].update(overlap=True),
            "an unknown tensor": lambda d: ok(d)["validation"]["tensors"].update(dbias={}),
            "a negative time": lambda d: ok(d)["timing"]["full"].update(median_s=-1),
            "a missing median": lambda d: ok(d)["timing"]["full"].pop("median_s"),
            "flops as text": lambda d: ok(d)["throughput"].update(flops="1e9"),
            "cpus as a list": lambda d: d["ranks"][0].update(cpus=[0, 1]),
        }
        for what, mutate in mutations.items():
            with self.subTest(what):
                document = copy.deepcopy(self.sample)
                mutate(document)
                self.assertNotEqual(list(check_schema.faults_of(document, self.schema)), [])


if __name__ == "__main__":
    unittest.main()
