"""The driver: its header is that of the registers, and any C compiler takes it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gateware.registers import HEADER, header, markdown, write
from golden.chip.rules import Fault
from hw.chip.chip import registers
from hw.linear.shell import stream_engine

ROOT = Path(__file__).resolve().parent.parent
DRIVER = HEADER.with_name("kllm_chip.c")
STRICT = "-Wall -Wextra -Werror -pedantic -ffreestanding".split()
CROSS = "riscv64-unknown-elf-"

# The registers are words of memory: what the driver does to them is said line by line.
HOST = """
#include <stdio.h>
#include "kllm_chip.h"

static uint32_t words[sizeof(kllm_registers_t) / 4];

static uint32_t read(void *bus, uint32_t offset) { return ((uint32_t *)bus)[offset / 4]; }

static void write(void *bus, uint32_t offset, uint32_t word) {
    printf("%02x=%x ", offset, word);
    ((uint32_t *)bus)[offset / 4] = word;
}

int main(void) {
    const struct kllm_chip told = {read, write, words}, mapped = kllm_mapped(words);
    kllm_registers_t *is = (kllm_registers_t *)words;
    struct kllm_identity found;
    struct kllm_run run = {0x1000, 2, 3, kllm_limit(3, 5), 9, true};
    enum kllm_fault fault = KLLM_FAULT_NONE;

    printf("%d", kllm_identify(&mapped, &found));
    is->identity = 0x4B4C4C4D;
    printf("%d", kllm_identify(&mapped, &found));
    is->version = 0x10002, is->lanes = 64 << 16 | 16, is->bus = 128;
    printf("%d ", kllm_identify(&mapped, &found));
    printf("%d.%d %d x %d, %d\\n", found.major, found.minor, found.inputs, found.outputs,
           found.bus_bytes);
    is->running = 1;
    printf("%d%d", kllm_start(&told, &run), kllm_running(&told));
    is->running = 0;
    run.first = 7;
    printf("%d", kllm_start(&told, &run));
    run.first = 6, run.known = 3, run.limit = 1 << 17;
    printf("%d", kllm_start(&told, &run));
    run.limit = 7;
    printf("%d\\n", kllm_start(&told, &run));
    run.ends = false;
    printf("%d\\n", kllm_start(&told, &run));
    kllm_interrupt(&told, true), kllm_interrupt(&told, false), kllm_stop(&told);
    is->fault = 4, is->position = 5, is->events = 2;
    printf("%d", kllm_wait(&told, 1000, &fault));
    is->events = 3;
    printf("%d%d", kllm_wait(&told, 0, &fault), kllm_wait(&told, 1, &fault));
    printf(" %s %d\\n", kllm_fault_name(fault), (int)kllm_position(&mapped));
    for (int n = 0; n < 8; n++) printf("%s ", kllm_fault_name((enum kllm_fault)n));
    return 0;
}
"""
SAID = """\
001 1.2 16 x 64, 128
01003c=3 24=1000 28=6 2c=3 30=7 34=9 38=1 10=1 1
3c=3 24=1000 28=6 2c=3 30=7 34=9 38=0 10=1 1
40=1 40=0 14=1 001 stopped 5
"""


def compiles(*command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done


def test_the_header_is_that_of_the_registers() -> None:
    assert HEADER.read_text(encoding="utf-8") == header(), "run `make registers`"


def test_the_header_has_each_register_and_field() -> None:
    """PeakRDL reads the file by itself: what it says is what the hardware is made from."""
    text = HEADER.read_text(encoding="utf-8")
    (structure,) = re.findall(r"typedef struct .*?\{\n(.*?)\}", text, re.S)
    assert re.findall(r"uint32_t (\w+);", structure) == [one.name for one in registers()]
    assert [one.address for one in registers()] == list(range(0, 4 * len(list(registers())), 4))
    said = {name: int(value, 0) for name, value in re.findall(r"#define (\w+) (\w+)", text)}
    for one in registers():
        for field in one.fields:
            name = f"KLLM_REGISTERS__{one.name}__{field.name}".upper()
            assert said[f"{name}_bp"] == field.low
            assert said[f"{name}_bw"] == field.bits
            assert said.get(f"{name}_reset", 0) == field.reset
    assert len(re.findall(r"_bp \d", text)) == sum(len(one.fields) for one in registers())


def test_the_page_has_the_table() -> None:
    pages = {"driver": registers(), "linear": stream_engine.registers()}
    for page, words in pages.items():
        assert markdown(words) in (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")


def test_a_page_and_ip_xact(tmp_path: Path) -> None:
    write(tmp_path)
    assert (tmp_path / "html" / "index.html").is_file()
    assert (tmp_path / HEADER.name).read_text(encoding="utf-8") == header()
    text = (tmp_path / "kllm_registers.xml").read_text(encoding="utf-8")
    names = re.findall(r"<\w+:register>\s*<\w+:name>(\w+)<", text)
    assert names == [one.name for one in registers()]


def test_what_it_does_to_registers(tmp_path: Path) -> None:
    source, program = tmp_path / "host.c", tmp_path / "host"
    source.write_text(HOST, encoding="utf-8")
    options = ["-std=c11", *STRICT[:-1], f"-I{HEADER.parent}"]
    compiles("gcc", *options, str(source), str(DRIVER), "-o", str(program))
    names = [one.name.lower() for one in Fault]
    unknown = ["unknown"] * (8 - len(names))
    assert compiles(str(program)).stdout == SAID + " ".join([*names, *unknown, ""])


@pytest.mark.parametrize("machine", ["rv32imc ilp32", "rv64imac lp64"])
def test_it_is_compiled_for_bare_metal(tmp_path: Path, machine: str) -> None:
    if shutil.which(f"{CROSS}gcc") is None:
        pytest.skip(f"no {CROSS}gcc: run `apt-get install gcc-riscv64-unknown-elf`")
    kind, calls = machine.split()
    options = ["-std=c11", *STRICT, "-Os", f"-march={kind}", f"-mabi={calls}"]
    target = str(tmp_path / "driver.o")
    compiles(f"{CROSS}gcc", *options, "-c", str(DRIVER), "-o", target)
    assert compiles(f"{CROSS}nm", "-u", target).stdout == "", "it needs a library"


def test_cpp_takes_it(tmp_path: Path) -> None:
    options = ["-std=c++20", "-x", "c++", *STRICT, "-c", str(DRIVER)]
    compiles("g++", *options, "-o", str(tmp_path / "driver.o"))
