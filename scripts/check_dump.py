#!/usr/bin/env python3
"""Compares a dump of cpbench (`--dump DIR`) with attention written down in PyTorch, in float64 on the CPU.

    scripts/check_dump.py DIR

softmax(scale * q k^T) v over the pairs that mask and documents allow, with a sink as one more logit; gradients are
autograd's. Norms and tolerances are those of the check itself (src/validate/norms.hpp): every tensor's relative L2 error,
over everything and over the worst 128 tokens of a head, is at most `tolerance` of problem.json. Any version of PyTorch
will do. Exit codes: 0 all within, 1 not, 2 the dump or PyTorch is missing. Memory: about 60 * seq_len^2 bytes.
"""

import argparse
import json
import math
import pathlib
import sys

BLOCK = 128


def fail(message):
    print(f"check_dump: {message}", file=sys.stderr)
    sys.exit(2)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path, help="what --dump was given")
    return parser.parse_args()


try:
    import numpy as np
    import torch
except ImportError as error:
    parse_arguments()  # --help and a wrong line need neither
    fail(f"{error.name} is missing; install it with: python3 -m pip install torch numpy")


def allowed_pairs(problem):
    """[query, key]: true where a query may attend a key."""
    tokens = torch.arange(problem["seq_len"])
    distance = tokens[:, None] - tokens[None, :]
    allowed = torch.ones_like(distance, dtype=torch.bool)
    if problem["mask"]["left"] is not None:
        allowed &= distance <= problem["mask"]["left"]
    if problem["mask"]["right"] is not None:
        allowed &= -distance <= problem["mask"]["right"]
    document = torch.repeat_interleave(torch.tensor(problem["documents"]))
    return allowed & (document[:, None] == document[None, :])


def attend(q, k, v, sink, allowed, scale):
    """Output, logsumexp and logits of rows [heads, tokens, dim] of query heads against one K/V head."""
    logits = (scale * q @ k.transpose(-1, -2)).masked_fill(~allowed, -math.inf)
    if sink is not None:
        logits = torch.cat([logits, sink[:, None, None].expand(-1, logits.shape[1], 1)], dim=-1)
    out = torch.softmax(logits, dim=-1)[..., : k.shape[1]] @ v
    return out, torch.logsumexp(logits, dim=-1).detach(), logits.detach()


class Errors:
    """Squared errors and references of one tensor, per block of tokens of a head."""

    def __init__(self):
        self.max_abs, self.blocks = 0.0, []

    def add(self, found, reference, least_square=None):
        """[heads, tokens, dim]. Rows smaller than the root of `least_square` count as that large."""
        error = found - reference
        rows = reference.square().sum(-1)
        if least_square is not None:
            rows = torch.maximum(rows, least_square)
        self.max_abs = max(self.max_abs, error.abs().max().item())
        for e, r in zip(error.square().sum(-1).split(BLOCK, dim=-1), rows.split(BLOCK, dim=-1)):
            self.blocks.append(torch.stack([e.sum(-1), r.sum(-1)], dim=-1))

    @staticmethod
    def ratio(squares):
        return (squares[..., 0] / squares[..., 1]).sqrt().masked_fill(squares[..., 0] == 0, 0.0)

    def norms(self):
        blocks = torch.cat(self.blocks)
        return self.max_abs, self.ratio(blocks.sum(0)).item(), self.ratio(blocks).max().item()


