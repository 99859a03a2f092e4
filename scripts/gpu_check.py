#!/usr/bin/env python3
"""Checks and measures cpbench on one GPU, in under 8 minutes and without a network: `make gpu-check`, docs/gpu.md.

    scripts/gpu_check.py [--program build-cuda/cpbench] [--output results/gpu-check] [--stages kernels,throughput]

Prints one line for each stage. What the machine does not have (compute-sanitizer, PyTorch, an NCCL that lets ranks share a GPU) is said
and does not fail. Leaves with 1 where a stage failed, and with 3 where all is right and a figure below its target. The directory then holds gpu-check.json, which has every outcome, and the
result file and the log of each stage. Python's standard library is all that it needs.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import time
import traceback

from gpu_check_pace import ITERATIONS, Pace, warmup_of
from gpu_check_program import ROOT, Check, Failed, Skipped, complaint_in, content_of, counted, execute, forget, is_right, named
from gpu_check_program import program_environment, run, worst_error
from gpu_check_targets import is_comparable, judge

TOTAL_S = 475
SMALL_TAKES = 10  # times the limits: --small is for GPUs that are emulated, on machines that do other things too
NOTHING_TO_COMPARE = 77  # exit code of gpu_check_pytorch.py
SANITIZER_FOUND = 86
# By the release notes of compute-sanitizer: what racecheck reports of mbarriers (fixed in 2025.4 and 2026.3) and of barriers of warpgroups
# on Hopper (2026.1) may be no race before. It tracks as many mbarriers as it is told of; a kernel of ours has 16 at most.
TRUSTED_SINCE, DOUBTED_KERNELS = (2026, 3), {"sm90"}
# memcheck would also count as its findings calls that fail and may: the program asks for Hopper's kernels on every GPU, and the runtime asks
# the driver for functions that only a later one has. What else fails the program says itself.
SANITIZER_OPTIONS = {"memcheck": ["--report-api-errors", "no"], "racecheck": ["--num-cuda-barriers", 64]}
EXIT_CODES = {"passed": 0, "failed": 1, "below target": 3}

CHECKED = "--check full --iterations 1 --warmup 0 "
FEW_HEADS = "--check full --heads 2 --kv-heads 1 "
TINY = FEW_HEADS + "--iterations 1 --warmup 0 "
# By config: the flags, and those of --small, which only tries the check itself. Of gpu-kernels.json a sanitizer sees each head size and
# feature once with a band and once without, which are kernels of their own: flags hold the rest fast.
ONE_EACH = "--docs none --batch 1 --layout bshd --mask causal,full "
FLAGS = {
    "gpu-kernels": (CHECKED, TINY + "--length-scale 0.03125 --dtype bf16 --mask causal"),
    "sanitized": (CHECKED + ONE_EACH + "--seq-len 200", TINY + ONE_EACH + "--seq-len 24 --head-dim 16"),
    "gpu-ranks": (CHECKED, TINY + "--length-scale 0.03 --head-dim 8 --cp-size 2"),
    "gpu-throughput": ("--check sample:16", FEW_HEADS),
    "gpu-continuing": ("--check sample:16", FEW_HEADS),
}
# Of what is measured, and of --small.
LENGTHS = {
    "gpu-throughput": ([4096, 8192, 16384, 32768, 65536], [32, 64]),
    "gpu-continuing": ([32768, 131072], [32, 64]),
}


def flags(check, what):
    full, small = FLAGS[what]
    return (small if check.small else full).split()


def lengths(check, what):
    full, small = LENGTHS[what]
    return small if check.small else full


def measure(check, name, config, limit_s):
    """The points of one length after the other. What the shorter ones took says how many iterations the time allows of the next, and what
    it does not allow is left out: check.cut names it."""
    until, pace, iterations = time.monotonic() + limit_s, None, 1 if check.small else ITERATIONS
    for length in lengths(check, config):
        forget(check, f"{name}-{length}")
    for before, length in zip([None, *lengths(check, config)], lengths(check, config)):
        start = time.monotonic()
        if pace:
            iterations = pace.iterations_in(until - start, length / before)
        if iterations is None:
            check.cut.append(f"{name} of {length} tokens or more")
            return
        if pace and iterations < pace.iterations:
            check.cut.append(f"{name} of {length} tokens to {iterations} iterations")
        counts = ["--iterations", iterations, "--warmup", warmup_of(iterations)]
        arguments = [*flags(check, config), *counts, "--seq-len", length]
        points = run(check, f"{name}-{length}", f"{config}.json", arguments, until - start)
        pace = Pace.of(points, iterations, time.monotonic() - start)
        yield points


# --- Stages: each returns what its line says, raises Failed or Skipped, and has its seconds in STAGES -------------------


def device(check, limit_s):
    """The program starts, and has a GPU."""
    log, start = check.log("device"), time.monotonic()
    code = execute([check.program, "doctor"], log, limit_s, program_environment())
    check.start_s = time.monotonic() - start
    if code != 0:
        raise Failed(f"cpbench doctor {'takes too long' if code is None else f'exits with {code}'}: {complaint_in(log)}")
    text = log.read_text(encoding="utf-8")
    found = re.search(r"^kernels of (.*), the best first: (.*)$", text, re.MULTILINE)
    if found is None:
        notes = [line for line in text.splitlines() if "GPU" in line]
        raise Failed(notes[0] if notes else "the program was built without a backend for GPUs")
    check.device, check.kernels = found[1], found[2].split()
    return f"{found[1]}, kernels {found[2]}"


def with_kernel(check, name, kernel, arguments, until, **how):
    return run(check, f"{name}-{kernel}", "gpu-kernels.json", ["--kernel", kernel, *arguments], until - time.monotonic(), **how)


def skips_what_is_refused(flag):
    """What the build or the machine does not have, the program refuses by name."""

    def judge(code, log):
        complaint = complaint_in(log)
        if code == 2 and flag in complaint:
            raise Skipped(complaint.removeprefix("cpbench: "))

    return judge


def kernels(name, *reference):
    def stage(check, limit_s):
        arguments = [*flags(check, "gpu-kernels"), *reference]
        until, judge = time.monotonic() + limit_s, skips_what_is_refused("--reference")
        points = [point for kernel in check.kernels for point in with_kernel(check, name, kernel, arguments, until, judge=judge)]
        return f"{len(points)} points right, the worst error {worst_error(points):.2f} of its tolerance"

    return stage


class Doubted(Exception):
    """A finding that may be none."""


def sanitizer_version(program):
    text = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    found = re.search(r"Version (\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def sanitizer(tool):
    def stage(check, limit_s):
        until = time.monotonic() + limit_s
        found = shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path="/usr/local/cuda/bin")
        if found is None:
            raise Skipped("there is no compute-sanitizer")
        is_doubtful = tool == "racecheck" and sanitizer_version(found) < TRUSTED_SINCE

        def points_of(kernel):
            def judge(code, log):
                if code == SANITIZER_FOUND:
                    raise Doubted() if is_doubtful and kernel in DOUBTED_KERNELS else Failed(f"{tool} found something: {log}")

            launcher = [found, "--tool", tool, *SANITIZER_OPTIONS[tool], "--target-processes", "all", "--error-exitcode", SANITIZER_FOUND]
            # Without graphs, so that it sees one kernel after the other.
            dtypes = "bf16,fp32" if kernel == check.kernels[0] and not check.small else "bf16"  # whatever is named, fp32 has one kernel
            arguments = [*flags(check, "sanitized"), "--dtype", dtypes, "--no-graphs"]
            return with_kernel(check, tool, kernel, arguments, until, launcher=launcher, judge=judge)

        points, doubted, seen = [], [], ""
        for kernel in check.kernels:
            try:
                found_right = points_of(kernel)
            except Doubted:
                doubted.append(kernel)
                seen += f"{kernel}: what it found may be none; "
            except Failed as wrong:
                raise Failed(f"{seen}{kernel}: {wrong}") from None
            else:
                points += found_right
                seen += f"{kernel}: {counted(found_right)} right{named(found_right)}; "
        clean = f"nothing found in {len(points)} points"
        if doubted:
            since = ".".join(map(str, TRUSTED_SINCE))
            logs = ", ".join(str(check.log(f"{tool}-{kernel}")) for kernel in doubted)
            raise Skipped(f"{clean}; what it found in others may be none before version {since}: {logs}")
        return clean

    return stage


def ranks(transport, **how):
    def stage(check, limit_s):
        count = 2 if check.small else 4
        launcher = [ROOT / "scripts" / "launch.sh", count]
        arguments = ["--transport", transport, "--allow-shared-gpu", *flags(check, "gpu-ranks")]
        points = run(check, f"ranks-{transport}", "gpu-ranks.json", arguments, limit_s, launcher=launcher, **how)
        return f"{len(points)} points right on {count} ranks, the worst error {worst_error(points):.2f} of its tolerance"

    return stage


def rows_of(points):
    axes = ("seq_len", "heads", "head_dim", "mask", "pass")
    return [
        {axis: point["case"][axis] for axis in axes}
        | {"flops": point["throughput"]["flops"], "tflops": point["throughput"]["tflops_per_rank"]}
        | {"fraction_of_peak": point["throughput"]["fraction_of_peak"]}
        for point in points
        if is_right(point)
    ]


def throughput(check, limit_s):
    try:
        points = [point for of_length in measure(check, "throughput", "gpu-throughput", limit_s) for point in of_length]
    finally:  # what was measured counts, also where the time was not enough for all
        results = [check.result(f"throughput-{length}") for length in lengths(check, "gpu-throughput")]
        check.figures["throughput"] = [row for result in results for row in rows_of(content_of(result)[1])]
    fastest = max(row["tflops"] for row in check.figures["throughput"])
    return f"{len(points)} points right and measured, the fastest {fastest:.4g} TFLOP/s"


def pytorch(check, limit_s):
    """The same shapes by PyTorch, right after them."""
    rows = check.figures.get("throughput")
    if not rows:
        raise Skipped("no throughput was measured to compare with")
    cases, times, log = check.result("pytorch-cases"), check.output / "pytorch.jsonl", check.log("pytorch")
    cases.write_text(json.dumps(rows), encoding="utf-8")
    times.write_text("")
    code = execute([sys.executable, ROOT / "scripts" / "gpu_check_pytorch.py", cases, times, limit_s], log, limit_s)
    cases.unlink()
    if code == NOTHING_TO_COMPARE:
        raise Skipped(complaint_in(log))
    written = [json.loads(line) for line in times.read_text(encoding="utf-8").splitlines()]
    times.unlink()
    check.figures["pytorch"] = written[0] if written else None
    for row, theirs in zip(rows, written[1:]):
        row.update(theirs)
    if code != 0:
        raise Failed(f"{'not finished in time' if code is None else f'exit code {code}'}: {complaint_in(log)}")
    measured = rows[: max(len(written) - 1, 0)]
    if len(measured) < len(rows):
        check.cut.append(f"pytorch to {len(measured)} of {len(rows)} points")
    compared = [row for row in measured if is_comparable(row)]
    slower = sum(row["tflops"] < max(row["cudnn_tflops"] or 0, row["flash_tflops"] or 0) for row in compared)
    return f"{counted(measured)} measured, PyTorch faster in {slower} of the {len(compared)} that are long enough to be compared"


def continuing(check, limit_s):
    *_, points = measure(check, "continuing", "gpu-continuing", limit_s)
    in_one, in_parts = (point["timing"]["full"]["median_s"] for point in points)
    keys = points[1]["case"]["seq_len"] // points[1]["case"]["kv_parts"]
    cost = in_parts / in_one - 1
    check.figures["continuing"] = {"keys_per_step": keys, "cost": cost}
    return f"continuing from (O, m, l) costs {100 * cost:.2f}% at {keys} keys a step"


# Seconds, and programs that start, one after the other at worst. What a start takes is not known before the first, which has time: after
# it nothing else would be checked.
STAGES = {
    "device": (device, 60, 0),
    "kernels": (kernels("kernels"), 60, 2),
    "kernels-cublas": (kernels("kernels-cublas", "--reference", "device"), 40, 2),
    "memcheck": (sanitizer("memcheck"), 30, 2),
    "racecheck": (sanitizer("racecheck"), 30, 2),
    "ranks-ipc": (ranks("ipc"), 25, 4),
    "ranks-mpi": (ranks("mpi"), 25, 4),
    "ranks-nccl": (ranks("nccl", judge=skips_what_is_refused("--transport nccl")), 25, 4),
    "throughput": (throughput, 130, 5),
    "pytorch": (pytorch, 65, 1),
    "continuing": (continuing, 30, 2),
}


# --- The check ----------------------------------------------------------------------------------------------------------


def limit(seconds, small):
    return seconds * SMALL_TAKES if small else seconds


def run_stage(check, name):
    stage, budget_s, starts = STAGES[name]
    budget_s = limit(budget_s + starts * check.start_s, check.small)
    start, cut_before = time.monotonic(), len(check.cut)
    check.log(name).unlink(missing_ok=True)
    try:
        outcome, text = "passed", stage(check, min(budget_s, check.deadline - start))
    except Skipped as missing:
        outcome, text = "skipped", str(missing)
    except Failed as wrong:
        outcome, text = "failed", str(wrong)
    except Exception as broken:  # whatever it is, the other stages and the summary are worth having
        outcome, text = "failed", f"{type(broken).__name__}: {broken}"
        with open(check.log(name), "a", encoding="utf-8") as log:
            traceback.print_exc(file=log)
    seconds = time.monotonic() - start
    if check.cut[cut_before:]:
        text += f"; cut: {', '.join(check.cut[cut_before:])}"
    print(f"{outcome:<8} {name:<14} {text} ({seconds:.1f} s)", flush=True)
    return {"stage": name, "outcome": outcome, "text": text, "seconds": round(seconds, 3), "budget_s": round(budget_s, 3)}


def gpu_state():
    """What the driver's own tool says of clocks, power and settings, as text; None where it is not there."""
    fields = "name uuid driver_version clocks.sm clocks.mem clocks.max.sm power.draw power.limit temperature.gpu ecc.mode.current"
    query = ["nvidia-smi", "--query-gpu=" + fields.replace(" ", ","), "--format=csv,noheader"]
    try:
        text = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return [dict(zip(fields.split(), line.split(", "))) for line in text.splitlines()]


