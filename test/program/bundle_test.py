"""scripts/bundle.sh: the program runs from wherever the bundle was moved to, and with nothing else of this machine's MPI."""

import pathlib
import re
import shutil
import subprocess
import unittest

from program import PROGRAM, ROOT, ProgramTest, read_json

OF_THE_C_LIBRARY = ("libc.so", "libm.so", "libdl.so", "librt.so", "libpthread.so", "libresolv.so", "ld-linux", "linux-vdso")


def run(*command, environment=None):
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=100)


class Bundle(ProgramTest):
    def moved_bundle(self):
        made = run(ROOT / "scripts" / "bundle.sh", self.directory / "made", PROGRAM)
        if "the only one that is known" in made.stderr:
            self.skipTest(made.stderr)
        self.assertEqual(made.returncode, 0, made.stderr)
        return (self.directory / "made").rename(self.directory / "moved")

    def test_runs_from_another_place(self):
        bundle = self.moved_bundle()
        bare = {"PATH": "/usr/bin:/bin", "TMPDIR": str(self.directory)}
        arguments = ["run", "--config", "smoke.json", "--cp-size", "2", "--ulysses-degree", "1", "--iterations", "1", "--warmup", "0"]
        launched = [bundle / "scripts" / "launch.sh", 2, bundle / "bin" / "cpbench", *arguments, "--json", self.directory / "two.json"]
        done = run(*launched, environment=bare)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("mca", done.stderr)
        result = read_json(self.directory / "two.json")
        self.assertEqual(len(result["ranks"]), 2)
        alone = run(bundle / "bin" / "cpbench", "run", "--seq-len", "64", "--iterations", "1", "--warmup", "0", environment=bare)
        self.assertEqual((alone.returncode, alone.stderr), (0, ""), alone.stdout)

    def test_holds_every_library_but_the_c_library(self):
        bundle = self.moved_bundle()
        for program in ("cpbench", "mpiexec"):
            linked = run("ldd", bundle / "libexec" / program, environment={"LD_LIBRARY_PATH": str(bundle / "lib")}).stdout
            found = re.findall(r"^\s+(\S+) => (\S+)", linked, re.MULTILINE)
            self.assertNotEqual(found, [])
            elsewhere = [name for name, path in found if not path.startswith(str(bundle)) and not name.startswith(OF_THE_C_LIBRARY)]
            self.assertEqual(elsewhere, [])

    def test_says_which_driver_the_machine_must_have(self):
        """As far as the build knows."""
        build = self.directory / "build"
        build.mkdir()
        shutil.copy(PROGRAM, build / "cpbench")
        shutil.copy(pathlib.Path(PROGRAM).parent / "mpiexec.txt", build)
        for content, said in (("13.0.88 580", "CUDA 13.0.88: the machine must have driver 580 or later"), ("14.1.2 ", "driver for that")):
            (build / "cuda.txt").write_text(content + "\n")
            made = run(ROOT / "scripts" / "bundle.sh", self.directory / "made", build / "cpbench")
            if "the only one that is known" in made.stderr:
                self.skipTest(made.stderr)
            self.assertIn(said + "\n", made.stdout, made.stderr)

    def test_overwrites_nothing_but_a_bundle(self):
        other = self.directory / "other"
        other.mkdir()
        (other / "precious").touch()
        refused = run(ROOT / "scripts" / "bundle.sh", other, PROGRAM)
        self.assertEqual(refused.returncode, 1)
        self.assertTrue((other / "precious").exists())


if __name__ == "__main__":
    unittest.main()
