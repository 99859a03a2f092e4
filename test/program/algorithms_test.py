"""Every algorithm on real ranks, each point validated against fp64: many points per launch, as launches are what costs."""

import unittest

from program import ROOT, TINY, ProgramTest, cpbench

ALGORITHMS = ["ulysses", "ring", "double-ring", "hybrid", "all-gather"]
SMALL = {"seq_len": 127, "heads": 6, "kv_heads": 2, "head_dim": 16, "dtype": "fp32"}


def tensors_of(point):
    return ("out", "lse") if point["case"]["pass"] == "fwd" else ("out", "lse", "dq", "dk", "dv")


class Algorithms(ProgramTest):
    def expect_validated(self, ranks, content, count):
        points = self.points_of("--config", self.config(content), "--check", "full", ranks=ranks)
        self.assertEqual(len(points), count, [point["case"] for point in points])
        self.expect_all_validated(points)
        return points

    def test_every_algorithm_at_every_rank_count(self):
        """A prime length, fewer K/V heads than ranks, and heads that some degrees do not divide."""
        for ranks in (2, 3, 6, 8):
            with self.subTest(ranks=ranks):
                points = self.expect_validated(
                    ranks,
                    {
                        "defaults": {**SMALL, "uneven_heads": True, "heads": 8, "kv_heads": 2},
                        "matrix": {"algo": ALGORITHMS, "overlap": ["on", "off"]},
                    },
                    10,
                )
                self.assertEqual([p["case"]["algo"] for p in points[::2]], ALGORITHMS)
                self.assertEqual({p["case"]["cp_size"] for p in points}, {ranks})

    def test_one_rank_without_a_launcher(self):
        points = self.expect_validated(None, {"defaults": SMALL, "matrix": {"algo": ALGORITHMS}}, len(ALGORITHMS))
        for point in points:
            self.assertEqual(point["case"]["cp_size"], 1)
            self.assertEqual(point["comm"]["bytes_sent_per_rank"], 0)

    def test_hybrid_of_three_levels_with_documents(self):
        points = self.expect_validated(
            8,
            {
                "defaults": {**SMALL, "algo": "hybrid", "ulysses_degree": 2, "window_size": 2, "heads": 4},
                "matrix": {
                    "docs": [[50, 1, 70, 6]],
                    "shard": ["contiguous", "zigzag", "striped", "zigzag-docs"],
                    "rank_order": ["ulysses-inner", "ring-inner"],
                },
            },
            8,
        )
        for point in points:
            case = point["case"]
            self.assertEqual((case["ulysses_degree"], case["window_size"], case["cp_size"]), (2, 2, 8))

    def test_double_ring_of_odd_sizes(self):
        arguments = (
            "--algo double-ring --window-size 3 --seq-len 1009 --heads 6 --kv-heads 2 --head-dim 72 "
            "--mask window:100 --dtype bf16 --pass fwd+bwd --check full"
        )
        points = self.points_of(*arguments.split(), ranks=6)
        self.expect_all_validated(points)
        self.assertEqual(points[0]["case"]["window_size"], 3)
        self.assertEqual(points[0]["case"]["mask"], "window:100:0")

    def test_lengths_shorter_than_the_ranks(self):
        self.expect_validated(
            6, {"defaults": {**SMALL, "heads": 6}, "matrix": {"algo": ALGORITHMS, "seq_len": [1, 2, 5]}}, 15
        )

    def test_layouts_types_shapes_and_masks(self):
        self.expect_validated(
            4,
            {
                "defaults": {**SMALL, "algo": "ring", "heads": 4, "head_dim_v": 8, "batch": 2},
                "matrix": {"layout": ["bshd", "sbhd", "bhsd", "thd"], "dtype": ["fp32", "bf16", "fp16"]},
                "include": [
                    {"mask": "full", "sink": True},
                    {"mask": "window:20:10", "shard": "striped", "prune": "off"},
                    {"mask": "causal", "docs": "pile", "seq_len": 600, "shard": "zigzag-docs"},
                    {"algo": "all-gather", "sink": True, "layout": "thd"},
                    {"algo": "ulysses", "sink": True, "heads": 5, "kv_heads": 1, "uneven_heads": True},
                    {"accumulate": "merge", "dtype": "bf16"},
                    {"algo": "ulysses", "tensor_parallel": 2, "heads": 8, "kv_heads": 2},
                    {"scale": 0.5},
                ],
            },
            20,
        )

    def test_passes(self):
        points = self.points_of("--algo", "ring,ulysses", "--pass", "fwd,bwd", "--heads", 2, "--head-dim", 8,
                                "--seq-len", 61, ranks=2)
        for point in points:
            self.expect_all_validated([point], tensors_of(point))

    def test_sizes_smaller_than_the_job(self):
        """Ranks beyond cp_size wait, for sizes that grow and shrink."""
        points = self.expect_validated(
            5,
            {"defaults": SMALL, "matrix": {"cp_size": [1, 4, 2, 5, 3], "algo": ["ring", "all-gather"]}},
            10,
        )
        self.assertEqual([p["case"]["cp_size"] for p in points], [1, 4, 2, 5, 3] * 2)

    def test_adversarial_inputs(self):
        """Scores that are large, equal, or far apart must not look like a wrong kernel."""
        for kind in ("outlier", "large-logits", "constant"):
            with self.subTest(kind):
                arguments = "--seq-len 1,9,100,400 --heads 4 --kv-heads 1 --head-dim 128 --dtype fp32,bf16,fp16"
                points = self.points_of(*arguments.split(), "--input", kind, ranks=3)
                self.expect_all_validated(points)
                self.assertEqual({point["case"]["input"] for point in points}, {kind})
        self.expect_all_validated(self.points_of("--seq-len", 200, "--scale", "1,10,1000", "--dtype", "fp32", ranks=2))

    def test_a_sample_is_never_more_than_there_is(self):
        for rows in (10**9, 2**63 - 1):
            self.expect_all_validated(self.points_of("--seq-len", 64, *TINY, "--check", f"sample:{rows}", ranks=3))

    def test_communication_alone_takes_as_long_as_its_link(self):
        """The link delays every message by 20 ms, and computing takes next to nothing."""
        (point,) = self.points_of("--seq-len", 64, *TINY, "--emulate-link", "10:20000", "--pass", "fwd", ranks=2)
        self.assertGreaterEqual(point["timing"]["comm_only"]["median_s"], 0.02)
        self.assertGreaterEqual(point["timing"]["full"]["median_s"], 0.02)

    def test_bytes_sent_are_those_of_the_busiest_rank(self):
        """Causal blocks in order: the last rank's are needed by nobody else, so it sends nothing."""
        shape = ["--seq-len", 90, *TINY, "--shard", "contiguous", "--pass", "fwd", "--dtype", "fp32"]
        (point,) = self.points_of(*shape, ranks=3)
        block = 30 * 2 * (8 + 8) * 4
        self.assertEqual(point["comm"]["bytes_sent_per_rank"], 2 * block)

    def test_shipped_configs(self):
        ranks_of = {"bench": 4, "cp-window-sweep": 4, "kernels": 4, "llama2-32k-windows": 16, "overlap": 2,
                    "slow-outer-link": 8, "smoke": 4, "usp-table": 8}  # fmt: skip
        # Of windows, sizes, degrees and documents that do not fit.
        skipped_of = {"cp-window-sweep": 11, "kernels": 2, "usp-table": 6}
        configs = {path.stem for path in (ROOT / "configs").glob("*.json")}
        shipped = {name for name in configs if name != "models" and not name.startswith("gpu-")}  # those are gpu-check's
        self.assertEqual(set(ranks_of), shipped)
        for config, ranks in ranks_of.items():
            with self.subTest(config):
                smaller = ["--seq-len", "64"] if config != "smoke" else []
                points = self.points_of("--config", f"{config}.json", *smaller, "--head-dim", "8", ranks=ranks)
                skipped = [point for point in points if point["status"] == "skipped"]
                self.assertEqual(len(skipped), skipped_of.get(config, 0))
                for point in points:
                    if point in skipped:
                        self.assertTrue(point["reason"])
                    else:
                        self.expect_all_validated([point], tensors_of(point))

    def test_the_check_alone(self):
        run = self.expect_ok(cpbench("validate", "--seq-len", 50, "--algo", "ring,all-gather", ranks=2))
        self.assertEqual(run.out.count(": ok"), 2)
        self.assertIn("dv", run.out)


class ManyRanks(ProgramTest):
    """More ranks than cores."""

    def run_on(self, ranks, *points):
        defaults = {"seq_len": 131, "heads": ranks, "kv_heads": 2, "head_dim": 8}
        content = {"defaults": defaults, "include": list(points)}
        self.expect_all_validated(self.points_of("--config", self.config(content), ranks=ranks))

    def test_16(self):
        self.run_on(
            16,
            {"algo": "ring"},
            {"algo": "double-ring", "window_size": 8},
            {"algo": "ulysses"},
            {"algo": "all-gather"},
            {"algo": "hybrid", "ulysses_degree": 4, "window_size": 2, "mask": "window:40"},
        )

    def test_32(self):
        self.run_on(32, {"algo": "ulysses"}, {"algo": "double-ring", "window_size": 4}, {"algo": "all-gather"})

    def test_64(self):
        self.run_on(64, {"algo": "ring"}, {"algo": "hybrid", "ulysses_degree": 4, "window_size": 2})


if __name__ == "__main__":
    unittest.main()