def print_table(rows):
    number = lambda value, factor=1: "-" if value is None else f"{factor * value:.1f}"
    print(f"{'tokens':>8}{'d':>5} {'mask':<7}{'pass':<5}{'TFLOP/s':>9}{'% of peak':>11}{'cuDNN':>9}{'flash':>9}")
    for row in rows:
        print(
            f"{row['seq_len']:>8}{row['head_dim']:>5} {row['mask']:<7}{row['pass']:<5}{number(row['tflops']):>9}"
            f"{number(row['fraction_of_peak'], 100):>11}{number(row.get('cudnn_tflops')):>9}{number(row.get('flash_tflops')):>9}"
        )


def parse_arguments():
    carried, built = ROOT / "bin" / "cpbench", ROOT / "build-cuda" / "cpbench"  # by scripts/bundle.sh, by make cuda
    program = os.environ.get("CPBENCH_PROGRAM") or (carried if carried.exists() else built)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=pathlib.Path, default=program, help="$CPBENCH_PROGRAM, or what was carried or built")
    parser.add_argument("--output", type=pathlib.Path, default=ROOT / "results" / "gpu-check", help="a directory")
    parser.add_argument("--stages", type=lambda text: text.split(","), default=list(STAGES), help=", ".join(STAGES))
    parser.add_argument("--small", action="store_true", help="tiny shapes, to try the check itself; figures mean nothing")
    options = parser.parse_args()
    unknown = [name for name in options.stages if name not in STAGES]
    if unknown:
        parser.error(f"there is no stage {unknown[0]}: use {', '.join(STAGES)}")
    return options


