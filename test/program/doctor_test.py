"""`cpbench doctor`: what it says of a job's ranks and links, what it writes of that, and what it refuses."""

import copy
import os
import re
import shlex
import time
import unittest

from program import ProgramTest, cpbench, end, read_json, start

BRIEF_LINKS = ["--links", "--message-bytes", "65536", "-n", "3"]


class DoctorTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "doctor.json"

    def record_of(self, *arguments, ranks=None, code=0):
        run = cpbench("doctor", *arguments, "--json", self.path, "--overwrite", ranks=ranks)
        self.assertEqual(run.code, code, str(run))
        return run.out, read_json(self.path)


class Links(DoctorTest):
    # 2 GB/s and 50 us within a node, 0.2 GB/s and 400 us between nodes
    EMULATED = ["--emulate-link", "inner=2:50,outer=0.2:400", "--ranks-per-node", "2"]
    SPEEDS = {"inner": (2e9, 50e-6), "outer": (0.2e9, 400e-6)}

    def test_are_no_faster_than_they_are_emulated(self):
        """A message is held for as long as its link takes at least, however busy the machine is."""
        _, record = self.record_of("--links", "--message-bytes", 1 << 20, "-n", "3", *self.EMULATED, ranks=4)
        links = record["links"]
        self.assertEqual([pattern["kind"] for pattern in links["patterns"]], ["inner", "outer"])
        rounding = 1e-8
        for pattern in links["patterns"]:
            bandwidth, latency = self.SPEEDS[pattern["kind"]]
            self.assertEqual(pattern["ranks"], 4)
            self.assertGreaterEqual(pattern["latency_s"], latency)
            self.assertEqual([time["bytes"] for time in pattern["times"]], [8, 4096, 65536, 1 << 20])
            for time in pattern["times"]:
                self.assertGreaterEqual(time["min_s"], latency + time["bytes"] / bandwidth - rounding)
        ways = {(a, b): "inner" if a // 2 == b // 2 else "outer" for a in range(4) for b in range(4) if a != b}
        self.assertEqual({(pair["from"], pair["to"]): pair["kind"] for pair in links["pairs"]}, ways)
        for pair in links["pairs"]:
            self.assertGreaterEqual(pair["latency_s"], self.SPEEDS[pair["kind"]][1])
        self.assertEqual(links["corrupt"], [])
        self.assertEqual((links["transport"], links["ranks_per_node"], links["repetitions"]), ("mpi", 2, 3))
        self.assertEqual(links["emulate_link"], "inner=2:50,outer=0.2:400")

    def test_give_plan_its_flags(self):
        text, record = self.record_of("--links", "--message-bytes", 1 << 20, "-n", "3", *self.EMULATED, ranks=4)
        flags = re.search(r"^for plan: (--ranks-per-node 2 --links inner=\S+,outer=\S+)$", text, re.MULTILINE).group(1)
        self.assertEqual(flags, record["links"]["plan"])
        path = self.directory / "plan.json"
        plan = cpbench("plan", "--cp-size", "8", "--seq-len", "64", *shlex.split(flags), "--rate", "0.1", "--json", path)
        self.expect_ok(plan)
        document = read_json(path)
        self.assertEqual(document["ranks_per_node"], 2)
        self.assertEqual(document["points"][0]["estimate"]["machine"]["links"], flags.split()[-1])

    def test_of_all_ranks_at_once_are_measured_where_that_is_asked_for(self):
        text, record = self.record_of(*BRIEF_LINKS, "--all-to-all", ranks=3)
        self.assertEqual([pattern["kind"] for pattern in record["links"]["patterns"]], ["inner", "all-to-all"])
        self.assertIn("all-to-all of 3 ranks", text)
        self.assertIn("6 inner links, each by itself", text)
        self.assertNotIn("all-to-all", record["links"]["plan"])

    def test_one_rank_has_none(self):
        text, record = self.record_of("--links", "--all-to-all", ranks=1)
        self.assertIn("links: one rank has none\n", text)
        self.assertNotIn("for plan:", text)
        links = record["links"]
        self.assertEqual((links["patterns"], links["pairs"], links["plan"]), ([], [], None))
        self.assertIn("links: one rank has none\n", self.expect_ok(cpbench("doctor", "--links")).out)

    def test_that_share_cores_are_said_to(self):
        every = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, every)
        os.sched_setaffinity(0, {min(every)})
        text, record = self.record_of(*BRIEF_LINKS, ranks=2)
        (finding,) = [f["text"] for f in record["findings"] if f["kind"] == "cores"]
        self.assertIn("2 ranks of 1 thread each share 1 CPU", finding)
        self.assertIn(f"\n  {finding}\n", text)
        text, record = self.record_of(*BRIEF_LINKS, "--strict", ranks=2, code=1)
        self.assertIn("\nverdict: FAILED\n", text)
        self.assertEqual(record["exit_code"], 1)
        self.assertEqual(self.schema_faults_of(record), "")

    ENDLESS = ["--links", "--emulate-link", "0.000001"]

    def test_end_with_the_timeout(self):
        run = cpbench("doctor", *self.ENDLESS, "--timeout", "1", "--json", self.path, ranks=2)
        self.assertEqual(run.code, 124, str(run))
        self.assertIn("timeout after 1 s", run.err)
        self.assertFalse(self.path.exists(), "nothing was measured")

    def test_that_take_too_long_leave_what_was_measured_before(self):
        process = start(2, ["doctor", "--peaks", *self.ENDLESS, "--json", self.path])
        self.addCleanup(end, process)
        while not self.path.exists() and process.poll() is None:
            time.sleep(0.1)
        _, message = end(process)
        self.assertIn(f"ended by SIGTERM; what was measured before is in {self.path}", message)
        record = read_json(self.path)
        self.assertEqual((record["complete"], record["exit_code"]), (False, None))
        self.assertGreater(record["peaks"]["memory_bandwidth"], 0)
        self.assertNotIn("links", record)
        self.assertEqual(self.schema_faults_of(record), "")


