"""How far a run is, shown where somebody watches its stderr: with a launcher too, whose ranks have a pipe."""

import os
import pty
import re
import subprocess
import threading
import unittest

from program import TINY, ProgramTest, cpbench, start


class Progress(ProgramTest):
    # Iterations that take longer than what is left unshown.
    line = ["run", "--seq-len", "400,401", *TINY, "--threads", "1", "--warmup", "0", "--iterations", "300", "--check", "off"]

    def shown_on_a_terminal(self, ranks, environment=None):
        user, terminal = pty.openpty()
        text = bytearray()

        def read():
            try:
                while chunk := os.read(user, 4096):
                    text.extend(chunk)
            except OSError:  # the other end is closed
                pass

        reader = threading.Thread(target=read)
        reader.start()
        process = start(ranks, self.line, stdout=subprocess.DEVNULL, stderr=terminal, environment=environment)
        os.close(terminal)
        self.assertEqual(process.wait(100), 0)
        reader.join()
        os.close(user)
        return text.decode(errors="replace")

    def expect_progress(self, shown):
        point, left = r"\[1/2\] 0-ring-cp\d", r"\d+% done, about \d+s left"
        for words in (point, rf"{point}, iteration \d+ of 300; {left}", rf"\[2/2\] 1-ring-cp\d; {left}"):
            self.assertRegex(shown, rf"\x1b\[\?7l{words}\x1b\[\?7h\r")  # cut off at the last column
        self.assertTrue(re.search(r"\r\x1b\[K\s*$", shown), "cleared at the end: " + shown[-80:])

    def test_of_one_rank(self):
        self.expect_progress(self.shown_on_a_terminal(None))

    def test_of_ranks_below_a_launcher(self):
        self.expect_progress(self.shown_on_a_terminal(2))

    def test_is_not_shown_where_nobody_watches(self):
        self.assertNotIn("[1/2]", self.expect_ok(cpbench(*self.line, ranks=2)).err)
        self.assertNotIn("[1/2]", self.shown_on_a_terminal(None, {"CPBENCH_PROGRESS": "0"}))


if __name__ == "__main__":
    unittest.main()
