"""Every door for bad input: one message from rank 0 that names the value, the right exit code, no hang, no crash."""

import json
import os
import pathlib
import signal
import time
import unittest

from program import BRIEFLY, TINY, Finished, ProgramTest, cpbench, end, start

LONG = "4611686018427387904"  # the largest seq_len


class CommandLine(ProgramTest):
    """`plan` reads the same flags as `run`, and needs no ranks."""

    def refuse_each(self, cases):
        for arguments, *words in cases:
            with self.subTest(arguments):
                self.expect_refused(cpbench("plan", *arguments.split()), 2, *words)

    def test_commands(self):
        self.expect_refused(cpbench(), 2, "run, validate, plan")
        self.expect_refused(cpbench("plam"), 2, '"plam"', 'did you mean "plan"?', "run, validate, plan, doctor")
        self.expect_refused(cpbench("doctor", "--check", "off"), 2, "--check belongs to run and validate, not to doctor")
        self.expect_refused(cpbench("doctor", "-w", "1"), 2, "-w belongs to run, not to doctor")
        self.expect_refused(cpbench("plan", "stray"), 2, '"stray"')
        self.expect_refused(cpbench("validate", "--check", "off"), 2, "--check off")

    def test_output_that_is_lost(self):
        for command in (["plan", "--cp-size", "2", "--seq-len", "16"], ["--help"], ["run", "--seq-len", "16", *BRIEFLY]):
            with self.subTest(command[0]), open("/dev/full", "w", encoding="utf-8") as full:
                self.expect_refused(cpbench(*command, stdout=full), 2, "standard output")

    def test_help_and_version_need_no_ranks(self):
        self.assertRegex(self.expect_ok(cpbench("--version")).out, r"^cpbench \d+\.\d+\.\d+\n$")
        self.assertIn("plan", self.expect_ok(cpbench("--help")).out)
        self.assertIn("--ulysses-degree", self.expect_ok(cpbench("run", "--help")).out)
        self.assertEqual(cpbench("help").out, cpbench("--help").out)
        self.assertEqual(cpbench("help", "run").out, cpbench("run", "--help").out)
        for line in (["measure", "a", "b", "--help"], ["help", "measure"]):
            self.expect_refused(cpbench(*line), 2, 'unknown command "measure"')

    def test_doctor_counts_in_words(self):
        self.assertRegex(self.expect_ok(cpbench("doctor")).out, r"^1 rank of (1 thread|\d+ threads);")
        self.assertRegex(self.expect_ok(cpbench("doctor", ranks=2)).out, r"^2 ranks of (1 thread|\d+ threads) each;")

    def test_axes(self):
        """One of each kind; test/cli has all values that are refused, and what is said of them."""
        self.refuse_each(
            [
                ("--sequence-len 8", "--sequence-len", "did you mean --seq-len?"),
                ("--algo rnig", '"rnig"', 'did you mean "ring"?'),
                ("--seq-len 8K", "--seq-len", '"8K"'),
                (f"--seq-len {LONG}0", f"{LONG}0 is out of range"),
                ("--scale 1e39", "scale is 1e+39", "fp32"),
                ("--docs 100,200 --seq-len 299", "docs", "300", "299"),
                ("--algo ulysses --cp-size 3", "heads 8", "cp_size 3", "6 or 9", "2 or 4", "--uneven-heads"),
                # Each is in range, their product is not.
                ("--seq-len 1099511627776 --batch 1000000 --heads 1048576", "2^53", "1099511627776", "1048576"),
            ]
        )

    def test_flags_of_plan(self):
        self.refuse_each(
            [
                ("--ranks-per-node many", "--ranks-per-node", '"many"'),
                ("--seed -1", "--seed", "-1"),
                ("--rank first", '--rank: "first" is not a whole number'),
                ("--rank -1", "--rank: -1 is out of range"),
                ("--rank 2 --cp-size 2", "--rank 2", "cp_size is 2"),
            ]
        )

    def test_values_that_are_missing(self):
        for flag in ("--seq-len", "--algo", "--docs", "--config", "--length-scale", "--seq-length", "--nheads"):
            for arguments in ([flag], [flag, ""], [flag + "="]):
                with self.subTest(arguments):
                    self.expect_refused(cpbench("plan", *arguments), 2, flag)

    def test_impossible_points_of_a_sweep_are_skipped(self):
        run = self.expect_ok(cpbench("plan", "--algo", "ulysses", "--cp-size", "2,3", "--seq-len", "64"))
        self.assertEqual(run.out.count("skipped: "), 1)
        self.assertIn("heads 8 are not divisible", run.out)
        run = self.expect_ok(cpbench("plan", "--cp-size", "2,4", "--rank", "3", "--seq-len", "64"))
        self.assertEqual(run.out.count("skipped: "), 1)
        self.assertIn("--rank 3 does not exist: cp_size is 2", run.out)
        none = cpbench("plan", "--algo", "ulysses", "--cp-size", "3,5", "--seq-len", "64")
        self.assertEqual(none.code, 77, str(none))
        self.assertEqual(none.out.count("skipped: "), 2)
        self.assertIn("verdict: NOTHING PROVED", none.out)

    def test_foreign_flags(self):
        self.refuse_each(
            [
                ("--context-parallel-algo ring_cp_algo", "ring_cp_algo"),
                ("--context-parallel-algo hybrid_cp_algo", "--ulysses-degree-in-cp"),
                ("--context-parallel-size 4 --cp-size 4", "--context-parallel-size", "--cp-size"),
                ("--seq-length 12 --seq_len 12", "--seq-length", "--seq_len"),
                ("--ring_impl_type stripped", "stripped", "strip"),
                ("--cp-comm-type p2q", "p2q", "p2p"),
            ]
        )

    def test_wrong_machines_to_estimate_for(self):
        def refuse(arguments, *words):
            self.expect_refused(cpbench("plan", "--cp-size", 2, "--seq-len", 64, *arguments), 2, *words)

        refuse(["--rate", "1"], "--rate 1: ", "estimating times also needs --links", "for example --links")
        refuse(["--links", "1"], "--links 1: ", "estimating times also needs --rate", "for example --rate")
        refuse(["--memory-bandwidth", "1"], "--memory-bandwidth 1: ", "estimating times also needs --rate")
        rates = ["--rate", "1", "--links"]
        refuse([*rates, "fast"], "--links fast: 'fast' is not a number", "25:2")
        refuse([*rates, ""], "--links")
        links = ["--links", "1", "--rate"]
        refuse([*links, "fast"], '--rate: "fast" is not a number')
        refuse([*links, "-3"], "--rate: -3 is out of range")
        refuse([*links, "1e-300"], "--rate: 1e-300 is not from 1e-09 to")
        refuse([*links, "1e12"], "--rate: 1e12 is not from 1e-09 to")
        refuse([*links, "fwd=1"], "--rate fwd=1: bwd is missing", "fwd=TFLOPS,bwd=TFLOPS")
        refuse([*links, "fwd=1,fwd=2"], "--rate fwd=1,fwd=2: fwd is given twice")
        refuse([*links, "fwd=1,both=2"], "'both=2' names no pass")
        refuse([*links, "fwd=1,2"], "'2' names no pass")
        refuse([*links, "fwd=1,bwd=x"], '--rate fwd=1,bwd=x: "x" is not a number')
        refuse([*links, "1", "--rate", "2"], "--rate takes one value, not 2")
        refuse([*links, "1", "--memory-bandwidth", "0"], "--memory-bandwidth: 0 is out of range")
        refuse([*links, "1", "--memory", "none"], '--memory: "none" is not a number')
        missing, empty = self.directory / "missing.json", self.directory / "empty.json"
        refuse([*links, missing], f"--rate {missing}: there is no such result file")
        refuse([*links, self.directory], "--rate")
        empty.write_text("{}")
        refuse([*links, empty], f"{empty} is no result file of cpbench")


