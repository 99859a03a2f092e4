#!/usr/bin/env python3
"""Times PyTorch's attention on this CPU beside cpbench's, in one run: the two take turns, and the best of each counts.

    python3 -m venv .venv && .venv/bin/pip install torch numpy       # needed by this script alone
    .venv/bin/python scripts/compare_pytorch.py                      # one process: scaled_dot_product_attention
    .venv/bin/python scripts/compare_pytorch.py --ring               # rings of 2 and 8 ranks: PyTorch's ring attention over gloo

A ratio above 1 means that cpbench is faster. Both attend the same shapes in the same dtype on the same number of threads; of a
causal mask PyTorch's ring balances the load with its own zigzag, cpbench with its. ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 keeps PyTorch
from the matrix unit (AMX) of CPUs that have one.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
PASSES = ("fwd", "bwd")


def parse_arguments():
    words = lambda text: text.split(",")
    numbers = lambda text: [int(word) for word in text.split(",")]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=ROOT / "build" / "cpbench", type=pathlib.Path)
    parser.add_argument("--tokens", type=int, default=4096, help="of the sequence")
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--head-dim", type=int, default=128)
    parser.add_argument("--dtype", type=words, default=["fp32", "bf16"])
    parser.add_argument("--mask", type=words, default=["full", "causal"])
    parser.add_argument("--threads", type=numbers, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=4, help="turns that each of the two takes")
    parser.add_argument("--iterations", type=int, default=3, help="of a turn, after one to warm up")
    parser.add_argument("--ring", action="store_true", help="ranks instead of threads")
    parser.add_argument("--ring-sizes", default="2x4096,8x512", help="RANKSxTOKENS of a rank, ...")
    parser.add_argument("--ring-worker", type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args()


# --- cpbench ----------------------------------------------------------------------------------------------------------


def time_cpbench(options, case, ranks, threads):
    """Best seconds of a turn."""
    with tempfile.TemporaryDirectory() as directory:
        result = pathlib.Path(directory) / "result.json"
        command = [options.program, "run", "--algo", "ring", "--cp-size", ranks, "--threads", threads]
        command += ["--seq-len", case["tokens"], "--heads", options.heads, "--head-dim", options.head_dim]
        command += ["--dtype", case["dtype"], "--mask", case["mask"], "--pass", case["pass"]]
        command += ["--iterations", options.iterations, "--warmup", 1, "--check", "off", "--json", result]
        if ranks > 1:
            command = [ROOT / "scripts" / "launch.sh", ranks, *command]
        subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        (point,) = json.loads(result.read_text())["points"]
        return point["timing"]["full"]["min_s"]


# --- PyTorch, one process ---------------------------------------------------------------------------------------------


def random_tensors(options, tokens, dtype):
    import torch

    torch.manual_seed(1)
    shape = (1, options.heads, tokens, options.head_dim)
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    return [torch.randn(shape).to(kind) for _ in range(4)]  # q, k, v, dout


def best_time(iterations, work):
    best = float("inf")
    for _ in range(iterations + 1):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def time_sdpa(options, case, threads):
    import torch

    torch.set_num_threads(threads)
    q, k, v, dout = random_tensors(options, case["tokens"], case["dtype"])
    attend = lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=case["mask"] == "causal")
    if case["pass"] == "fwd":
        with torch.no_grad():
            return best_time(options.iterations, attend)
    inputs = [tensor.requires_grad_() for tensor in (q, k, v)]
    out = attend()
    return best_time(options.iterations, lambda: torch.autograd.grad(out, inputs, dout, retain_graph=True))


# --- PyTorch, a ring --------------------------------------------------------------------------------------------------


def ring_worker(options, case):
    """Runs under torchrun, once per rank, and prints the best seconds of the slowest rank."""
    import torch
    import torch.distributed as dist
    from torch.distributed.tensor.experimental._context_parallel import _attention as cp

    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    causal = case["mask"] == "causal"
    cp._cp_options.enable_load_balance = causal
    cp.set_rotate_method(case["rotation"])
    aten, group = torch.ops.aten, dist.group.WORLD
    q, k, v, dout = random_tensors(options, case["tokens"] // dist.get_world_size(), case["dtype"])

    def forward():
        return cp._templated_ring_attention(
            group, 2, aten._scaled_dot_product_flash_attention_for_cpu, q, k, v, is_causal=causal, dropout_p=0.0
        )

    def backward(out, lse):
        backward_op = aten._scaled_dot_product_flash_attention_for_cpu_backward
        cp._templated_ring_attention_backward(
            group, 2, backward_op, dout, "grad_out", q, k, v, out, lse, is_causal=causal, dropout_p=0.0
        )

    def from_barrier(work):
        dist.barrier()
        start = time.perf_counter()
        work()
        slowest = torch.tensor(time.perf_counter() - start, dtype=torch.float64)
        dist.all_reduce(slowest, dist.ReduceOp.MAX)
        return slowest.item()

    with torch.no_grad():
        work = forward
        if case["pass"] == "bwd":
            out, lse = forward()[:2]
            work = lambda: backward(out.to(q.dtype), lse)
        best = min([from_barrier(work) for _ in range(options.iterations + 1)][1:])
    if dist.get_rank() == 0:
        print("seconds", best, flush=True)
    dist.barrier()
    os._exit(0)  # gloo's threads now and then abort a process that ends in order


def time_torch_ring(options, case, ranks):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", ranks, __file__]
    command += ["--ring-worker", json.dumps(case), "--heads", options.heads, "--head-dim", options.head_dim]
    command += ["--iterations", options.iterations]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    run = subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True, env=environment
    )
    return next(float(line.split()[1]) for line in run.stdout.splitlines() if line.startswith("seconds"))


# --- Side by side -----------------------------------------------------------------------------------------------------


def flops_of(options, case):
    pairs = case["tokens"] ** 2 if case["mask"] == "full" else case["tokens"] * (case["tokens"] + 1) / 2
    return {"fwd": 4, "bwd": 10}[case["pass"]] * pairs * options.heads * options.head_dim


def compare(options, label, case, ranks, ours, theirs):
    """`ours` and `theirs`, a list, return the seconds of a turn; the best of theirs is what counts."""
    best_ours, best_theirs = float("inf"), float("inf")
    for _ in range(options.rounds):
        best_ours = min(best_ours, ours())
        best_theirs = min([best_theirs] + [time_theirs() for time_theirs in theirs])
    rate = flops_of(options, case) / ranks * 1e-9
    print(
        f"{label:<32}{case['dtype']:<6}{case['mask']:<8}{case['pass']:<5}{best_ours * 1e3:>12.2f}{rate / best_ours:>10.1f}"
        f"{best_theirs * 1e3:>12.2f}{rate / best_theirs:>10.1f}{best_theirs / best_ours:>8.2f}",
        flush=True,
    )


def cases_of(options, tokens):
    for dtype in options.dtype:
        for mask in options.mask:
            for direction in PASSES:
                yield {"tokens": tokens, "dtype": dtype, "mask": mask, "pass": direction}


def main():
    options = parse_arguments()
    if options.ring_worker:
        ring_worker(options, options.ring_worker)
        return
    import torch

    print(f"# PyTorch {torch.__version__} ({torch.backends.cpu.get_cpu_capability()}) beside {options.program}")
    print(f"# {options.heads} heads, head_dim {options.head_dim}; best of {options.rounds} turns of {options.iterations}")
    print(f"{'':<51}{'cpbench ms':>12}{'GFLOP/s':>10}{'PyTorch ms':>12}{'GFLOP/s':>10}{'ratio':>8}")
    if not options.ring:
        for threads in options.threads:
            for case in cases_of(options, options.tokens):
                compare(
                    options, f"{threads} thread{'s' * (threads > 1)}", case, 1,
                    lambda: time_cpbench(options, case, 1, threads), [lambda: time_sdpa(options, case, threads)],
                )
        return
    for size in options.ring_sizes.split(","):
        ranks, tokens = map(int, size.split("x"))
        for case in cases_of(options, ranks * tokens):
            rotations = [{**case, "rotation": rotation} for rotation in ("alltoall", "allgather")]
            compare(
                options, f"ring of {ranks}, {tokens} tokens each", case, ranks,
                lambda: time_cpbench(options, case, ranks, 1),
                [lambda rotated=rotated: time_torch_ring(options, rotated, ranks) for rotated in rotations],
            )


if __name__ == "__main__":
    main()