def main():
    options = parse_arguments()
    options.output.mkdir(parents=True, exist_ok=True)
    started, start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), time.monotonic()
    deadline = start + limit(TOTAL_S, options.small)
    check = Check(pathlib.Path(options.program).resolve(), options.output.resolve(), options.small, deadline)
    before = gpu_state()
    outcomes = [run_stage(check, "device")]  # without it nothing else can
    if outcomes[0]["outcome"] == "passed":
        outcomes += [run_stage(check, name) for name in list(STAGES)[1:] if name in options.stages]
    if check.figures.get("throughput"):
        print_table(check.figures["throughput"])
    failed = [outcome["stage"] for outcome in outcomes if outcome["outcome"] == "failed"]
    below = [] if check.small else judge(check.device, check.figures)
    for line in below:
        print(f"below target: {line}")
    verdict = "failed" if failed else "below target" if below else "passed"
    elapsed_s = time.monotonic() - start
    summary = {
        "verdict": verdict, "below_target": below, "small": options.small, "started": started, "elapsed_s": round(elapsed_s, 3),
        "argv": sys.argv, "python": platform.python_version(), "host": platform.node(), "device": check.device, "kernels": check.kernels,
        "gpu_before": before, "gpu_after": gpu_state(), **check.provenance, "stages": outcomes, "cut": check.cut,
        "figures": check.figures,
    }  # fmt: skip
    check.result("gpu-check").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    said = f"FAILED: {', '.join(failed)}" if failed else verdict
    print(f"gpu-check: {said}; {elapsed_s:.0f} s; {check.result('gpu-check')}")
    sys.exit(EXIT_CODES[verdict])


if __name__ == "__main__":
    main()