def compare_group(problem, tensors, errors, batch, kv_head, allowed, sink_terms):
    """Compares the query heads of one K/V head in one sequence."""
    group, scale = problem["heads"] // problem["kv_heads"], problem["scale"]
    heads = slice(kv_head * group, (kv_head + 1) * group)

    def rows(name, which=heads):
        return tensors[name][batch, :, which].transpose(0, 1)

    own = slice(kv_head, kv_head + 1)
    q, k, v = rows("q"), rows("k", own), rows("v", own)
    sink = tensors["sink"][heads].clone() if problem["sink"] else None
    leaves = [x.requires_grad_() for x in (q.clone(), k.clone(), v.clone()) + ((sink,) if problem["sink"] else ())]
    out, lse, logits = attend(leaves[0], leaves[1], leaves[2], sink, allowed, scale)
    errors["out"].add(rows("out"), out.detach())
    errors["lse"].add(rows("lse")[..., None], lse[..., None], torch.ones_like(lse))
    if problem["pass"] == "fwd":
        return
    dout = rows("dout")
    gradients = torch.autograd.grad(out, leaves, dout)

    # What the rounding of delta = sum(out * dout) does to gradients that cancel: see SingleDevice.
    spread2 = (out.detach() * dout).square().sum(-1)
    squares = torch.exp(logits[..., : problem["seq_len"]] - lse[..., None]).square()
    row_square = {"k": scale**2 * k.shape[-1] * k.square().mean(), "q": scale**2 * q.shape[-1] * q.square().mean()}
    dk_square = row_square["q"] * (squares * spread2[..., None]).sum(-2).sum(0, True)
    errors["dq"].add(rows("dq"), gradients[0], row_square["k"] * spread2 * squares.sum(-1))
    errors["dk"].add(rows("dk", own), gradients[1], dk_square)
    errors["dv"].add(rows("dv", own), gradients[2])
    if problem["sink"]:
        sink_terms[0, heads] += gradients[3]
        sink_terms[1, heads] += (torch.exp(2 * (sink.detach()[:, None] - lse)) * spread2).sum(-1)


def load(directory):
    try:
        problem = json.loads((directory / "problem.json").read_text())
        tensors = {path.stem: torch.from_numpy(np.load(path)).double() for path in sorted(directory.glob("*.npy"))}
    except (OSError, ValueError) as error:
        fail(f"cannot read the dump in {directory}: {error}")
    names = ["q", "k", "v", "out", "lse"]
    if problem["pass"] != "fwd":
        names += ["dout", "dq", "dk", "dv"] + ["dsink"] * problem["sink"]
    missing = [name for name in names + ["sink"] * problem["sink"] if name not in tensors]
    if missing:
        fail(f"{directory} has no {', '.join(name + '.npy' for name in missing)}")
    if not problem["tolerance"]:
        fail(f"{directory}/problem.json has no tolerances: make the dump with --check full or --check sample")
    return problem, tensors


def compare(problem, tensors):
    names = ["out", "lse"] + (["dq", "dk", "dv"] if problem["pass"] != "fwd" else [])
    errors = {name: Errors() for name in names}
    allowed = allowed_pairs(problem)
    sink_terms = torch.zeros(2, problem["heads"], dtype=torch.float64)
    for batch in range(problem["batch"]):
        for kv_head in range(problem["kv_heads"]):
            compare_group(problem, tensors, errors, batch, kv_head, allowed, sink_terms)
    if problem["sink"] and problem["pass"] != "fwd":
        errors["dsink"] = Errors()
        errors["dsink"].add(tensors["dsink"][:, None, None], sink_terms[0][:, None, None], sink_terms[1][:, None])
    return errors


def main():
    problem, tensors = load(parse_arguments().directory)
    print(f"# PyTorch {torch.__version__}, float64, CPU")
    print(f"# {'tensor':8}{'max_abs':>12}{'rel_l2':>12}{'worst_block':>14}{'tolerance':>12}")
    all_passed = True
    for name, error in compare(problem, tensors).items():
        max_abs, rel_l2, worst = error.norms()
        tolerance = problem["tolerance"].get(name)
        # A NaN compares false: it fails.
        passed = tolerance is not None and rel_l2 <= tolerance and worst <= tolerance
        all_passed &= passed
        verdict = "ok" if passed else "FAILED"
        print(f"  {name:8}{max_abs:12.2e}{rel_l2:12.2e}{worst:14.2e}{tolerance or math.nan:12.2e}  {verdict}")
    sys.exit(0 if all_passed else 1)


if __name__ == "__main__":
    main()
