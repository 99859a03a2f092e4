"""Launch lines of MindSpeed, Megatron and long-context-attention run, and mean here what they mean there."""

import unittest

from program import ProgramTest

# Flags of a training job that mean nothing to its attention.
TRAINING = (
    "--num-layers 2 --hidden-size 64 --ffn-hidden-size 128 --max-position-embeddings 256 --global-batch-size 8 "
    "--tokenizer-type Llama2Tokenizer --lr 1.25e-6 --train-iters 10 --use-flash-attn --use-fused-rmsnorm --swiglu "
    "--sequence-parallel --use-distributed-optimizer --no-gradient-accumulation-fusion --attention-dropout 0.0"
)
MODEL = "--seq-length 64 --num-attention-heads 8 --micro-batch-size 2 --tensor-model-parallel-size 2 --bf16"


class LaunchLines(ProgramTest):
    def expect_case(self, line, ranks, **expected):
        """Runs the line, and returns its point."""
        (point,) = self.points_of(*line.split(), ranks=ranks)
        self.expect_all_validated([point], ("out", "lse") if "--fwd_only" in line else ("out", "lse", "dq", "dk", "dv"))
        self.assertEqual({axis: point["case"][axis] for axis in expected}, expected, line)
        return point

    def test_mindspeed(self):
        common = {
            "seq_len": 64, "heads": 8, "kv_heads": 4, "head_dim": 8, "batch": 2, "dtype": "bf16", "mask": "causal",
            "tensor_parallel": 2,
        }  # fmt: skip
        line = f"{TRAINING} {MODEL} --group-query-attention --num-query-groups 4 --context-parallel-size 4 "
        self.expect_case(
            line + "--context-parallel-algo megatron_cp_algo --cp-window-size 2 --use-cp-send-recv-overlap",
            4, algo="double-ring", window_size=2, overlap="on", layout="sbhd", shard="zigzag", **common,
        )  # fmt: skip
        self.expect_case(
            line + "--context-parallel-algo hybrid_cp_algo --ulysses-degree-in-cp 2 --megatron-cp-in-bnsd",
            4, algo="hybrid", ulysses_degree=2, overlap="off", layout="bhsd", **common,
        )  # fmt: skip
        point = self.expect_case(line + "--context-parallel-algo ulysses_cp_algo", 4, algo="ulysses", **common)
        pairs, batch, heads = 64 * 65 // 2, 2, 8 // 2
        self.assertEqual(point["throughput"]["flops"], pairs * batch * heads * (4 + 10) * 8)

    def test_mindspeed_full_mask(self):
        self.expect_case(
            f"{TRAINING} {MODEL} --context-parallel-size 2 --context-parallel-algo megatron_cp_algo "
            "--attention-mask-type general",
            2, algo="ring", mask="full", shard="contiguous", cp_size=2,
        )  # fmt: skip

    def test_megatron_core(self):
        line = f"{TRAINING} {MODEL} --kv-channels 8 --context-parallel-size 4 --cp-comm-type "
        self.expect_case(line + "p2p", 4, algo="ring", overlap="on", head_dim=8)
        self.expect_case(line + "all_gather", 4, algo="all-gather", shard="zigzag")
        self.expect_case(line + "a2a", 4, algo="ulysses")
        self.expect_case(
            line + "a2a+p2p --hierarchical-context-parallel-sizes 2 2", 4, algo="hybrid", ulysses_degree=2
        )

    def test_long_context_attention(self):
        line = "--nheads 4 --group_num 2 --head_size 8 --seq_len 64 --batch_size 1 "
        self.expect_case(
            line + "--ring_impl_type zigzag --ulysses_degree 2 --use_qkvpack",
            4, algo="hybrid", ulysses_degree=2, shard="zigzag", seq_len=64, heads=4, kv_heads=2, dtype="fp16",
        )  # fmt: skip
        self.expect_case(
            line + "--ring_impl_type strip --ulysses_degree 1 --fwd_only --no_causal",
            4, algo="ring", shard="striped", mask="full", **{"pass": "fwd"},
        )  # fmt: skip
        self.expect_case(line + "--ring_impl_type basic", 4, algo="ring", shard="contiguous", mask="causal")


if __name__ == "__main__":
    unittest.main()
