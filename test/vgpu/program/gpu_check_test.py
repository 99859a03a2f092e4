"""scripts/gpu_check.py on a virtual GPU: it passes where all is well, and fails where anything is not."""

import contextlib
import io
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
from unittest import mock

from program import PROGRAM, ROOT, is_long, read_json

CPU_PROGRAM = os.environ["CPBENCH_CPU_PROGRAM"]
OPTIONAL_HERE = {"pytorch"}
LIMIT_S = 600  # of a check, which has limits of its own: this machine may be busy
# Stages of a check that is not --small have a GPU's limits.
PATIENT = "import gpu_check; gpu_check.STAGES['device'] = (gpu_check.device, 300, 0); "
sys.path.insert(0, str(ROOT / "scripts"))
import gpu_check  # noqa: E402
from gpu_check_program import Check, Failed  # noqa: E402
from gpu_check_targets import judge  # noqa: E402


class Targets(unittest.TestCase):
    """On figures that are made up."""

    def row(self, tflops, ms=2, **others):
        row = {"pass": "fwd", "mask": "causal", "head_dim": 128, "seq_len": 16384, "tflops": tflops, "flops": tflops * 1e9 * ms}
        return {**row, **others}

    def judge(self, device, *rows, **figures):
        return judge(device, {"throughput": list(rows), **figures})

    def test_of_an_h200_hold_for_it_alone(self):
        self.assertEqual(self.judge("NVIDIA H200", self.row(670)), [])
        (line,) = self.judge("NVIDIA H200", self.row(669))
        self.assertIn("fwd causal d 128, 16384 tokens: 669.0 TFLOP/s are less than 670.0", line)
        self.assertEqual(self.judge("NVIDIA H100", self.row(1)), [])
        self.assertEqual(self.judge("NVIDIA H200", self.row(1, seq_len=8192), self.row(1, head_dim=64)), [])

    def test_cudnn_is_one_on_every_device(self):
        (line,) = self.judge("NVIDIA A100", self.row(199, seq_len=4096, cudnn_tflops=200, flash_tflops=300))
        self.assertIn("less than 200.0, cuDNN", line)
        self.assertEqual(self.judge("NVIDIA A100", self.row(200, cudnn_tflops=200), self.row(1, cudnn_tflops=None)), [])

    def test_what_is_short_is_not_compared_with_cudnn(self):
        """Its time is the launch's, too."""
        self.assertEqual(self.judge("NVIDIA H200", self.row(199, ms=0.99, seq_len=4096, cudnn_tflops=200)), [])
        self.assertEqual(len(self.judge("NVIDIA H200", self.row(199, ms=1.01, seq_len=4096, cudnn_tflops=200))), 1)

    def test_of_what_continuing_costs(self):
        self.assertEqual(len(self.judge("NVIDIA H200", continuing={"cost": 0.031})), 1)
        self.assertEqual(self.judge("NVIDIA H200", continuing={"cost": 0.03}), [])
        self.assertEqual(self.judge("NVIDIA A100", continuing={"cost": 0.5}), [])


class Stage(unittest.TestCase):
    def test_that_breaks_has_failed(self):
        """And ends neither the other stages nor the summary."""

        def stage(check, limit_s):
            raise subprocess.TimeoutExpired(["compute-sanitizer", "--version"], 30)

        with tempfile.TemporaryDirectory() as directory:
            check = Check(pathlib.Path(PROGRAM), pathlib.Path(directory), True, time.monotonic() + 1)
            with mock.patch.dict(gpu_check.STAGES, {"memcheck": (stage, 1, 0)}), contextlib.redirect_stdout(io.StringIO()) as printed:
                found = gpu_check.run_stage(check, "memcheck")
            self.assertEqual(found["outcome"], "failed")
            self.assertIn("timed out after 30 seconds", found["text"])
            self.assertIn(found["text"], printed.getvalue())
            self.assertIn("Traceback", check.log("memcheck").read_text())

    def test_has_time_for_programs_to_start(self):
        """As many as it starts, as long as the first one took."""
        given = []
        with tempfile.TemporaryDirectory() as directory:
            for start_s in (0, 7):
                check = Check(pathlib.Path(PROGRAM), pathlib.Path(directory), False, time.monotonic() + 1000, start_s=start_s)
                stage = (lambda _, limit_s: given.append(limit_s) or "", 10, 4)
                with mock.patch.dict(gpu_check.STAGES, {"ranks-mpi": stage}), contextlib.redirect_stdout(io.StringIO()):
                    gpu_check.run_stage(check, "ranks-mpi")
        self.assertEqual(given, [10, 38])

    def test_of_the_device_finds_out_what_a_start_takes(self):
        with tempfile.TemporaryDirectory() as directory:
            check = Check(pathlib.Path(PROGRAM), pathlib.Path(directory), True, time.monotonic() + LIMIT_S)
            gpu_check.device(check, LIMIT_S)
            self.assertGreater(check.start_s, 0)


