"""What takes minutes, or tens of gigabytes: only where CPBENCH_LONG_TESTS is set."""

import os
import sys
import unittest

from program import ProgramTest

GIBIBYTE = 2**30


class Long(ProgramTest):
    def test_a_million_tokens(self):
        points = self.points_of(
            "--seq-len", 2**20, "--mask", "window:4096", "--check", "sample", "--heads", 1, "--head-dim", 32,
            ranks=2, limit_s=1500,
        )  # fmt: skip
        self.expect_all_validated(points)
        self.assertIn("sample", points[0]["validation"]["reference"])

    def test_messages_beyond_two_gibibytes(self):
        """Forward, and so narrow a window that moving the bytes is most of the work: striped over two ranks, each query
        sees its own key and one of the other rank's, wherever in the message that lies."""
        if os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") < 20 * GIBIBYTE:
            self.skipTest("needs 20 GiB of memory")
        tokens = 2 * (2**31 // (2 * 256 * 4) + 1000)  # fp32 K and V of one head of 256, on two ranks
        points = self.points_of(
            "--seq-len", tokens, "--mask", "window:1", "--check", "sample:64", "--heads", 1, "--head-dim", 256,
            "--dtype", "fp32", "--pass", "fwd", "--shard", "striped", ranks=2, limit_s=1500,
        )  # fmt: skip
        self.assertGreater(points[0]["comm"]["bytes_sent_per_rank"], 2**31)
        self.expect_all_validated(points, ("out", "lse"))


if __name__ == "__main__":
    if "CPBENCH_LONG_TESTS" not in os.environ:
        print("skipped: CPBENCH_LONG_TESTS is not set")
        sys.exit(77)
    unittest.main()
