#!/usr/bin/env python3
"""Plants mistakes into the attention kernels, one at a time, and sees that the virtual GPU's tests fail.

    test/vgpu/mutations.py BUILD [NAME ...]

BUILD is a build directory with vgpu_attention_test. Each mutant is a copy of src/backend/cuda with one text, which its file
must have once, replaced (mutations.txt has the list), compiled as the build compiles it, but for heads up to 128 alone, so that
it takes seconds. Prints what caught each; fails where one survives. NAMEs: of these only.
"""

import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = "vgpu_attention_test"
SECONDS = 120
# What makes a mutant small.
FEWER_KERNELS = [
    ("implementation.hpp", "  if (dim <= 192 && dim_v <= 128) return visit.template operator()<192, 128>();\n", ""),
    ("implementation.hpp", "  if (widest <= 192) return visit.template operator()<192, 192>();\n", ""),
    ("implementation.hpp", "return visit.template operator()<256, 256>();", "return visit.template operator()<128, 128>();"),
]


def mutations():
    """(name, architecture, file, old, new): blocks of mutations.txt, `## name: architecture file`, then -old and +new lines."""
    text = (ROOT / "test/vgpu/mutations.txt").read_text(encoding="utf-8")
    for block in re.split(r"^## ", text, flags=re.M)[1:]:
        head, *lines = block.rstrip("\n").split("\n")
        name, architecture, file = re.fullmatch(r"(.+): (\S+) (\S+)", head).groups()
        old = "\n".join(line[1:] for line in lines if line.startswith("-"))
        new = "\n".join(line[1:] for line in lines if line.startswith("+"))
        yield name, architecture, file, old, new


def replace_once(tree, file, old, new):
    path = tree / "backend/cuda" / file
    text = path.read_text(encoding="utf-8")
    if text.count(old) != 1:
        sys.exit(f"{file} has {text.count(old)} times, and not once, the text\n{old}")
    path.write_text(text.replace(old, new), encoding="utf-8")


def commands(build):
    shown = subprocess.run(["ninja", "-C", build, "-t", "commands", TEST], check=True, capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if not line.startswith("ninja:")]


def run(command, build, seconds=None):
    try:
        done = subprocess.run(command, shell=True, cwd=build, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return 1, "does not end"
    return done.returncode, done.stdout + done.stderr


def what_caught(output):
    if fault := re.search(r"virtual GPU: ([^\n]*?)(\" thrown|\n|$)", output):
        return fault.group(1)
    if wrong := re.search(r"max_difference\(measured.*\n(\w+)", output):
        return f"wrong {wrong.group(1)}"
    return output.strip().splitlines()[-1] if output.strip() else "it crashes"


def try_mutant(build, lines, architecture, change):
    source = str(ROOT / f"src/backend/cuda/{architecture}/kernels.cu")
    compile_line = next(line for line in lines if f"-c {source}" in line)
    object_file = re.search(r"-o (\S+)", compile_line).group(1)
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch) / "src"
        shutil.copytree(ROOT / "src/backend/cuda", tree / "backend/cuda")
        for small in FEWER_KERNELS:
            replace_once(tree, *small)
        if change:
            replace_once(tree, *change)
        compiled, program = f"{scratch}/kernels.o", f"{scratch}/test"
        mutated = compile_line.replace(f"-I{ROOT}/src ", f"-I{tree} -I{ROOT}/src ")
        mutated = mutated.replace(source, f"{tree}/backend/cuda/{architecture}/kernels.cu")
        status, output = run(mutated.replace(object_file, compiled) + " -w", build)
        if status != 0:
            sys.exit(output)
        status, output = run(lines[-1].replace(object_file, compiled).replace(f"-o test/vgpu/{TEST}", f"-o {program}"), build)
        if status != 0:
            sys.exit(output)
        tests = f"*EveryOrder*/{architecture}_bf16*:*/{architecture}_more_calls_than_tiles*"
        return run(f"{shlex.quote(program)} --gtest_fail_fast --gtest_filter='{tests}'", build, SECONDS)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__.strip())
    build, *names = sys.argv[1:]
    lines = commands(build)
    for architecture in ("sm80", "sm90"):
        status, output = try_mutant(build, lines, architecture, None)
        if status != 0:
            sys.exit(f"{architecture}: fails without a mutation\n{output}")
    survivors = 0
    for name, architecture, file, old, new in mutations():
        if names and name not in names:
            continue
        status, output = try_mutant(build, lines, architecture, (file, old, new))
        survivors += status == 0
        print(f"{architecture} {name}: {'SURVIVES' if status == 0 else what_caught(output)}", flush=True)
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