class MadeUpDevice:
    """Instead of the program: points of gpu-throughput.json on a GPU of so many TFLOP/s, with a clock of its own."""

    def __init__(self, tflops, others_s=1):
        self.tflops, self.others_s, self.now_s, self.runs = tflops, others_s, 0, []

    def monotonic(self):
        return self.now_s

    def run(self, check, name, config, arguments, limit_s):
        said = dict(zip(arguments[0::2], arguments[1::2]))
        length, iterations, warmup = said["--seq-len"], said["--iterations"], said["--warmup"]
        points = []
        for head_dim, mask, run_pass in itertools.product((128, 64), ("full", "causal"), ("fwd", "bwd")):
            flops = {"fwd": 4, "bwd": 10}[run_pass] * length**2 * head_dim * 16 * {"full": 1, "causal": 0.5}[mask]
            median_s = flops / (self.tflops * 1e12)
            times = {"full": {"median_s": median_s}, "compute_only": {"median_s": median_s}, "comm_only": {"median_s": 0}}
            axes = {"seq_len": length, "heads": 16, "head_dim": head_dim, "mask": mask, "pass": run_pass}
            throughput = {"flops": flops, "tflops_per_rank": self.tflops, "fraction_of_peak": None}
            points.append({"status": "ok", "validation": {"passed": True}, "case": axes, "timing": times, "throughput": throughput})
            self.now_s += 2 * median_s * (iterations + warmup)
        self.now_s += self.others_s * (1 + length / 16384)
        self.runs.append((length, iterations, warmup))
        check.result(name).write_text(json.dumps({"points": points}), encoding="utf-8")
        if limit_s < 0 or self.now_s > self.limit_s:
            raise Failed("not finished")
        return points

    def measure(self, limit_s=130):
        """What it ran, what was cut, and the lengths of the figures."""
        self.limit_s = limit_s
        with tempfile.TemporaryDirectory() as directory:
            check = Check(pathlib.Path(PROGRAM), pathlib.Path(directory), False, 1e9)
            check.result("throughput-65536").write_text('{"points": "of an earlier check"}', encoding="utf-8")
            with mock.patch.object(gpu_check, "run", self.run), mock.patch.object(gpu_check.time, "monotonic", self.monotonic):
                gpu_check.throughput(check, limit_s)
        return self.runs, check.cut, sorted({row["seq_len"] for row in check.figures["throughput"]})


