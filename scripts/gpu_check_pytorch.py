#!/usr/bin/env python3
"""gpu_check_pytorch.py CASES.json TIMES.jsonl SECONDS: times PyTorch's attention on the GPU, with cuDNN's kernels and with
FlashAttention's, on the shapes of gpu_check.py, and writes a line with its versions and one for each shape: TFLOP/s of both, null where
a kernel does not take it. For shapes that SECONDS do not allow there is no line.

Leaves with 77 where there is no PyTorch that has a GPU. A sample is an iteration between two events of the stream, the figure that of
the median, of as many iterations as cpbench has, and after as many, but where they take long: the time is for all shapes.
"""

import json
import pathlib
import statistics
import sys
import time

START = time.monotonic()
WARMUP, ITERATIONS = 5, 20
LONG_S, LEAST_ITERATIONS = 0.4, 5  # of warming up, and again of what is measured
SLOWER, LOADING_S = 2, 0.5  # than cpbench, and before the first iteration: what its time is reckoned with
NOTHING_TO_COMPARE = 77

try:
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    BACKENDS = {"cudnn_tflops": SDPBackend.CUDNN_ATTENTION, "flash_tflops": SDPBackend.FLASH_ATTENTION}
except (ImportError, AttributeError) as missing:  # before 2.5 it had no cuDNN there
    print(f"there is no PyTorch to compare with: {missing}")
    sys.exit(NOTHING_TO_COMPARE)


def seconds_each(count, work):
    marks = []
    for _ in range(count):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work()
        end.record()
        marks.append((begin, end))
    torch.cuda.synchronize()
    return [begin.elapsed_time(end) * 1e-3 for begin, end in marks]


def median_seconds(work):
    first = seconds_each(2, work)
    fitting = int(LONG_S / min(first))
    seconds_each(min(WARMUP - len(first), fitting), work)
    return statistics.median(seconds_each(min(ITERATIONS, max(LEAST_ITERATIONS, fitting)), work))


def seconds_of(case):
    """In the layout of the program, [batch, tokens, heads, head_dim], which scaled_dot_product_attention sees transposed."""
    shape = (1, case["seq_len"], case["heads"], case["head_dim"])
    q, k, v, dout = (torch.randn(shape, device="cuda", dtype=torch.bfloat16).transpose(1, 2) for _ in range(4))
    attend = lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=case["mask"] == "causal")
    if case["pass"] == "fwd":
        with torch.no_grad():
            return median_seconds(attend)
    inputs = [tensor.requires_grad_() for tensor in (q, k, v)]
    out = attend()
    return median_seconds(lambda: torch.autograd.grad(out, inputs, dout, retain_graph=True))


def tflops_of(case, backend):
    try:
        with sdpa_kernel(backend):
            return case["flops"] / seconds_of(case) * 1e-12
    except RuntimeError as refused:  # a kernel that does not take the shape, or a GPU that the kernel does not know
        print(f"{case}: {backend}: {refused}")
        return None


def takes_s(case):
    """At most, with both kernels."""
    iteration_s = SLOWER * case["flops"] / (case["tflops"] * 1e12)
    iterations_s = min((WARMUP + ITERATIONS) * iteration_s, max(2 * LONG_S, (2 + LEAST_ITERATIONS) * iteration_s))
    return len(BACKENDS) * (LOADING_S + iterations_s)


def main():
    if not torch.cuda.is_available():
        print("PyTorch sees no GPU")
        sys.exit(NOTHING_TO_COMPARE)
    torch.manual_seed(1)
    cases = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    versions = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    with open(sys.argv[2], "w", encoding="utf-8") as out:
        print(json.dumps(versions), file=out)
        for case in cases:
            if time.monotonic() - START + takes_s(case) > float(sys.argv[3]):
                break
            print(json.dumps({name: tflops_of(case, backend) for name, backend in BACKENDS.items()}), file=out, flush=True)


if __name__ == "__main__":
    main()
