"""`cpbench validate --self-test`: the checker catches every fault that is planted in a live run."""

import re
import unittest

from program import ProgramTest, cpbench

ALGORITHMS = {"ulysses", "ring", "double-ring", "hybrid", "all-gather"}
# What can go wrong within a rank, and what takes more.
ANYWHERE = {"zero-last-rows", "skipped-step", "mask-off-by-one", "window-ignored", "sink-ignored"}
OF_STEPS = {"wrong-neighbour", "backward-reuses-first-block"}
OF_RANKS = {"stale-buffer", "sink-gradient-unsummed"}
OF_RINGS = OF_STEPS | {"gradient-unsummed"}


class SelfTest(ProgramTest):
    def caught_on(self, ranks):
        """Faults caught, by algorithm; none is missed."""
        run = self.expect_ok(cpbench("validate", "--self-test", "--threads", 1, ranks=ranks))
        caught, algorithm = {}, None
        for line in run.out.splitlines()[:-1]:
            if line.startswith("  "):
                fault, verdict = line.split()[:2]
                self.assertEqual(verdict, "caught:", line)
                caught[algorithm].add(fault)
            elif "cannot occur" not in line:
                self.assertTrue(line.endswith(": ok"), line)
                algorithm = line.split()[0]
                caught.setdefault(algorithm, set())
        self.assertRegex(run.out.splitlines()[-1], r"^self-test: \d+ caught, 0 missed, in \d+ cases on \d+ ranks?$")
        self.assertEqual(set(caught), ALGORITHMS)
        return caught, set(re.findall(r"^(\S+) cannot occur", run.out, re.MULTILINE))

    def test_one_rank(self):
        caught, nowhere = self.caught_on(None)
        caught["all-gather"].remove("stale-buffer")  # it gathers from itself
        for algorithm in ALGORITHMS:
            self.assertEqual(caught[algorithm] - {"kv-heads-mismatched"}, ANYWHERE, algorithm)
        self.assertEqual(nowhere, OF_RINGS | {"stale-outer-block", "replicas-unsummed", "sink-gradient-unsummed"})

    def test_three_ranks(self):
        caught, nowhere = self.caught_on(3)
        self.assertLessEqual(ANYWHERE | OF_RANKS | OF_RINGS | {"stale-outer-block"}, caught["double-ring"])
        self.assertLessEqual(ANYWHERE | OF_RANKS | {"replicas-unsummed"}, caught["ulysses"])
        self.assertEqual(nowhere, set())

    def test_four_ranks(self):
        caught, nowhere = self.caught_on(4)
        everywhere = ANYWHERE | OF_RANKS | {"kv-heads-mismatched"}
        self.assertEqual(caught["ulysses"], everywhere | {"replicas-unsummed"})
        self.assertEqual(caught["ring"], everywhere | OF_RINGS)
        self.assertEqual(caught["double-ring"], everywhere | OF_RINGS | {"stale-outer-block"})
        self.assertEqual(caught["hybrid"], everywhere | OF_RINGS | {"stale-outer-block", "replicas-unsummed"})
        self.assertLessEqual(ANYWHERE | OF_RANKS | {"gradient-unsummed"}, caught["all-gather"])
        self.assertEqual(nowhere, set())

    def test_flags_that_it_would_not_heed_are_refused(self):
        def refuse(*flags):
            self.expect_refused(cpbench("validate", "--self-test", *flags), 2, "--self-test", *flags[::2])

        refuse("--algo", "ulysses", "--dtype", "fp32", "--config", "/nope.json")
        refuse("--check", "sample", "--input", "constant")
        refuse("--json", "out.json", "--dump", "dump")
        refuse("--length-scale", "2")


if __name__ == "__main__":
    unittest.main()
