"""What the figures of gpu_check.py must reach: on any device not less than cuDNN's kernels in the same run, on an H200 more than that."""

# cpbench's time includes that the host launches the work and sees its end, 10 to 20 us, and PyTorch's lies between events of a stream that
# is kept full: of what is shorter the difference would judge the launch.
COMPARABLE_S = 1e-3

H200_TFLOPS = {("fwd", "causal"): 670, ("fwd", "full"): 700, ("bwd", "causal"): 580, ("bwd", "full"): 610}  # bf16
H200_SHAPE = {"head_dim": 128, "seq_len": 16384}
H200_COST_OF_CONTINUING = 0.03


def is_comparable(row):
    """With PyTorch's figures."""
    return row["flops"] / (row["tflops"] * 1e12) > COMPARABLE_S


def targets_of(device, row):
    """What this shape must reach at least, in TFLOP/s, and by whose word."""
    if row.get("cudnn_tflops") is not None and is_comparable(row):
        yield row["cudnn_tflops"], "cuDNN in the same run"
    if "H200" in device and all(row[axis] == value for axis, value in H200_SHAPE.items()):
        yield H200_TFLOPS[row["pass"], row["mask"]], "the target on an H200"


def judge(device, figures):
    """The figures that are not good enough, each a line; nothing is said of what was not measured."""
    short = []
    for row in figures.get("throughput", []):
        for least, whose in targets_of(device, row):
            if row["tflops"] < least:
                shape = f"{row['pass']} {row['mask']} d {row['head_dim']}, {row['seq_len']} tokens"
                short.append(f"{shape}: {row['tflops']:.1f} TFLOP/s are less than {least:.1f}, {whose}")
    cost = figures.get("continuing", {}).get("cost")
    if "H200" in device and cost is not None and cost > H200_COST_OF_CONTINUING:
        short.append(f"continuing costs {100 * cost:.2f}%, more than {100 * H200_COST_OF_CONTINUING:.0f}%, the target on an H200")
    return short
