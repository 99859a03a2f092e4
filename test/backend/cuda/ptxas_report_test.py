"""What ptxas says of the GPU kernels: nothing spilled, nothing serialized, registers within the launch bounds.

Reads the reports beside the objects (cmake/ptxas_report.sh), and the machine code where cuobjdump is there to show it: the toolkit's, or
the one that `make cuda` gets from PyPI.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

REGISTERS_OF_A_MULTIPROCESSOR = 65536
FIRST_CLASS = {64, 128}  # head sizes whose kernels must not spill

ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\w+)'")
SPILLS = re.compile(r"(\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")
ATTENTION = re.compile(r"cpbench4(sm80|sm90)\d+(forward|backward)INS_4(bf16|fp16)E.*?Li(\d+)ELi(\d+)E(?:Li(\d+)E)?")


STEP_COLUMNS = re.compile(r"(?:Forward|Backward)ShapeI(?:Li\d+E)*Li(\d+)EEE")


class Kernel:
    """An attention kernel of the report."""

    def __init__(self, name, architecture):
        family, self.direction, self.dtype, first, second, third = ATTENTION.search(name).groups()
        self.name, self.architecture, self.head_size = name, architecture, int(first)
        self.key = (family, self.direction, self.dtype, self.head_size, architecture)
        self.spilled = self.registers = None
        if family == "sm90":  # the third parameter of a forward shape is its number of consumers
            self.threads = 128 * (1 + (int(third) if self.direction == "forward" else 2))
        else:
            self.threads = 128


def read(objects):
    kernels, text = [], ""
    for path in objects:
        with open(path + ".ptxas", encoding="utf-8") as report:
            lines = report.read()
        text += lines
        current = None
        for line in lines.splitlines():
            if entry := ENTRY.search(line):
                current = Kernel(*entry.groups()) if ATTENTION.search(entry.group(1)) else None
                if current:
                    kernels.append(current)
            elif current and (spills := SPILLS.search(line)):
                current.spilled = int(spills.group(1)) + int(spills.group(2))
            elif current and (registers := REGISTERS.search(line)):
                current.registers = int(registers.group(1))
    return kernels, text


class PtxasReport(unittest.TestCase):
    ampere, hopper = [], []

    def setUp(self):
        ampere, ampere_text = read(self.ampere)
        hopper, hopper_text = read(self.hopper)
        self.kernels, self.text = ampere + hopper, ampere_text + hopper_text

    def test_knows_every_kernel(self):
        expected = {(family, direction, dtype, head_size, architecture)
                    for family, architecture in (("sm80", "sm_80"), ("sm90", "sm_90a"))
                    for direction in ("forward", "backward")
                    for dtype in ("bf16", "fp16")
                    for head_size in FIRST_CLASS}
        self.assertLessEqual(expected, {kernel.key for kernel in self.kernels})
        for kernel in self.kernels:
            self.assertIsNotNone(kernel.spilled, kernel.name)
            self.assertIsNotNone(kernel.registers, kernel.name)

    def test_spills_nothing(self):
        for kernel in self.kernels:
            if kernel.head_size in FIRST_CLASS and kernel.architecture in ("sm_80", "sm_90a"):
                with self.subTest(kernel.name):
                    self.assertEqual(kernel.spilled, 0)

    def test_stays_within_launch_bounds(self):
        for kernel in self.kernels:
            with self.subTest(kernel.name):
                self.assertLessEqual(kernel.registers * kernel.threads, REGISTERS_OF_A_MULTIPROCESSOR)

    def test_hopper_kernels_have_the_registers_that_setmaxnreg_deals_out(self):
        """What a block has is what it was launched with: with less, the warpgroups that raise theirs would wait for ever."""
        for kernel in self.kernels:
            if kernel.architecture == "sm_90a":
                with self.subTest(kernel.name):
                    self.assertEqual(kernel.registers, REGISTERS_OF_A_MULTIPROCESSOR // kernel.threads // 8 * 8)

    def test_warns_of_nothing(self):
        self.assertNotRegex(self.text, "(?i)serialized|performance loss|setmaxnreg|warning")

    def machine_code(self):
        """Of each kernel for Hopper: its name, and its instructions, one a line."""
        of_wheels = [str(found) for place in sys.path for found in pathlib.Path(place).glob("nvidia/*/bin")]
        path = os.pathsep.join([os.environ["PATH"], *of_wheels])  # cuobjdump looks for nvdisasm there too
        disassembler = shutil.which("cuobjdump", path=path)
        if disassembler is None:
            self.skipTest("no cuobjdump")
        for compiled in self.hopper:
            command, environment = [disassembler, "-sass", compiled], {**os.environ, "PATH": path}
            code = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
            for function in code.split("Function : ")[1:]:
                yield function.split("\n", 1)

    def test_uses_the_tensor_cores_of_hopper(self):
        for name, code in self.machine_code():
            with self.subTest(name):
                self.assertIn("HGMMA", code)

    def test_computes_exponentials_while_products_run(self):
        """A warpgroup waits for the scores, while another product runs; what exponentials a lane has of them, half a step's columns (64
        rows x columns by 128 lanes), comes before the wait for that product."""
        for name, code in self.machine_code():
            columns = STEP_COLUMNS.search(name)
            beside = re.findall(r"WARPGROUP\.DEPBAR\.LE gsb0, 0x1 ;(.*?)WARPGROUP\.DEPBAR\.LE gsb0, 0x0 ;", code, re.DOTALL)
            with self.subTest(name):
                exponentials = max((part.count("MUFU.EX2") for part in beside), default=0)
                self.assertGreaterEqual(exponentials, int(columns.group(1)) // 2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--ampere", nargs="+", required=True)
    parser.add_argument("--hopper", nargs="+", required=True)
    arguments = parser.parse_args()
    PtxasReport.ampere, PtxasReport.hopper = arguments.ampere, arguments.hopper
    unittest.main(argv=sys.argv[:1])
