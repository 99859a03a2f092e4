"""What gpu_check.py runs: the program, within a time limit, and the points that its result file has."""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


class Failed(Exception):
    """What is wrong."""


class Skipped(Exception):
    """What is missing on this machine."""


@dataclasses.dataclass
class Check:
    program: pathlib.Path
    output: pathlib.Path
    small: bool
    deadline: float  # by time.monotonic
    device: str = ""  # its name for itself
    start_s: float = 0  # that a program takes to start; seconds where the driver starts anew for each
    kernels: list = dataclasses.field(default_factory=list)  # of the device, the best first
    provenance: dict = dataclasses.field(default_factory=dict)  # as the result files have it
    figures: dict = dataclasses.field(default_factory=dict)  # by stage
    cut: list = dataclasses.field(default_factory=list)  # what the time did not allow on this device

    def log(self, name):
        return self.output / f"{name}.log"

    def result(self, name):
        return self.output / f"{name}.json"


def program_environment():
    """PyTorch's wheels bring NCCL and cuBLAS, which are too large to be carried: the program finds them there."""
    directories = [str(found) for place in sys.path for found in sorted(pathlib.Path(place).glob("nvidia/*/lib"))]
    known = os.environ.get("LD_LIBRARY_PATH")
    paths = ([known] if known else []) + directories
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(paths), "NCCL_MULTI_RANK_GPU_ENABLE": "1"}


def end(process):
    """A launcher ends its ranks if it is asked; killed, it would leave them. Other tools leave what they started in any
    case, and on the GPU it would slow what is measured next."""
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def execute(command, log, limit_s, environment=None):
    """The exit code, or None where the time was not enough. What the command prints is appended to `log`."""
    words = [str(word) for word in command]
    with open(log, "a", encoding="utf-8") as out:
        print("$", *words, file=out, flush=True)
        try:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True
            )
        except OSError as error:
            raise Failed(f"cannot be started: {error}") from None
        try:
            return process.wait(max(limit_s, 0))
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                end(process)


def complaint_in(log):
    """What the program said last, but for warnings, else the last line of all."""
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    said = [line for line in lines if line.startswith("cpbench: ") and not line.startswith("cpbench: warning: ")]
    return (said or lines)[-1]


def content_of(result):
    """The head and the points of a result file; of a run that did not finish as far as it came."""
    if result.exists():
        content = json.loads(result.read_text(encoding="utf-8"))
        return content, content["points"]
    lines = result.with_suffix(".jsonl")
    text = lines.read_text(encoding="utf-8") if lines.exists() else ""
    parsed = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return (parsed[0], parsed[1:]) if parsed else (None, [])


def is_right(point):
    return point["status"] == "ok" and (point.get("validation") or {}).get("passed") is True


def require_right(points):
    wrong = [point for point in points if not is_right(point)]
    if not wrong:
        return
    text = f"{wrong[0]['id']} is {wrong[0]['status']}: {wrong[0].get('reason', 'nothing was checked')}"
    raise Failed(f"{len(wrong)} of {len(points)} points are not right: {text}")


def counted(points):
    return f"{len(points)} point is" if len(points) == 1 else f"{len(points)} points are"


def named(points):
    """What follows a sentence about them; nothing of none."""
    names = [f"{point['id']} (d {point['case']['head_dim']}, {point['case']['dtype']})" for point in points]
    return ": " + ", ".join(names) if names else ""


def forget(check, name):
    """What an earlier check left."""
    for stale in (check.log(name), check.result(name), check.result(name).with_suffix(".jsonl")):
        stale.unlink(missing_ok=True)


def run(check, name, config, arguments, limit_s, launcher=(), judge=lambda code, log: None):
    """The points of `cpbench run` over a config, all of them right. `judge` sees the exit code first."""
    result, log = check.result(name), check.log(name)
    forget(check, name)
    command = [*launcher, check.program, "run", "--config", ROOT / "configs" / config, "--backend", "cuda", *arguments]
    code = execute([*command, "--json", result], log, limit_s, program_environment())
    judge(code, log)
    head, points = content_of(result)
    if head:
        check.provenance = {key: head[key] for key in ("tool", "environment")}
    require_right(points)
    if code is None:
        raise Failed(f"not finished within {max(limit_s, 0):.0f} s: {counted(points)} right so far{named(points)}")
    if code != 0:
        raise Failed(f"exit code {code}: {complaint_in(log)}")
    if not points or not result.exists():
        raise Failed("the run left no result")
    result.with_suffix(".jsonl").unlink(missing_ok=True)  # the result has it all
    return points


def worst_error(points):
    """As a fraction of what is tolerated, over all tensors of all points."""
    tensors = [tensor for point in points for tensor in point["validation"]["tensors"].values()]
    return max(max(tensor["rel_l2"], tensor["worst_block_rel"]) / tensor["tolerance"] for tensor in tensors)