class Configs(ProgramTest):
    def refuse(self, text, *words):
        path = self.directory / "bad.json"
        path.write_text(text, encoding="utf-8")
        self.expect_refused(cpbench("plan", "--config", path), 2, "bad.json", *words)

    def test_wrong_contents(self):
        self.refuse('{"schema_version": 1, "matrx": {}}', "/matrx", 'did you mean "matrix"?')
        self.refuse('{"schema_version": 1, "defaults": {"seq_len": "long"}}', "/defaults/seq_len", "long")
        self.refuse('{"schema_version": 1,', "bad.json:1: not valid JSON: syntax error")

    def test_what_cannot_be_read(self):
        tried = pathlib.Path.cwd() / "nosuch.json"
        self.expect_refused(cpbench("plan", "--config", "./nosuch.json"), 2, "./nosuch.json", f"no {tried}")
        self.expect_refused(cpbench("plan", "--config", self.directory), 2, str(self.directory))

    def test_a_shipped_one_without_its_extension(self):
        self.assertIn("verdict: PROVED", self.expect_ok(cpbench("plan", "--config", "smoke")).out)


class Run(ProgramTest):
    """Doors that only `run` has, through one rank that needs no launcher."""

    def refuse(self, code, arguments, *words, environment=None):
        with self.subTest(arguments):
            run = cpbench(
                "run", "--seq-len", "64", *TINY, "--json", self.directory / "new.json", *arguments,
                environment=environment,
            )
            self.expect_refused(run, code, *words)
            self.assertEqual(run.out, "", "refused before the run")
            self.assertEqual(list(self.directory.glob("new.json*")), [], "nothing is left behind")

    def test_what_this_build_does_not_have(self):
        self.refuse(2, ["--kernel", "blokced"], '--kernel: unknown kernel "blokced"', 'did you mean "blocked"?')
        self.refuse(2, ["--isa", "avx9"], "--isa", '"avx9"')
        self.refuse(2, [], "CPBENCH_ISA", '"avx9"', environment={"CPBENCH_ISA": "avx9"})
        self.refuse(2, ["--backend", "cuda"], "--backend cuda")
        self.refuse(2, ["--transport", "nccl"], "--transport nccl")
        for transport in ("mpi+", "+mpi", "mpi++mpi"):
            self.refuse(2, ["--transport", transport], f"--transport {transport}: a name is empty", "mpi")
        self.refuse(2, ["--reference", "device"], "--reference device", "CPBENCH_CUDA", "--reference fp64")

    def test_wrong_values(self):
        self.refuse(2, ["--check", "fulll"], '"fulll"')
        self.refuse(2, ["--check", "sample:0"], '"sample:0"')
        self.refuse(2, ["--reference", "fp32"], '--reference: unknown reference "fp32"', 'did you mean "fp64"?', "device")
        self.refuse(2, ["--input", "nam"], '--input: unknown input "nam"', 'did you mean "nan"?')
        self.refuse(2, ["--emulate-link", "0"], "--emulate-link 0")
        self.refuse(2, ["--length-scale", "2"], "--length-scale 2", "--config names none")
        self.refuse(2, ["--emulate-link", "inner=1,middle=2"], "'middle'")
        self.refuse(2, ["--timeout", "-1"], "--timeout", "-1")
        self.refuse(2, ["--iterations", "0"], "--iterations", "0")
        self.refuse(2, ["--threads", "few"], "--threads", '"few"')
        cpus = len(os.sched_getaffinity(0))
        self.refuse(2, ["--threads", 4 * cpus + 1], f"--threads {4 * cpus + 1}", f"{cpus} CPU", f"at most {4 * cpus}")
        for flag in ("--json", "--trace", "--dump", "--check", "--isa"):
            self.refuse(2, [flag, ""], flag)

    def test_more_iterations_than_samples_would_fit(self):
        endless = ["--iterations", "2147483647", "--threads", "1", "--timeout", "2"]
        run = cpbench("run", "--seq-len", "16", *TINY, *endless, address_space=4 * 2**30)
        self.expect_refused(run, 124, "timeout after 2 s")

    def test_files_that_cannot_be_written(self):
        missing = self.directory / "missing" / "file"
        self.refuse(2, ["--trace", missing], missing)
        self.refuse(2, ["--dump", missing / "dump"], missing)

    def test_ranks_that_did_not_find_each_other(self):
        self.refuse(5, [], "SLURM_NTASKS is 4", environment={"SLURM_NTASKS": "4"})

    def test_results_are_never_overwritten_silently(self):
        arguments = ["run", "--seq-len", "16", *TINY, *BRIEFLY, "--json"]
        kept = {self.directory / "old.json": "precious", self.directory / "other.jsonl": "precious"}
        for path, text in kept.items():
            path.write_text(text)
        self.expect_refused(cpbench(*arguments, self.directory / "old.json"), 2, "old.json", "--overwrite")
        self.expect_refused(cpbench(*arguments, self.directory / "other.json"), 2, "other.jsonl", "--overwrite")
        for path, text in kept.items():
            self.assertEqual(path.read_text(), text)
        self.expect_ok(cpbench(*arguments, self.directory / "old.json", "--overwrite"))
        self.assertTrue(json.loads((self.directory / "old.json").read_text())["complete"])


    def test_traces_are_never_overwritten_silently(self):
        trace = self.directory / "trace.json"
        arguments = ["run", *TINY, *BRIEFLY, "--trace", trace]
        self.expect_ok(cpbench(*arguments, "--seq-len", "16"))
        self.expect_refused(cpbench(*arguments, "--seq-len", "16"), 2, trace, "--overwrite")
        self.expect_ok(cpbench(*arguments, "--seq-len", "16", "--overwrite"))
        of_second_point = self.directory / "trace.1-ring-cp1.json"
        of_second_point.write_text("precious")
        self.expect_refused(cpbench(*arguments, "--seq-len", "16,17"), 2, of_second_point, "--overwrite")

    def test_the_lines_of_a_result_have_a_file_of_their_own(self):
        path = self.directory / "out.jsonl"
        run = cpbench("run", "--seq-len", "16", *TINY, *BRIEFLY, "--json", path, "--overwrite")
        self.expect_refused(run, 2, f"--json {path}", f"name the result {path.with_suffix('.json')}")
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_outputs_do_not_share_a_file(self):
        path = self.directory / "out.json"
        arguments = ["run", "--seq-len", "16", *TINY, *BRIEFLY, "--json", path]
        for other in ("out.json", "./out.json", "out.jsonl"):
            trace = f"{self.directory}/{other}"
            with self.subTest(trace):
                self.expect_refused(cpbench(*arguments, "--trace", trace, "--overwrite"), 2, other, "written twice")
                self.assertFalse(path.exists())


