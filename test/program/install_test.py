"""cmake --install: program, configs, scripts and documents work together in their new place, without the sources."""

import os
import pathlib
import re
import subprocess
import sys
import unittest

from program import BRIEFLY, PROGRAM, ROOT, TINY, ProgramTest

# What works on the sources, on build directories or with build tools: an installation has none of them.
OF_THE_SOURCES = {
    "setup.sh", "bundle.sh", "print_programs.sh", "test_neon.sh", "format.sh", "lint.sh", "test_instruction_sets.sh",
    "compare_pytorch.py", "show_overlap.sh", "gpu_check.py", "gpu_check_targets.py", "gpu_check_pytorch.py",
}


class Install(ProgramTest):
    def setUp(self):
        super().setUp()
        self.prefix = self.directory / "usr"
        self.run_well("cmake", "--install", pathlib.Path(PROGRAM).parent, "--prefix", self.prefix)
        self.data, self.documents = self.prefix / "share/cpbench", self.prefix / "share/doc/cpbench"

    def run_well(self, *command):
        environment = {name: value for name, value in os.environ.items() if name != "CPBENCH_MPIEXEC"}
        words = [str(word) for word in command]
        run = subprocess.run(words, capture_output=True, text=True, cwd=self.directory, env=environment, timeout=100)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run

    def test_program_and_scripts_work_together(self):
        line = ["run", "--seq-len", 40, *TINY, *BRIEFLY, "--json", "out.json", "--dump", "dump"]
        self.run_well(self.data / "scripts/launch.sh", 2, self.prefix / "bin/cpbench", *line)
        for script, result in (("check_schema.py", "out.json"), ("check_dump.py", "dump")):
            check = [sys.executable, self.data / "scripts" / script, result]
            run = subprocess.run(check, capture_output=True, text=True, cwd=self.directory)
            is_missing = run.returncode in (2, 77) and "is missing" in run.stderr
            self.assertTrue(run.returncode == 0 or is_missing, run.stdout + run.stderr)

    def test_the_launcher_is_that_of_the_build(self):
        bin = self.directory / "bin"
        bin.mkdir()
        (bin / "mpiexec").write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
        (bin / "mpiexec").chmod(0o755)
        line = ["env", f"PATH={bin}:{os.environ['PATH']}", self.data / "scripts/launch.sh", 1, self.prefix / "bin/cpbench", "doctor"]
        self.assertIn("1 rank of ", self.run_well(*line).stdout)

    def test_documents_name_what_is_there(self):
        texts = {path: path.read_text(encoding="utf-8") for path in self.documents.rglob("*.md")}
        self.assertTrue((self.documents / "CONTRIBUTING.md").exists())
        for path, text in texts.items():
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
                self.assertTrue((path.parent / link).exists(), f"{path.name}: {link}")
        texts.update({path: path.read_text(encoding="utf-8") for path in self.data.rglob("configs/*.json")})
        for path, text in texts.items():
            for script in set(re.findall(r"scripts/(\w+\.(?:sh|py|sbatch))", text)) - OF_THE_SOURCES:
                self.assertTrue((self.data / "scripts" / script).exists(), f"{path.name}: {script}")
        for script in (self.data / "scripts").iterdir():
            self.assertEqual(os.access(script, os.X_OK), os.access(ROOT / "scripts" / script.name, os.X_OK), script)


if __name__ == "__main__":
    unittest.main()
