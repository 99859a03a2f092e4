"""scripts/launch.sh: what it makes of a machine, without its MPI."""

import os
import subprocess
import unittest

from program import ROOT, ProgramTest


class Launcher(ProgramTest):
    def command(self, name, text):
        file = self.directory / name
        file.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    def environment_of_ranks(self):
        """Of a launcher that shows it, where commands of this directory come first."""
        launcher = self.command("mpiexec", "env")
        environment = {**os.environ, "CPBENCH_MPIEXEC": str(launcher), "PATH": f"{self.directory}:{os.environ['PATH']}", "TMPDIR": "/tmp"}
        run = subprocess.run(
            [ROOT / "scripts" / "launch.sh", "2", "program"], capture_output=True, text=True, env=environment, timeout=100
        )
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return run.stdout.splitlines()

    def test_small_shared_memory_is_replaced(self):
        for case, df in {"small": "echo Avail; echo 64", "none": "exit 1", "another df": "echo usage >&2; exit 1"}.items():
            with self.subTest(case):
                self.command("df", df)
                self.assertIn("OMPI_MCA_btl_vader_backing_directory=/tmp", self.environment_of_ranks())

    def test_large_shared_memory_is_used(self):
        self.command("df", "echo Avail; echo 100000000")
        self.assertFalse([line for line in self.environment_of_ranks() if line.startswith("OMPI_MCA_btl_vader")])


if __name__ == "__main__":
    unittest.main()
