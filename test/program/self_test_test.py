"""`cpbench validate --self-test`: the checker catches every fault that is planted in a live run."""

import re
import unittest

from program import ProgramTest, cpbench


class SelfTest(ProgramTest):
    def run_on(self, ranks, least):
        run = self.expect_ok(cpbench("validate", "--self-test", "--threads", 1, ranks=ranks))
        caught, missed, nowhere = map(
            int, re.search(r"self-test: (\d+) caught, (\d+) missed, (\d+) cannot occur", run.out).groups()
        )
        self.assertEqual(missed, 0)
        self.assertEqual(caught + nowhere, 10)
        self.assertGreaterEqual(caught, least)

    def test_one_rank(self):
        self.run_on(None, 5)

    def test_two_ranks(self):
        self.run_on(2, 8)

    def test_four_ranks(self):
        self.run_on(4, 10)


if __name__ == "__main__":
    unittest.main()