class Throughput(unittest.TestCase):
    LENGTHS = [4096, 8192, 16384, 32768, 65536]

    def test_is_measured_in_full_where_the_time_allows(self):
        runs, cut, measured = MadeUpDevice(550).measure()
        self.assertEqual(runs, [(length, 20, 5) for length in self.LENGTHS])
        self.assertEqual((cut, measured), ([], self.LENGTHS))

    def test_of_slower_devices_has_fewer_iterations_of_the_longest(self):
        """As much as an A100 attains."""
        runs, cut, measured = MadeUpDevice(150).measure()
        self.assertEqual(runs[:4], [(length, 20, 5) for length in self.LENGTHS[:4]])
        length, iterations, warmup = runs[4]
        self.assertEqual((length, warmup), (65536, iterations // 4))
        self.assertTrue(5 <= iterations < 20, runs)
        self.assertEqual((cut, measured), ([f"throughput of 65536 tokens to {iterations} iterations"], self.LENGTHS))

    def test_leaves_out_what_takes_too_long(self):
        for tflops in (50, 10, 2):
            runs, cut, measured = MadeUpDevice(tflops).measure()
            self.assertEqual([length for length, _, _ in runs], measured)
            missing = self.LENGTHS[len(measured)]
            self.assertEqual(cut[-1], f"throughput of {missing} tokens or more")

    def test_takes_no_longer_than_it_may(self):
        """Whatever the device, and whatever else takes time; MadeUpDevice would fail."""
        for tflops, others_s in itertools.product((5, 20, 60, 120, 300, 600), (0, 2, 8)):
            MadeUpDevice(tflops, others_s).measure()

    def test_of_cut_lengths_is_said(self):
        device = MadeUpDevice(50)
        device.limit_s = 130
        with tempfile.TemporaryDirectory() as directory, contextlib.redirect_stdout(io.StringIO()) as printed:
            check = Check(pathlib.Path(PROGRAM), pathlib.Path(directory), False, 1e9)
            with mock.patch.object(gpu_check, "run", device.run), mock.patch.object(gpu_check.time, "monotonic", device.monotonic):
                outcome = gpu_check.run_stage(check, "throughput")
        self.assertEqual(outcome["outcome"], "passed")
        self.assertIn("; cut: throughput of 65536 tokens or more", printed.getvalue())


FAKE_TORCH = """
import contextlib
class cuda:
    is_available = staticmethod(lambda: True)
    synchronize = staticmethod(lambda: None)
    class Event:
        def __init__(self, enable_timing): pass
        def record(self): pass
        def elapsed_time(self, end): return 2.0
class backends:
    class cudnn:
        version = staticmethod(lambda: 1)
class version:
    cuda = "13"
class Tensor:
    def transpose(self, a, b): return self
    def requires_grad_(self): return self
class autograd:
    grad = staticmethod(lambda *_, retain_graph: None)
__version__, bfloat16 = "0", None
no_grad = contextlib.nullcontext
manual_seed = lambda seed: None
randn = lambda shape, device, dtype: Tensor()
"""
FAKE_NN = """
class functional:
    scaled_dot_product_attention = staticmethod(lambda q, k, v, is_causal: q)
"""
FAKE_ATTENTION = """
import contextlib
class SDPBackend:
    CUDNN_ATTENTION, FLASH_ATTENTION = "cudnn", "flash"
sdpa_kernel = lambda backend: contextlib.nullcontext()
"""


class PyTorch(unittest.TestCase):
    """With a stand-in for it, by which every iteration takes 2 ms."""

    def compare(self, seconds, limit_s):
        """The check after its stage, where cpbench's iterations of two shapes took so long."""
        rows = [{"seq_len": n, "heads": 1, "head_dim": 64, "mask": "full", "pass": "fwd", "tflops": 1.0} for n in (64, 128)]
        for row, one in zip(rows, seconds):
            row["flops"] = one * 1e12
        with tempfile.TemporaryDirectory() as directory:
            fake = pathlib.Path(directory) / "torch"
            for path, text in (("__init__.py", FAKE_TORCH), ("nn/__init__.py", FAKE_NN), ("nn/attention.py", FAKE_ATTENTION)):
                (fake / path).parent.mkdir(parents=True, exist_ok=True)
                (fake / path).write_text(text)
            check = Check(pathlib.Path(PROGRAM), pathlib.Path(directory), False, time.monotonic() + LIMIT_S)
            check.figures["throughput"] = rows
            with mock.patch.dict(os.environ, {"PYTHONPATH": directory}):
                text = gpu_check.pytorch(check, limit_s)
        return check, rows, text

    def test_is_measured_in_all_shapes(self):
        check, rows, text = self.compare((0.01, 0.02), LIMIT_S)
        self.assertIn("2 points are measured, PyTorch faster in 2 of the 2", text)
        self.assertEqual([row["cudnn_tflops"] for row in rows], [row["flops"] / 2e-3 * 1e-12 for row in rows])
        self.assertEqual(check.cut, [])

    def test_is_not_measured_where_the_time_does_not_allow_it(self):
        check, rows, text = self.compare((0.01, 1000), LIMIT_S)
        self.assertIn("1 point is measured, PyTorch faster in 1 of the 1", text)
        self.assertEqual(check.cut, ["pytorch to 1 of 2 points"])
        self.assertNotIn("cudnn_tflops", rows[1])


class GpuCheck(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def script(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def program_that(self, when_it_runs):
        """The program, but for what a shell does first for its command `run`."""
        return self.script("program", f'#!/bin/sh\nif [ "$1" = run ]; then {when_it_runs}; fi\nexec {PROGRAM} "$@"\n')

    def check(self, *arguments, program=PROGRAM, **environment):
        """Exit code, what was printed, and {stage: (outcome, text)} of the file that it wrote."""
        output = self.directory / "out"
        command = [sys.executable, ROOT / "scripts" / "gpu_check.py", "--small", "--program", program, "--output", output]
        run = subprocess.run(
            [str(word) for word in [*command, *arguments]], capture_output=True, text=True, timeout=LIMIT_S,
            env={**os.environ, **environment},
        )  # fmt: skip
        self.assertTrue((output / "gpu-check.json").exists(), run.stdout + run.stderr)
        summary = read_json(output / "gpu-check.json")
        self.assertEqual(summary["verdict"], "passed" if run.returncode == 0 else "failed", run.stdout)
        return run, {one["stage"]: (one["outcome"], one["text"]) for one in summary["stages"]}, summary

    def expect_failed(self, outcomes, stage, *words):
        outcome, text = outcomes[stage]
        self.assertEqual(outcome, "failed", outcomes)
        for word in words:
            self.assertIn(word, text)

    @is_long
    def test_passes_where_all_is_well(self):
        sanitizer = self.script("compute-sanitizer", '#!/bin/sh\nwhile [ "${1%/*}" = "$1" ]; do shift; done\nexec "$@"\n')
        run, outcomes, summary = self.check(PATH=f"{sanitizer.parent}:{os.environ['PATH']}")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        not_passed = {stage for stage, (outcome, _) in outcomes.items() if outcome != "passed"}
        self.assertEqual(not_passed - OPTIONAL_HERE, set(), outcomes)
        self.assertEqual(summary["kernels"], ["sm80"])
        self.assertTrue(summary["tool"]["version"])
        measured = [f"{stage}-{length}" for stage in ("throughput", "continuing") for length in (32, 64)]
        for stage in ("kernels-sm80", "memcheck-sm80", "ranks-ipc", "ranks-mpi", "ranks-nccl", *measured):
            result = read_json(self.directory / "out" / f"{stage}.json")
            self.assertEqual({point["case"]["backend"] for point in result["points"]}, {"cuda"})
        rows = summary["figures"]["throughput"]
        self.assertEqual(len(rows), 16)
        self.assertEqual(summary["cut"], [])
        for row in rows:
            self.assertRegex(run.stdout, rf"\n +{row['seq_len']} +{row['head_dim']} {row['mask']} +{row['pass']} ")
        self.assertEqual(summary["figures"]["continuing"]["keys_per_step"], 8)

    @is_long
    def test_checks_every_kernel_of_the_device(self):
        run, outcomes, summary = self.check("--stages", "kernels", CPBENCH_VGPU_CAPABILITY="90")
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertEqual(summary["kernels"], ["sm90", "sm80"])
        for kernel in summary["kernels"]:
            points = read_json(self.directory / "out" / f"kernels-{kernel}.json")["points"]
            self.assertEqual({point["case"]["kernel"] for point in points}, {kernel})

    def test_fails_on_a_wrong_result(self):
        program = self.program_that('set -- "$@" --input nan')
        run, outcomes, _ = self.check("--stages", "ranks-mpi,continuing", program=program)
        self.assertEqual(run.returncode, 1)
        self.expect_failed(outcomes, "ranks-mpi", "6 of 6 points are not right", "invalid")
        self.expect_failed(outcomes, "continuing", "2 of 2 points are not right")

    def test_fails_on_a_point_that_was_not_checked(self):
        """Though the program is content."""
        program = self.program_that('set -- $(echo "$@" | sed "s/--check full/--check off/")')
        _, outcomes, _ = self.check("--stages", "continuing", program=program)
        self.expect_failed(outcomes, "continuing", "2 of 2 points are not right", "nothing was checked")

    def test_fails_on_a_program_that_exits_with_3(self):
        run, outcomes, _ = self.check(program=self.script("broken", "#!/bin/sh\nexit 3\n"))
        self.assertEqual(run.returncode, 1)
        self.expect_failed(outcomes, "device", "exits with 3")
        self.assertEqual(set(outcomes), {"device"})
        _, outcomes, _ = self.check("--stages", "kernels,ranks-ipc,throughput,pytorch", program=self.program_that("exit 3"))
        for stage in ("kernels", "ranks-ipc", "throughput"):
            self.expect_failed(outcomes, stage, "exit code 3")
        self.assertEqual(outcomes["pytorch"][0], "skipped")

    def test_fails_without_a_gpu(self):
        _, outcomes, _ = self.check(program=CPU_PROGRAM)
        self.expect_failed(outcomes, "device", "without a backend for GPUs")
        _, outcomes, _ = self.check(CPBENCH_VGPU_DEVICES="0")
        self.expect_failed(outcomes, "device", "there is no GPU")
        _, outcomes, _ = self.check(CPBENCH_VGPU_DRIVER="12040")
        self.expect_failed(outcomes, "device", "there is no GPU", "driver is for CUDA 12.4", "made with CUDA 13.0", "needs driver 580 or later")
        _, outcomes, _ = self.check(program=self.directory / "absent")
        self.expect_failed(outcomes, "device", "cannot be started")

    def test_right_but_slow_is_another_verdict(self):
        code = PATIENT + "gpu_check.judge = lambda *_: ['slow']; gpu_check.main()"
        for small, verdict, exit_code in ((["--small"], "passed", 0), ([], "below target", 3)):
            output = self.directory / verdict
            run = subprocess.run(
                [sys.executable, "-c", code, *small, "--program", PROGRAM, "--output", str(output), "--stages", "device"],
                capture_output=True, text=True, timeout=LIMIT_S, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
            )  # fmt: skip
            self.assertEqual(run.returncode, exit_code, run.stdout + run.stderr)
            self.assertIn(f"gpu-check: {verdict};", run.stdout)
            self.assertEqual(read_json(output / "gpu-check.json")["verdict"], verdict)

    def test_fails_where_a_sanitizer_finds_something(self):
        sanitizer = self.script("compute-sanitizer", "#!/bin/sh\nexit 86\n")
        _, outcomes, _ = self.check("--stages", "memcheck", PATH=f"{sanitizer.parent}:{os.environ['PATH']}")
        self.expect_failed(outcomes, "memcheck", "memcheck found something")

    def test_a_sanitizer_sees_single_kernels(self):
        """And no graph."""
        self.expect_flag_for_memcheck("--no-graphs")

    def test_a_sanitizer_does_not_judge_calls(self):
        """On all but Hopper some fail that may."""
        self.expect_flag_for_memcheck("--report-api-errors no")

    def expect_flag_for_memcheck(self, flag):
        sanitizer = self.script("compute-sanitizer", f'#!/bin/sh\ncase "$*" in *" {flag} "*) exit 0;; esac\nexit 86\n')
        _, outcomes, _ = self.check("--stages", "memcheck", PATH=f"{sanitizer.parent}:{os.environ['PATH']}")
        self.expect_failed(outcomes, "memcheck", "the run left no result")

    def memcheck_of_two_seconds(self, text, **environment):
        """What a check prints whose sanitizer is a shell script. It is given $result and $point, and has some seconds."""
        point = '{"id": "1-ring-cp1", "status": "ok", "validation": {"passed": true}, "case": {"head_dim": 64, "dtype": "bf16"}}'
        find_result = 'for word; do if [ "$before" = --json ]; then result=$word; fi; before=$word; done\n'
        sanitizer = self.script("compute-sanitizer", f"#!/bin/sh\npoint='{point}'\n{find_result}{text}\n")
        code = PATIENT + "gpu_check.STAGES['memcheck'] = (gpu_check.sanitizer('memcheck'), 2, 0); gpu_check.main()"
        path = {"PYTHONPATH": str(ROOT / "scripts"), "PATH": f"{sanitizer.parent}:{os.environ['PATH']}"}
        return subprocess.run(
            [sys.executable, "-c", code, "--program", PROGRAM, "--output", str(self.directory / "out"), "--stages", "memcheck"],
            capture_output=True, text=True, timeout=LIMIT_S, env={**os.environ, **path, **environment},
        ).stdout  # fmt: skip

    BEGUN = """printf '%s\n' '{"tool": {}, "environment": {}}' "$point" > "${result%.json}.jsonl"; exec sleep 600"""

    def test_a_sanitizer_that_takes_too_long_has_seen_some_points(self):
        printed = self.memcheck_of_two_seconds(self.BEGUN)
        self.assertRegex(
            printed, r"failed +memcheck +sm80: not finished within \d+ s: 1 point is right so far: 1-ring-cp1 \(d 64, bf16\)"
        )

    def test_what_a_sanitizer_has_seen_of_earlier_kernels_is_named(self):
        """Where the time is not enough for the next."""
        ended = """echo '{"tool": {}, "environment": {}, "points": ['"$point, $point"']}' > "$result"; exit 0"""
        text = f'case "$*" in *"--kernel sm90"*) {ended};; *) {self.BEGUN};; esac'
        printed = self.memcheck_of_two_seconds(text, CPBENCH_VGPU_CAPABILITY="90")
        point = r"1-ring-cp1 \(d 64, bf16\)"
        self.assertRegex(printed, rf"failed +memcheck +sm90: 2 points are right: {point}, {point}; sm80: not finished within \d+ s: 1 point is right")

    def test_doubts_what_old_sanitizers_say_of_mbarriers(self):
        """Which is not what they say of other kernels, nor what other tools say."""
        text = '#!/bin/sh\ncase "$*" in *--version) echo "Version {}.1.0 (build 1)";; *"--kernel {}"*) exit 86;; *) {};; esac\n'
        run_it = 'while [ "${1%/*}" = "$1" ]; do shift; done; exec "$@"'
        for version, kernel, tool, outcome in (
            ("2025.3", "sm90", "racecheck", "skipped"),
            ("2026.3", "sm90", "racecheck", "failed"),
            ("2025.3", "sm80", "racecheck", "failed"),
            ("2025.3", "sm90", "memcheck", "failed"),
        ):
            with self.subTest(f"{version} {kernel} {tool}"):
                sanitizer = self.script("compute-sanitizer", text.format(version, kernel, run_it))
                environment = {"PATH": f"{sanitizer.parent}:{os.environ['PATH']}", "CPBENCH_VGPU_CAPABILITY": "90"}
                run, outcomes, _ = self.check("--stages", tool, **environment)
                self.assertEqual(outcomes[tool][0], outcome, run.stdout)
                self.assertIn(f"{tool}-{kernel}.log", outcomes[tool][1])

    def test_fails_where_the_time_is_not_enough(self):
        """And leaves nothing running, for that would be on the GPU too."""
        started = self.directory / "started"
        slow = self.program_that(f"sh -c 'echo $$ > {started}; exec sleep 600'")
        code = PATIENT + "gpu_check.STAGES['continuing'] = (gpu_check.continuing, 2, 0); gpu_check.main()"
        run = subprocess.run(
            [sys.executable, "-c", code, "--program", str(slow), "--output", str(self.directory / "out"), "--stages", "continuing"],
            capture_output=True, text=True, timeout=LIMIT_S, env={**os.environ, "PYTHONPATH": str(ROOT / "scripts")},
        )  # fmt: skip
        self.assertEqual(run.returncode, 1, run.stdout + run.stderr)
        self.assertIsNotNone(re.search(r"failed +continuing +not finished within 2 s", run.stdout), run.stdout)
        if not started.exists():
            return  # a machine that took two seconds to start a shell
        command = pathlib.Path("/proc") / started.read_text().strip() / "cmdline"
        for _ in range(100):
            if not command.exists() or not command.read_text():
                return
            time.sleep(0.1)
        self.fail("what took too long goes on")

    def test_says_what_is_missing(self):
        """It does not fail; but only what may be missing may."""
        refuses = self.program_that('echo "cpbench: --transport nccl: no" >&2; exit 2')
        run, outcomes, _ = self.check("--stages", "ranks-nccl,pytorch", program=refuses)
        self.assertEqual(run.returncode, 0, run.stdout)
        self.assertEqual(outcomes["ranks-nccl"], ("skipped", "--transport nccl: no"))
        self.assertEqual(outcomes["pytorch"][0], "skipped")
        _, outcomes, _ = self.check("--stages", "ranks-ipc", program=refuses)
        self.expect_failed(outcomes, "ranks-ipc", "exit code 2")


if __name__ == "__main__":
    unittest.main()
