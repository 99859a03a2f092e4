"""`cpbench plan`: proofs and figures for any number of ranks, without a launcher."""

import copy
import json
import re
import unittest

from program import BRIEFLY, TINY, ProgramTest, cpbench, read_json

UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40, "PiB": 2**50}


def bytes_after(label, text):
    number, unit = re.search(re.escape(label) + r" ([\d.]+) (\w+)", text).groups()
    return float(number) * UNITS[unit]


class Plan(ProgramTest):
    def plan(self, *arguments):
        return self.expect_ok(cpbench("plan", *arguments)).out

    def test_a_thousand_ranks(self):
        shape = ["--seq-len", 65536, "--heads", 64, "--kv-heads", 8]
        text = self.plan("--algo", "hybrid", "--ulysses-degree", 8, "--window-size", 8, "--cp-size", 1024, *shape)
        self.assertIn("verified for all ranks", text)
        self.assertIn("of 1024 ranks", text)

    def test_more_ranks_than_memory_can_plan(self):
        run = cpbench("plan", "--cp-size", 100000, "--seq-len", 4096)
        self.expect_refused(run, 5, "100000 ranks", "TiB", "but only ", " is free; use a smaller --cp-size")
        self.assertNotIn("documents", run.err, "there is one")
        run = cpbench("plan", "--cp-size", 100000, "--seq-len", 4096, "--docs", "4000,96", "--shard", "striped")
        self.expect_refused(run, 5, "; use a smaller --cp-size, fewer documents or --shard contiguous")

    def test_points_without_a_plan_are_told_apart(self):
        run = cpbench("plan", "--algo", "ring,ulysses", "--cp-size", "2,3,100000", "--seq-len", 4096)
        self.assertEqual(run.code, 5, "one is refused for memory")
        self.assertRegex(run.out, r"\n  ring +100000 \(1x1x100000\) [^\n]* failed: planning 100000 ranks needs about")
        self.assertRegex(run.out, r"\n  ulysses +3 [^\n]* skipped: heads 8 are not divisible")
        self.assertRegex(run.out, r"\n# points 6: 3 ok, 2 skipped, 1 failed\n# verdict: FAILED")

    def test_more_ranks_than_tokens(self):
        self.assertIn("verified for all ranks", self.plan("--cp-size", 128, "--seq-len", 100, "--algo", "double-ring"))

    def test_one_rank_of_a_launcher_does_it_all(self):
        run = self.expect_ok(cpbench("plan", "--cp-size", 2, "--seq-len", 64, ranks=3))
        self.assertEqual(run.out.count("verified for all ranks"), 1, str(run))
        for variable in ("OMPI_COMM_WORLD_RANK", "SLURM_PROCID"):  # of another rank, which need not even read its line
            run = self.expect_ok(cpbench("plan", "--cp-size", 100000, "--seq-len", 4096, environment={variable: "1"}))
            self.assertEqual(run.out + run.err, "", str(run))

    def test_totals_of_both_settings_of_prune(self):
        shape = ["--cp-size", 16, "--seq-len", 4096, "--shard", "zigzag", "--mask", "window:100"]
        totals = lambda line: (bytes_after("peak memory", line), bytes_after("per rank,", line))
        line_of = lambda label, text: re.search(f"^  {label}.*$", text, re.MULTILINE).group()
        both = lambda text: {setting: totals(line_of(f"with --prune {setting}:", text)) for setting in ("on", "off")}
        found = both(self.plan(*shape))
        self.assertLess(found["on"][1], found["off"][1] / 4, "a window reaches the nearest neighbour only")
        self.assertGreater(found["on"][0], found["off"][0], "blocks of both chunks come at once")
        for setting in ("on", "off"):
            text = self.plan(*shape, "--prune", setting)
            self.assertEqual(totals(line_of("load balance", text)), found[setting])
            self.assertEqual(both(text), found)
        text = self.plan("--cp-size", 4, "--seq-len", 4096, "--mask", "full")
        self.assertEqual(totals(line_of("with --prune on or off:", text)), totals(line_of("load balance", text)))
        self.assertEqual(text.count("with --prune"), 1)

    def test_takes_a_line_of_run_and_names_what_has_no_effect(self):
        case = ["--algo", "ring", "--cp-size", 4, "--seq-len", 64]
        of_run = [
            "--check", "sample", "--threads", 2, "--iterations", 5, "--warmup", 1,
            "--trace", self.directory / "trace.json", "--dump", self.directory / "dump", "--kernel", "blocked", "--isa", "avx2",
        ]  # fmt: skip
        run = self.expect_ok(cpbench("plan", *case, *of_run, "--backend", "auto"))
        without_times = lambda text: re.sub(r"\(built in .*\)", "", text)
        self.assertEqual(without_times(run.out), without_times(self.plan(*case)))
        names = "--iterations --warmup --trace --dump --check --kernel --isa --threads"
        self.assertEqual(run.messages, [f"cpbench: no effect on plan: {names}"])
        self.assertEqual(list(self.directory.iterdir()), [])
        self.expect_refused(cpbench("plan", *case, "--self-test"), 2, "--self-test belongs to validate, not to plan")
        self.expect_refused(cpbench("plan", *case, "--iterations", "some"), 2, '--iterations: "some" is not a whole number')

    def test_names_axes_that_every_point_ignores(self):
        messages = lambda *line: cpbench("plan", "--cp-size", 4, "--seq-len", 64, *line).messages
        (note,) = messages("--window-size", 2)
        self.assertIn("--window-size has no effect here", note)
        self.assertIn("--mask window:L", note, "what whoever means a sliding window looks for")
        (note,) = messages("--algo", "ring", "--ulysses-degree", 4)
        self.assertIn("--ulysses-degree has no effect here", note)
        self.assertEqual(messages("--algo", "ring,double-ring", "--window-size", 2), [])
        self.assertEqual(messages("--algo", "hybrid", "--ulysses-degree", 2, "--uneven-heads", "--scale", 0.5), [])
        self.assertEqual(messages("--algo", "hybrid", "--ulysses-degree", "3,2"), [], "a point that is skipped has it")
        every = ["--mask", "window:9", "--sink", "--docs", "60,4", "--pass", "bwd", "--prune", "off", "--layout", "sbhd"]
        self.assertEqual(messages(*every, "--kv-parts", 2, "--tensor-parallel", 2, "--heads", 4, "--shard", "striped"), [])

    def test_names_grids_that_are_another_algorithm(self):
        messages = lambda *line: cpbench("plan", "--seq-len", 64, *line).messages
        (note,) = messages("--algo", "hybrid", "--cp-size", 4)
        self.assertIn("note: hybrid with ulysses_degree 4 on 4 ranks has no ring: it is ulysses; give a smaller", note)
        (note,) = messages("--algo", "double-ring", "--cp-size", 8, "--window-size", 8)
        self.assertIn("note: double-ring with window_size 8 on 8 ranks is a plain ring; give another", note)
        (note,) = messages("--algo", "double-ring", "--cp-size", "2,8")
        self.assertRegex(note, "on 2 ranks is a plain ring$", "there is no other")
        self.assertEqual(messages("--algo", "hybrid", "--cp-size", 4, "--ulysses-degree", "1,2,4"), [], "a sweep over grids")
        self.assertEqual(messages("--algo", "hybrid,double-ring", "--cp-size", 1), [])
        run = cpbench("run", "--algo", "hybrid", "--seq-len", 16, *TINY, *BRIEFLY, ranks=2)
        self.assertIn("hybrid with ulysses_degree 2 on 2 ranks has no ring", self.expect_ok(run).err)

    def test_ranks_of_a_tensor_parallel_group_share_nodes(self):
        messages = lambda *line: cpbench("plan", "--cp-size", 8, "--seq-len", 64, "--heads", 8, *line).messages
        (note,) = messages("--tensor-parallel", 4, "--ranks-per-node", 8)
        self.assertIn("where 4 of them share a node of 8 GPUs, give --ranks-per-node 2", note)
        for line in (["--tensor-parallel", 4], ["--ranks-per-node", 8], ["--tensor-parallel", 8, "--ranks-per-node", 1]):
            self.assertEqual(messages(*line), [])

    def figures(self, *arguments):
        """[inner, outer, all-to-all, within the node, between nodes] of rank 0, in bytes."""
        text = self.plan("--seq-len", 4096, *arguments)
        row = re.search(r"^  0 .*$", text, re.MULTILINE).group()
        return [float(number) * UNITS[unit] for number, unit in re.findall(r"([\d.]+) (\w*B)\b", row)][:5]

    def test_links(self):
        inner, outer, all_to_all, _, _ = self.figures("--algo", "ring", "--cp-size", 8)
        self.assertTrue(inner > 0 and outer == 0 and all_to_all == 0)
        inner, outer, all_to_all, _, _ = self.figures("--algo", "double-ring", "--cp-size", 8, "--window-size", 4)
        self.assertTrue(inner > outer > 0 and all_to_all == 0)
        inner, outer, all_to_all, _, _ = self.figures("--algo", "ulysses", "--cp-size", 8)
        self.assertTrue(inner == outer == 0 and all_to_all > 0)
        hybrid = ["--algo", "hybrid", "--cp-size", 8, "--ulysses-degree", 2, "--window-size", 2]
        self.assertTrue(all(figure > 0 for figure in self.figures(*hybrid)[:3]))

    def test_nodes(self):
        hybrid = ["--algo", "hybrid", "--cp-size", 16, "--ulysses-degree", 4]
        for order in ("ulysses-inner", "ring-inner"):
            figures = self.figures(*hybrid, "--rank-order", order, "--ranks-per-node", 4)
            inner, outer, all_to_all, within, between = figures
            # One kind of group fits the nodes, the other crosses them.
            groups = [all_to_all, inner + outer]
            self.assertEqual([within, between], groups if order == "ulysses-inner" else groups[::-1], order)
        self.assertEqual(self.figures(*hybrid, "--ranks-per-node", 16)[4], 0)

    def test_says_how_many_nodes_are_assumed(self):
        hybrid = ["--algo", "hybrid", "--cp-size", 16, "--seq-len", 64, "--heads", 16]
        alone = self.plan(*hybrid)
        self.assertIn("nodes: one, with 16 ranks (--ranks-per-node N: N on each)", alone)
        self.assertIn("(ulysses 16 x", alone)
        self.assertIn("nodes: 4, with up to 4 ranks", self.plan(*hybrid, "--ranks-per-node", 4))
        self.assertIn("nodes: 1, with up to 16 ranks", self.plan(*hybrid, "--ranks-per-node", 2**31 - 1))

    def test_programs(self):
        text = self.plan("--algo", "ring", "--cp-size", 4, "--seq-len", 64, "--rank", 3)
        self.assertIn("program of rank 3", text)
        self.assertIn("kv hop 0", text)
        self.assertIn("attend-backward 3", text)
        long = ["--algo", "ring", "--cp-size", 64, "--seq-len", 640]
        self.assertIn("more (--all-steps)", self.plan(*long))
        self.assertNotIn("more (--all-steps)", self.plan(*long, "--all-steps"))

    def test_exchanges_with_a_group_of_peers_are_one_line(self):
        text = self.plan("--algo", "ulysses", "--cp-size", 64, "--seq-len", 4096, "--heads", 64)
        self.assertIn("parts of q#0 -> 0..63, parts of kv#1 -> 0..63, parts of q#2 <- 0..63", text)
        for algorithm in ("ulysses", "all-gather", "hybrid"):
            text = self.plan("--algo", algorithm, "--cp-size", 64, "--seq-len", 4096, "--heads", 16 if algorithm == "hybrid" else 64)
            self.assertLess(max(map(len, text.splitlines())), 250, algorithm)
        strided = ["--algo", "hybrid", "--cp-size", 16, "--ulysses-degree", 8, "--rank-order", "ring-inner", "--seq-len", 4096]
        self.assertIn("parts of q#0 -> 0..14 by 2", self.plan(*strided))
        self.assertIn("q#0[heads 0..2] -> 0, ", self.plan("--algo", "ulysses", "--cp-size", 4, "--seq-len", 4096), "few are listed")

    def test_load_balance(self):
        balance = lambda shard: float(
            re.search(r"load balance ([\d.]+)", self.plan("--cp-size", 8, "--seq-len", 8192, "--shard", shard)).group(1)
        )
        self.assertGreater(balance("zigzag"), 0.99)
        self.assertLess(balance("contiguous"), 0.6)

    def test_several_points_are_a_table(self):
        sweep = ["--cp-size", "1,2,3", "--seq-len", 60]
        text = self.plan(*sweep)
        rows = [line.split() for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual([row[:3] for row in rows], [["ring", str(n), f"(1x1x{n})"] for n in (1, 2, 3)])
        self.assertRegex(text, r"\n# points 3: 3 ok\n# verdict: PROVED\n$")
        details = self.plan(*sweep, "--details")
        self.assertEqual(re.findall(r"^ring on (.*?) \(", details, re.MULTILINE), ["1 rank", "2 ranks", "3 ranks"])
        self.assertEqual(details.count("verified for all ranks"), 3)
        self.assertTrue(details.endswith(text))
        self.assertNotIn("program of rank", details, "figures stand together")
        for asked in (["--rank", 0], ["--all-steps"]):
            self.assertEqual(self.plan(*sweep, *asked).count("program of rank 0"), 3)

    def test_the_table_has_the_figures_of_the_ranks(self):
        sweep = ["--algo", "hybrid", "--cp-size", "16,8", "--ulysses-degree", 4, "--seq-len", 4096, "--ranks-per-node", 8]
        row = [line for line in self.plan(*sweep).splitlines() if not line.startswith("#")][0].split()
        memory, sent, between = (float(row[i]) * UNITS[row[i + 1]] for i in (8, 10, 12))
        details = self.plan(*sweep, "--details")
        ranks = re.findall(r"^  \d+ .*$", details.partition("hybrid on 8 ranks")[0], re.MULTILINE)
        figures = [[float(n) * UNITS[unit] for n, unit in re.findall(r"([\d.]+) (\w*B)\b", rank)] for rank in ranks]
        self.assertEqual(len(figures), 16)
        self.assertEqual(memory, max(rank[5] for rank in figures))
        self.assertAlmostEqual(sent, max(rank[3] + rank[4] for rank in figures), delta=0.02 * 2**20)
        self.assertEqual(between, max(rank[4] for rank in figures))
        self.assertEqual(row[-1], "1.000")

    def test_tells_what_fits_without_estimates(self):
        sweep = ["--cp-size", "2,8", "--seq-len", 4096]
        rows = [line.split() for line in self.plan(*sweep, "--memory", 0.06).splitlines() if not line.startswith("#")]
        self.assertEqual([row[10] for row in rows], ["NO", "yes"])
        self.assertIn("DOES NOT FIT into the 61.44 MiB of a rank", self.plan("--cp-size", 2, "--seq-len", 4096, "--memory", 0.06))
        self.assertIn("  fits into the 61.44 MiB of a rank", self.plan("--cp-size", 8, "--seq-len", 4096, "--memory", 0.06))

    def test_says_how_far_a_sweep_is(self):
        run = cpbench("plan", "--cp-size", "2,4", "--seq-len", 64, environment={"CPBENCH_PROGRESS": "1"})
        self.assertIn("[2/2] 1-ring-cp4", self.expect_ok(run).err)


class Estimates(ProgramTest):
    """A hop of the ring below takes a millisecond, and so does a step at 1 GFLOP/s for each 1,000 pairs."""

    RING = ["--cp-size", 4, "--seq-len", 4000, "--heads", 1, "--head-dim", 8, "--mask", "full", "--pass", "fwd", "--dtype", "fp32"]
    HOP = 1000 * 16 * 4  # bytes
    STEP = 1000 * 1000 * 32  # FLOPs

    def machine(self, hop_ms, step_ms):
        return ["--links", self.HOP / (hop_ms * 1e-3) / 1e9, "--rate", self.STEP / (step_ms * 1e-3) / 1e12]

    def slowest(self, *arguments):
        """[time, compute only, comm only, exposed] in ms."""
        text = self.expect_ok(cpbench("plan", *arguments)).out
        return [float(cell) for cell in re.search(r"^  slowest (.*)$", text, re.MULTILINE).group(1).split()]

    def rows(self, text):
        """The cells of the table that ends a sweep."""
        self.assertIn(" times: estimated, of the slowest rank", text)
        table = text.partition("\n# algo ")[2].splitlines()[1:]
        return [line.split() for line in table if not line.startswith("#")]

    def test_a_ring_with_and_without_overlap(self):
        for hop, step in ((1, 3), (2, 2), (5, 1)):
            machine = self.machine(hop, step)
            whole = 3 * max(hop, step) + step
            self.assertEqual(self.slowest(*self.RING, *machine), [whole, 4 * step, 3 * hop, whole - 4 * step])
            self.assertEqual(self.slowest(*self.RING, *machine, "--overlap", "off"), [4 * step + 3 * hop, 4 * step, 3 * hop, 3 * hop])

    def test_latency_nodes_and_kinds_of_links(self):
        machine = self.machine(1, 0.001)
        links = machine[1]
        rates = ["--rate", machine[3]]
        self.assertEqual(self.slowest(*self.RING, "--links", f"{links}:500", *rates)[2], 4.5)
        self.assertEqual(self.slowest(*self.RING, "--links", f"inner={links},outer={links / 4}", *rates)[2], 3)
        across = ["--ranks-per-node", 2, "--links", f"inner={links},outer={links / 4}", *rates]
        self.assertEqual(self.slowest(*self.RING, *across)[2], 12)
        for ranks in (4, "4,8"):
            run = cpbench("plan", *self.RING[2:], "--cp-size", ranks, "--links", f"outer={links}", *rates)
            self.assertIn("cpbench: note: messages over inner take no time, as --links says nothing of them", run.messages)
        self.assertEqual(cpbench("plan", *self.RING, "--links", f"inner={links}", *rates).messages, [])

    def test_names_links_that_no_message_takes(self):
        notes = lambda *line: [text.removeprefix("cpbench: ") for text in cpbench("plan", *line, "--rate", 1).messages]
        ring = [*self.RING, "--links", "inner=10,outer=1"]
        self.assertEqual(notes(*ring), ["note: --links names outer, but all 4 ranks are one node: give --ranks-per-node"])
        self.assertEqual(notes(*ring, "--ranks-per-node", 4), ["note: --links names outer, but all 4 ranks are one node of 4"])
        self.assertEqual(notes(*ring, "--ranks-per-node", 2), [])
        self.assertEqual(notes(*ring, "--algo", "ring,double-ring"), [], "one of them takes it")
        self.assertEqual(notes(*self.RING, "--links", "10"), [], "names none")
        self.assertEqual(notes("--cp-size", 1, "--seq-len", 64, "--links", "inner=10,outer=1"), [])
        (note,) = notes(*self.RING, "--links", "inner=10,all-to-all=1")
        self.assertEqual(note, "note: --links names all-to-all, which no message here takes")
        (note,) = notes(*self.RING, "--links", "inner=10,outer=1,all-to-all=1", "--ranks-per-node", 2)
        self.assertIn("--links names all-to-all, but with --ranks-per-node", note)

    def test_says_what_estimates_take_for_granted(self):
        sweep = ["--algo", "ring,double-ring", "--cp-size", 16, "--heads", 4, "--seq-len", 1600]
        machine = ["--ranks-per-node", 4, "--links", "inner=100,outer=50:5", "--rate", "fwd=2e-3,bwd=1e-3"]
        lines = self.expect_ok(cpbench("plan", *sweep, *machine)).out.splitlines()
        taken = "ranks_per_node 4, backend cpu, links inner=100,outer=50:5, forward_tflops 0.002, backward_tflops 0.001"
        self.assertRegex(lines[0], f"^# case: batch 1, heads 4, .*, {taken}$")
        names = next(i for i, line in enumerate(lines) if line.startswith("# algo "))
        self.assertTrue(lines[names + 2].startswith("  double-ring"), "as fast as the ring, with less communication")
        self.assertRegex(lines[names + 4], "^# the first 2 differ by 0.0%, less than an estimate can tell")
        lines = cpbench("plan", *sweep, "--links", 100, "--rate", 1, "--memory-bandwidth", 100, "--memory", 80).out.splitlines()
        self.assertIn("ranks_per_node 0, backend cpu, memory 80, links 100, ", lines[0])
        self.assertTrue(lines[0].endswith(", memory_bandwidth 100"), lines[0])

    def test_rates_of_both_passes_and_of_memory(self):
        both = [*self.RING[:-4], "--dtype", "fp32", "--pass", "fwd+bwd", "--links", 1e6]
        rate = self.STEP / 1e-3 / 1e12
        forward, backward = 4, 4 * 2.5
        self.assertAlmostEqual(self.slowest(*both, "--rate", rate)[1], forward + backward, 2)
        self.assertAlmostEqual(self.slowest(*both, "--rate", f"fwd={2 * rate},bwd={rate}")[1], forward / 2 + backward, 2)
        self.assertAlmostEqual(self.slowest(*both, "--rate", f"bwd={2 * rate},fwd={rate}")[1], forward + backward / 2, 2)
        self.assertGreater(self.slowest(*both, "--rate", rate, "--memory-bandwidth", 1)[1], forward + backward + 0.1)

    def test_points_of_a_sweep_fastest_first(self):
        sweep = ["--algo", "ring,double-ring", "--cp-size", 16, "--window-size", "2,4,8", "--seq-len", 16000, "--pass", "fwd"]
        machine = ["--ranks-per-node", 4, "--links", "inner=100,outer=1", "--rate", 100]
        text = self.expect_ok(cpbench("plan", *sweep, *machine, "--details")).out
        rows = self.rows(text)
        self.assertEqual(rows[0][:3], ["double-ring", "16", "(1x4x4)"], "windows that are nodes")
        self.assertEqual({row[2] for row in rows}, {"(1x8x2)", "(1x4x4)", "(1x2x8)", "(1x1x16)"})
        times = [float(row[8]) for row in rows]
        self.assertEqual(times, sorted(times))
        of_points = {float(time) for time in re.findall(r"^  slowest +([\d.]+)", text, re.MULTILINE)}
        self.assertEqual(set(times), of_points)
        self.assertNotIn("estimated", cpbench("plan", *sweep).out)

        memory = {row[2]: float(row[13]) / (1 if row[14] == "GiB" else 1024) for row in rows}
        limit = (min(memory.values()) + max(memory.values())) / 2
        marked = self.rows(cpbench("plan", *sweep, *machine, "--memory", limit).out)
        fits = [row[15] for row in marked]
        self.assertEqual(fits, ["NO" if memory[row[2]] > limit else "yes" for row in marked])
        self.assertEqual(fits, sorted(fits, reverse=True), "what fits comes first")
        self.assertEqual(set(fits), {"NO", "yes"})

    def test_a_point_that_cannot_be_is_the_last_of_the_table(self):
        run = cpbench("plan", "--algo", "ring,ulysses", "--cp-size", "3,4", "--seq-len", 64, "--links", 1, "--rate", 1)
        self.expect_ok(run)
        rows = [row[0] + row[1] + (" skipped" if "skipped:" in row else "") for row in self.rows(run.out)]
        self.assertEqual(sorted(rows), ["ring3", "ring4", "ulysses3 skipped", "ulysses4"])
        self.assertEqual(rows[-1], "ulysses3 skipped")

    def test_many_ranks_are_abridged(self):
        text = self.expect_ok(cpbench("plan", "--cp-size", 64, "--seq-len", 6400, "--links", 1, "--rate", 1)).out
        table = text.partition("  estimate ")[2]
        self.assertIn("(of 64 ranks: the first, one that is done first, and one that is done last)", table)
        self.assertLess(table.partition("  slowest")[0].count("\n"), 6)

    def test_the_rate_of_a_measured_rank(self):
        path = self.directory / "points.json"
        shape = ["--seq-len", 64, "--heads", 2, "--head-dim", 8]
        measured = self.points_of(*shape, "--pass", "fwd,fwd+bwd", ranks=1)
        rates = {point["case"]["pass"]: point["throughput"]["tflops_per_rank"] for point in measured}
        plan = [*shape, "--cp-size", 2, "--links", 1, "--rate"]
        of_number = lambda number, *more: self.slowest(*plan, number, *more)
        self.assertEqual(self.slowest(*plan, path, "--pass", "fwd"), of_number(rates["fwd"], "--pass", "fwd"))
        self.assertEqual(self.slowest(*plan, path), of_number(f"fwd={rates['fwd']},bwd={rates['fwd+bwd']}"))
        refuse = lambda *more: self.expect_refused(cpbench("plan", *plan, path, *more), 2, f"--rate {path}", "measure it")
        refuse("--dtype", "fp32")
        refuse("--mask", "window:5")
        refuse("--head-dim-v", 16)
        refuse("--pass", "bwd")
        self.points_of(*shape, "--pass", "fwd", "--shard", "contiguous", "--layout", "bshd,sbhd", ranks=1)
        self.expect_refused(cpbench("plan", *plan, path, "--pass", "fwd"), 2, "0-ring-cp1, 1-ring-cp1", "nothing says which")
        self.points_of(*shape, "--pass", "fwd", ranks=1)
        refuse("--pass", "fwd", "--dtype", "bf16,fp32")
        document = json.loads(path.read_text())
        for axis, value in (("cp_size", "1"), ("pass", None), ("mask", 7)):
            case = document["points"][0]["case"]
            path.write_text(json.dumps({**document, "points": [{**document["points"][0], "case": {**case, axis: value}}]}))
            refuse("--pass", "fwd")


class Files(ProgramTest):
    def setUp(self):
        super().setUp()
        self.path = self.directory / "plan.json"

    def plan(self, *arguments, code=0):
        run = cpbench("plan", *arguments, "--json", self.path)
        self.assertEqual(run.code, code, str(run))
        return run.out, read_json(self.path)

    def test_has_the_figures_that_are_printed(self):
        shape = ["--algo", "hybrid", "--cp-size", 8, "--ulysses-degree", 2, "--seq-len", 1003, "--ranks-per-node", 4]
        text, document = self.plan(*shape, "--links", "inner=10:1,outer=1", "--rate", "fwd=2,bwd=1", "--memory-bandwidth", 100)
        (point,) = document["points"]
        self.assertEqual((point["id"], point["status"], document["exit_code"]), ("0-hybrid-cp8", "ok", 0))
        self.assertEqual((document["ranks_per_node"], document["backend"], document.get("available_bytes")), (4, "cpu", None))
        self.assertEqual(document["command"]["argv"][1:3], ["plan", "--algo"])
        self.assertEqual((point["case"]["ulysses_degree"], point["case"]["seq_len"]), (2, 1003))
        self.assertEqual(len(point["ranks"]), 8)
        self.assertEqual(sum(rank["tokens"] for rank in point["ranks"]), 2 * 1003 / 2)
        self.assertEqual(sum(rank["flops"] for rank in point["ranks"]), point["flops"])
        self.assertEqual(max(rank["memory_bytes"] for rank in point["ranks"]), point["peak_memory_bytes"])
        for number, rank in enumerate(point["ranks"]):
            cells = re.search(rf"^  {number}  .*$", text, re.MULTILINE).group().split()
            sent = rank["bytes_sent"]
            self.assertEqual(int(cells[1]), rank["tokens"])
            self.assertAlmostEqual(float(cells[2]) / rank["flops"], 1, 3)
            printed = [float(value) * UNITS[unit] for value, unit in zip(cells[3:13:2], cells[4:13:2])]
            for value, key in zip(printed, ("inner", "outer", "all-to-all", "within_node", "between_nodes")):
                self.assertAlmostEqual(value, sent[key], delta=0.01 * 2**10 + 0.01 * value)
            self.assertEqual(sent["inner"] + sent["outer"] + sent["all-to-all"], sent["within_node"] + sent["between_nodes"])
            self.assertEqual(int(cells[13]), rank["messages"])
        slowest = [float(cell) for cell in re.search(r"^  slowest (.*)$", text, re.MULTILINE).group(1).split()]
        estimate = point["estimate"]
        for printed, key in zip(slowest, ("full_s", "compute_only_s", "comm_only_s", "exposed_s")):
            self.assertAlmostEqual(printed, estimate[key] * 1e3, 3)
        self.assertEqual(estimate["full_s"], max(rank["estimate"]["full_s"] for rank in point["ranks"]))
        self.assertAlmostEqual(estimate["tflops_per_rank"], point["flops"] / 8 / estimate["full_s"] / 1e12)
        machine = {"links": "inner=10:1,outer=1", "forward_tflops": 2, "backward_tflops": 1, "memory_bandwidth": 100}
        self.assertEqual(estimate["machine"], machine)

    def test_has_no_rate_of_a_pass_that_a_point_has_not(self):
        shape = ["--seq-len", 64, "--heads", 2, "--head-dim", 8, "--pass", "fwd"]
        (measured,) = self.points_of(*shape, ranks=1)
        _, document = self.plan(*shape, "--cp-size", 2, "--links", 1, "--rate", self.directory / "points.json")
        machine = document["points"][0]["estimate"]["machine"]
        self.assertAlmostEqual(machine["forward_tflops"] / measured["throughput"]["tflops_per_rank"], 1, 9)
        self.assertIsNone(machine["backward_tflops"])
        self.assertEqual(self.schema_faults_of(document), "")

    def test_conform_to_the_schema(self):
        sweep = ["--algo", "ring,ulysses", "--cp-size", "1,3,100000", "--seq-len", 300]
        text, document = self.plan(*sweep, "--links", 1, "--rate", 1, code=5)
        self.assertEqual([point["status"] for point in document["points"]], ["ok", "ok", "failed", "ok", "skipped", "skipped"])
        self.assertEqual(document["exit_code"], 5)
        for point in document["points"]:
            self.assertEqual("estimate" in point, point["status"] == "ok")
            self.assertEqual("reason" in point, point["status"] != "ok")
            if "reason" in point:
                self.assertIn(point["reason"], text)
        self.assertEqual(self.schema_faults_of(document), "")
        self.path.unlink()
        without = self.plan(*sweep, "--memory", 2, code=5)[1]
        self.assertEqual(self.schema_faults_of(without), "")
        self.assertEqual(without["available_bytes"], 2 * 2**30)
        self.assertNotIn("estimate", json.dumps(without["points"]))

        ok, failed = (lambda d: d["points"][0]), (lambda d: d["points"][2])
        mutations = {
            "an unknown key": lambda d: d.update(colour="red"),
            "another version": lambda d: d["schema"].update(version=2),
            "an ok point without ranks": lambda d: ok(d).pop("ranks"),
            "an ok point with faults": lambda d: ok(d).update(faults=["deadlock"]),
            "an invalid point without faults": lambda d: ok(d).update(status="invalid"),
            "an invalid point with an estimate": lambda d: ok(d).update(status="invalid", faults=["deadlock"]),
            "a failed point without reason": lambda d: failed(d).pop("reason"),
            "a failed point with ranks": lambda d: failed(d).update(ranks=ok(d)["ranks"]),
            "a negative time": lambda d: ok(d)["estimate"].update(full_s=-1),
            "a rank without memory": lambda d: ok(d)["ranks"][0].pop("memory_bytes"),
            "bytes of an unknown link": lambda d: ok(d)["ranks"][0]["bytes_sent"].update(middle=1),
            "an exit code that plan has not": lambda d: d.update(exit_code=124),
        }
        for what, mutate in mutations.items():
            with self.subTest(what):
                mutated = copy.deepcopy(document)
                mutate(mutated)
                self.assertNotEqual(self.schema_faults_of(mutated), "")

    def test_of_a_config_names_it(self):
        config = self.config({"include": [{"cp_size": 2, "seq_len": 64}]})
        command = self.plan("--config", config)[1]["command"]
        self.assertEqual(command["config"], str(config))
        self.assertRegex(command["sha256"], "^[0-9a-f]{64}$")

    def test_are_not_overwritten_silently(self):
        self.plan("--cp-size", 2, "--seq-len", 64)
        before = self.path.read_text()
        run = cpbench("plan", "--cp-size", 3, "--seq-len", 64, "-J", self.path)
        self.expect_refused(run, 2, self.path, "exists already", "--overwrite")
        self.assertEqual((run.out, self.path.read_text()), ("", before))
        self.expect_ok(cpbench("plan", "--cp-size", 3, "--seq-len", 64, "-J", self.path, "--overwrite"))
        self.assertEqual(read_json(self.path)["points"][0]["case"]["cp_size"], 3)
        missing = self.directory / "missing" / "plan.json"
        self.expect_refused(cpbench("plan", "--cp-size", 2, "--seq-len", 64, "-J", missing), 2, missing, "its directory must exist")
        self.expect_refused(cpbench("plan", "--cp-size", 2, "--seq-len", 64, "-J", ""), 2, "-J")

    def test_do_not_replace_results(self):
        line = ["--seq-len", 64, "--heads", 2, "--head-dim", 8, "--json", self.path, "--overwrite"]
        self.expect_ok(cpbench("run", "--iterations", 1, "--warmup", 0, *line, ranks=1))
        before = self.path.read_text()
        self.expect_refused(cpbench("plan", *line), 2, f"--json {self.path}: this is a result file")
        self.assertEqual(self.path.read_text(), before)

    def test_are_no_results(self):
        self.plan("--cp-size", 2, "--seq-len", 64)
        self.expect_refused(cpbench("compare", self.path, self.path), 2, "is a plan, not results of run")


if __name__ == "__main__":
    unittest.main()
