"""Compilers, boards and the emulator for the tests of exported C."""

import math
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "tests" / "mcu"
KERNELS = ROOT / "src" / "firmware"
INCLUDE = ROOT / "include"

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]
ARM_COMPILER = "arm-none-eabi-gcc"
EMULATOR = "qemu-system-arm"


class Board:
    """A board of the emulator: its processor, and how much memory a program gets."""

    def __init__(self, name, cpu, flash, ram):
        self.name, self.cpu, self.flash, self.ram = name, cpu, flash, ram


M4 = Board("mps2-an386", "cortex-m4", "1024K", "64K")
M0 = Board("microbit", "cortex-m0", "256K", "16K")
BOARDS = (M4, M0)


def missing_tools():
    """The first of what these tests need that is not installed, or None."""
    return next((tool for tool in (ARM_COMPILER, EMULATOR) if shutil.which(tool) is None), None)


def run(command, **options):
    """Runs to the end; a failure shows what the command printed."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=600, **options)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done.stdout


def assert_close(test, got, expected):
    """Equal to rounding, and not a number in the same places."""
    test.assertEqual([math.isnan(x) for x in got], [math.isnan(x) for x in expected])
    largest = max((abs(x) for x in expected if not math.isnan(x)), default=0)
    worst = max((abs(a - b) for a, b in zip(got, expected) if not math.isnan(b)), default=0)
    test.assertLessEqual(worst, 1e-4 * largest + 1e-6)


def model_defines(model, inputs, outputs, output_type, value_type="uint8_t"):
    return [f"-DMODEL={model}", f'-DMODEL_HEADER="{model}.h"', f"-DINPUT_SIZE={inputs}",
            f"-DOUTPUTS={outputs}", f"-DMODEL_OUTPUT={output_type}", f"-DMODEL_VALUE={value_type}"]


def kernels(form):
    return KERNELS / ("tbn_micro.c" if form == "int8" else "tbn_micro_f32.c")


def build_firmware(board, sources, output, flags=()):
    """Links with newlib-nano and leaves a map beside the program."""
    run([ARM_COMPILER, f"-mcpu={board.cpu}", "-mthumb", *STRICT, "-O2", "-ffunction-sections",
         "-fdata-sections", "-specs=nano.specs", "-specs=nosys.specs", "-nostartfiles",
         "-Wl,--gc-sections", f"-Wl,--defsym=FLASH_SIZE={board.flash},--defsym=RAM_SIZE={board.ram}",
         f"-Wl,-Map={output}.map", "-T", FIRMWARE / "cortex_m.ld", f"-I{INCLUDE}", f"-I{FIRMWARE}",
         *flags, *sources, FIRMWARE / "firmware.c", "-o", output])


def emulate(board, program, folder):
    """Runs the program in `folder`, where it finds its files; returns what it printed as numbers.
    Instructions are counted by virtual time (-icount), so they are the same on every machine."""
    done = subprocess.run(
        [EMULATOR, "-machine", board.name, "-nographic", "-monitor", "none", "-serial", "none",
         "-semihosting-config", "enable=on,target=native", "-icount",
         "shift=6,align=off,sleep=off", "-kernel", str(program)],
        cwd=folder, capture_output=True, text=True, timeout=600)
    printed = done.stdout + done.stderr  # semihosting prints to either
    if done.returncode != 0:
        raise AssertionError(f"{program} on {board.name}: exit code {done.returncode}\n{printed}")
    return {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", printed, re.MULTILINE)}


def linked_symbols(program):
    """The names of everything in a program."""
    lines = run(["arm-none-eabi-nm", program]).splitlines()
    return {line.split()[-1] for line in lines}