class SlowRanks(DoctorTest):
    def isas(self):
        return self.record_of()[1]["devices"]["isas"]

    def with_a_slow_rank(self):
        """The program, whose rank 1 computes without vectors."""
        return self.program_after("if [ $rank = 1 ]; then export CPBENCH_ISA=generic; fi")

    @unittest.skipIf(len(os.sched_getaffinity(0)) < 2, "where ranks share a core they are not judged")
    def test_are_found(self):
        if not {"avx2", "avx512"} & set(self.isas()):
            self.skipTest("no instruction set is surely twice as fast as none")
        run = cpbench("doctor", "--peaks", "--strict", "--json", self.path, "--overwrite", ranks=2, program=self.with_a_slow_rank())
        self.assertEqual(run.code, 1, str(run))
        record = read_json(self.path)
        host = record["ranks"][1]["host"]
        self.assertRegex(run.out, rf"\n  exp2 .* G/s .* to .*, the lowest of rank 1 on {host}\n")
        self.assertRegex(run.out, rf"\nfindings:\n  slow rank.*\b1 on {host}: .*exp2 .* G/s, 0\.\d+ of the median")
        self.assertEqual([finding["kind"] for finding in record["findings"]], ["slow-rank"])
        spread, by_rank = (record["peaks"][key]["exps_per_s"] for key in ("spread", "by_rank"))
        self.assertEqual((spread["lowest_rank"], spread["lowest"], spread["highest"]), (1, by_rank[1], by_rank[0]))
        self.assertEqual(self.schema_faults_of(record), "")

    def test_that_share_cores_are_not_judged(self):
        every = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, every)
        os.sched_setaffinity(0, {min(every)})
        run = cpbench("doctor", "--peaks", "--json", self.path, ranks=2, program=self.with_a_slow_rank())
        self.expect_ok(run)
        self.assertEqual([finding["kind"] for finding in read_json(self.path)["findings"]], ["cores"])