class Job(ProgramTest):
    """On several ranks rank 0 alone speaks, all leave with one code, and none waits for another."""

    def run_on(self, ranks, *arguments):
        return cpbench("run", *TINY, *BRIEFLY, *arguments, ranks=ranks)

    def test_more_threads_than_the_node_has_cpus_are_warned_of(self):
        cpus = len(os.sched_getaffinity(0))
        arguments = ["run", "--seq-len", "64", *TINY, "-n", "1", "-w", "0", "--threads"]
        self.assertEqual(self.expect_ok(cpbench(*arguments, 1)).warnings, [])
        (warning,) = self.expect_ok(cpbench(*arguments, cpus, ranks=2)).warnings
        self.assertIn(f"2 ranks of {cpus} thread", warning)

    def test_usage(self):
        self.expect_refused(cpbench("run", "--algo", "rnig", ranks=3), 2, '"rnig"')

    def test_what_one_rank_alone_finds_wrong(self):
        """In its environment, on its command line, in its working directory, in its file."""
        for where, seq_len in (("here", 64), ("there", 65)):
            (self.directory / where).mkdir()
            content = {"schema_version": 1, "defaults": {"seq_len": seq_len}}
            (self.directory / where / "sweep.json").write_text(json.dumps(content), encoding="utf-8")
        for rank_1, words in (
            ("CPBENCH_ISA=foo", ['"foo"']),
            ("set -- run --seq-len 65", ["command lines", "rank 1"]),
            ("set -- run --seq-lne 64", ["command lines", "--seq-lne"]),
            ("cd ..", ["sweep.json"]),
            ("cd ../there", ["points", "65", "64"]),
        ):
            with self.subTest(rank_1):
                program = self.program_after(
                    f"cd {self.directory}/here; export CPBENCH_ISA=auto; if [ $rank = 1 ]; then {rank_1}; fi"
                )
                run = cpbench("run", *TINY, *BRIEFLY, "--config", "sweep.json", ranks=2, program=program)
                self.expect_refused(run, 2, *words)

    def test_result_path(self):
        missing = self.directory / "missing" / "out.json"
        run = self.run_on(3, "--seq-len", "64", "--json", missing)
        self.expect_refused(run, 2, missing)
        self.assertEqual(run.out, "", "said before the run")
        if os.geteuid() != 0:
            self.directory.chmod(0o500)
            self.expect_refused(self.run_on(3, "--seq-len", "64", "--json", self.directory / "out.json"), 2, "out.json")
            self.directory.chmod(0o700)

    def test_result_path_on_a_file_system_that_takes_no_files(self):
        if pathlib.Path("/proc/self").exists():
            self.expect_refused(self.run_on(2, "--seq-len", "64", "--json", "/proc/out.json"), 2, "/proc/out.json")

    def test_more_ranks_than_the_job_has(self):
        self.expect_refused(self.run_on(2, "--seq-len", "64", "--cp-size", "3"), 2, "cp_size 3", "2 ranks")

    def test_memory(self):
        run = self.run_on(3, "--seq-len", "100000000000", "--json", self.directory / "big.json")
        remedies = "; use fewer ranks there, a shorter --seq-len or fewer --heads"
        self.expect_refused(run, 5, "3 ranks plan", "for buffers", "but only ", " is available", remedies)
        self.assertNotIn("--batch", run.err, "one sequence is the least")
        self.assertEqual(run.out, "", "said before the run")
        self.assertEqual(list(self.directory.iterdir()), [])

    def test_memory_of_one_rank(self):
        run = self.run_on(1, "--seq-len", "100000000000", "--batch", "2")
        self.expect_refused(run, 5, "1 rank plans", "; use a shorter --seq-len, fewer --heads or a smaller --batch")

    def test_memory_that_pruning_needs_more_of(self):
        flags = ["--seq-len", "100000000000", "--mask", "window:20000000000"]
        self.expect_refused(self.run_on(6, *flags, "--pass", "bwd"), 5, "6 ranks plan", " or --prune off")
        for less in ["--pass", "fwd"], ["--pass", "bwd", "--prune", "off"]:
            self.expect_refused(self.run_on(6, *flags, *less), 5, "6 ranks plan", " or fewer --heads")

    def test_memory_of_some_ranks(self):
        run = self.run_on(3, "--seq-len", "100000000000", "--cp-size", "2")
        self.expect_refused(run, 5, "2 ranks plan", "iB is available")

    def test_a_refused_run_leaves_older_results(self):
        result = self.directory / "out.json"
        older = [result, result.with_suffix(".jsonl")]
        for file in older:
            file.write_text("older")
        run = self.run_on(1, "--seq-len", "100000000000", "--json", result, "--overwrite")
        self.expect_refused(run, 5, "not enough memory")
        self.assertEqual([file.read_text() for file in older], ["older"] * 2)

    def test_a_point_that_does_not_fit_costs_only_itself(self):
        points = self.points_of("--seq-len", "64,100000000000,65", *TINY, ranks=2, code=5)
        self.assertEqual([point["status"] for point in points], ["ok", "failed", "ok"])
        self.assertIn("not enough memory", points[1]["reason"])

    def test_every_point_skipped(self):
        points = self.points_of("--cp-size", "3,4", "--seq-len", "64", *TINY, ranks=2, code=77)
        self.assertEqual([point["status"] for point in points], ["skipped"] * 2)
        self.assertIn("cp_size 3 is more than the 2 ranks", points[0]["reason"])
        self.assertEqual(points[0]["case"]["mask"], "causal", "defaults are shown too")

    def test_timeout(self):
        path = self.directory / "late.json"
        endless = ["--iterations", "10000000", "--threads", "1", "--timeout", "1"]
        run = cpbench("run", "--seq-len", "64,65,66", *TINY, *endless, "--json", path, ranks=2)
        self.expect_refused(run, 124, "timeout after 1 s in point 1 of 3 (0-ring-cp2); no point is finished")
        self.assertIn("# points 3: 1 timeout, 2 not begun\n", run.out)
        self.assertFalse(path.exists())
        point = json.loads(path.with_suffix(".jsonl").read_text().splitlines()[-1])
        self.assertEqual((point["id"], point["status"]), ("0-ring-cp2", "timeout"))
        self.assertEqual(point["case"]["seq_len"], 64)
        self.assertIn("--timeout", point["reason"])

    def test_a_timeout_is_recorded_by_a_rank_0_that_is_late(self):
        """The others leave it some time before they end the job."""
        path = self.directory / "late.json"
        script = self.program_that_tells_its_number()
        endless = ["--iterations", "10000000", "--threads", "1", "--timeout", "1"]
        process = start(2, ["run", "--seq-len", "64", *TINY, *endless, "--json", path], program=script)
        try:
            process.stdout.readline()  # the point is in flight
            rank_0 = self.pid_of_rank(0)
            os.kill(rank_0, signal.SIGSTOP)
            time.sleep(4.5)
            os.kill(rank_0, signal.SIGCONT)
            out, err = process.communicate(timeout=60)
        finally:
            end(process)
        self.expect_refused(Finished("", process.returncode, out, err), 124, "timeout after 1 s")
        point = json.loads(path.with_suffix(".jsonl").read_text().splitlines()[-1])
        self.assertEqual(point["status"], "timeout")

    def test_a_timeout_beyond_what_clocks_count_is_none(self):
        self.expect_ok(self.run_on(2, "--seq-len", "64", "--timeout", "1e300"))

    def test_invalid_results(self):
        path = self.directory / "nan.json"
        run = self.run_on(2, "--seq-len", "64,65", "--input", "nan", "--json", path)
        self.assertEqual(run.code, 3, str(run))
        self.assertIn("verdict: FAILED", run.out)
        for point in json.loads(path.read_text())["points"]:
            self.assertEqual(point["status"], "invalid")
            self.assertIn("NaN", point["reason"])
            self.assertNotIn("throughput", point)
            self.assertNotIn("timing", point)


if __name__ == "__main__":
    unittest.main()