class Files(DoctorTest):
    def test_say_who_ran_where(self):
        text, record = self.record_of(ranks=2)
        self.assertEqual(record["command"]["argv"][1], "doctor")
        self.assertEqual([rank["rank"] for rank in record["ranks"]], [0, 1])
        for rank in record["ranks"]:
            self.assertRegex(text, rf"(?m)^ +{rank['rank']}  {rank['host']} .*{re.escape(rank['device'])}$")
        self.assertIn(", ".join(record["devices"]["isas"][:1]), text)
        self.assertEqual((record["complete"], record["exit_code"]), (True, 0))
        self.assertNotIn("peaks", record)
        self.assertNotIn("links", record)
        self.assertEqual(self.schema_faults_of(record), "")

    def test_have_the_peaks_that_are_printed(self):
        text, record = self.record_of("--peaks")
        printed = re.search(r"bf16 +([\d.]+) GFLOP/s", text).group(1)
        self.assertAlmostEqual(record["peaks"]["bf16_tflops"] * 1e3, float(printed), delta=0.06)
        self.assertEqual(self.schema_faults_of(record), "")

    def test_conform_to_the_schema(self):
        _, record = self.record_of("--peaks", *BRIEF_LINKS, "--all-to-all", ranks=3)
        self.assertEqual(self.schema_faults_of(record), "")
        self.assertEqual(self.schema_faults_of(self.record_of("--links")[1]), "")
        corrupt = {"from": 0, "to": 1, "bytes": 8, "first_wrong": 0, "times": 1}
        mutations = {
            "no tool": lambda d: d.pop("tool"),
            "an unknown key": lambda d: d.update(colour="red"),
            "another version": lambda d: d["schema"].update(version=2),
            "no rank": lambda d: d.update(ranks=[]),
            "a rank without a host": lambda d: d["ranks"][0].pop("host"),
            "an unknown kind of finding": lambda d: d["findings"].append({"kind": "mood", "text": "low"}),
            "links without a verdict on bytes": lambda d: d["links"].pop("corrupt"),
            "a pair of an all-to-all": lambda d: d["links"]["pairs"][0].update(kind="all-to-all"),
            "a negative bandwidth": lambda d: d["links"]["patterns"][0].update(bandwidth=-1),
            "a pattern without times": lambda d: d["links"]["patterns"][0].update(times=[]),
            "a corrupt link that is all right": lambda d: d["links"]["corrupt"].append(corrupt),
            "a failure without a reason": lambda d: d.update(exit_code=4),
            "peaks as text": lambda d: d.update(peaks="high"),
            "peaks without a spread": lambda d: d["peaks"].pop("spread"),
            "a rank without a peak": lambda d: d["peaks"]["by_rank"].update(cpu_time=[]),
            "more CPU time than there is": lambda d: d["peaks"].update(cpu_time=1.5),
            "findings that are none": lambda d: d.update(exit_code=1, findings=[]),
            "no exit code": lambda d: d.update(exit_code=None),
            "links of a job that was ended": lambda d: d.update(complete=False, exit_code=None),
        }
        for what, mutate in mutations.items():
            with self.subTest(what):
                mutated = copy.deepcopy(record)
                mutate(mutated)
                self.assertNotEqual(self.schema_faults_of(mutated), "")

    def test_replace_nothing_unasked(self):
        self.path.write_text("precious", encoding="utf-8")
        refused = cpbench("doctor", *BRIEF_LINKS, "--json", self.path, ranks=2)
        self.expect_refused(refused, 2, "exists already", "--overwrite")
        self.assertEqual(refused.out, "", "before anything is measured")
        self.assertEqual(self.path.read_text(encoding="utf-8"), "precious")
        self.record_of()

    def test_go_into_directories_that_there_are(self):
        self.expect_refused(cpbench("doctor", "--json", self.directory / "none" / "doctor.json"), 2, "none/doctor.json")
        self.expect_refused(cpbench("doctor", "--json", ""), 2, "empty")


class BadInput(ProgramTest):
    def refuse_each(self, cases):
        for arguments, *words in cases:
            with self.subTest(arguments):
                self.expect_refused(cpbench("doctor", *arguments.split()), 2, *words)

    def test_values_that_are_none(self):
        self.refuse_each([
            ("--links --message-bytes 0", "--message-bytes", "4096"),
            ("--links --message-bytes 1e6", "--message-bytes", "1e6"),
            ("--links --message-bytes 4097", "--message-bytes 4097 is no multiple of 8"),
            ("--links --iterations 0", "--iterations", "0"),
            ("--links --ranks-per-node -1", "--ranks-per-node", "-1"),
            ("--links --emulate-link fast", "--emulate-link fast", "is not a number"),
            ("--links --transport pigeon", "--transport pigeon", "it has mpi"),
            ("--links --comm-ctas many", "--comm-ctas", "many"),
            ("--timeout 0", "--timeout", "0"),
            ("--backend abacus", "abacus"),
            ("--links --links-by hand", "--links-by"),
            ("stray", '"stray"'),
        ])  # fmt: skip

    def test_what_is_about_links_needs_links(self):
        for flags in ("--all-to-all", "--message-bytes 8192", "-n 3", "--ranks-per-node 2", "--transport mpi", "--emulate-link 1",
                      "--comm-ctas 2", "--no-graphs", "--allow-shared-gpu"):  # fmt: skip
            with self.subTest(flags):
                self.expect_refused(cpbench("doctor", *flags.split()), 2, "is about measured links: give --links, too")

    def test_flags_without_effect_are_named(self):
        run = self.expect_ok(cpbench("doctor", *BRIEF_LINKS, "--no-graphs"))
        self.assertIn("--no-graphs has no effect with --backend cpu", run.err)


if __name__ == "__main__":
    unittest.main()
