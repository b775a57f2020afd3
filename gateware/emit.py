"""RTLIL and Verilog of a component, with one module for all of its shared parts that are alike."""

import re
import tempfile
from pathlib import Path

from amaranth.back.rtlil import convert  # pyright: ignore[reportMissingImports]
from amaranth.hdl import Value
from amaranth.hdl._ir import PortDirection  # pyright: ignore[reportMissingImports]
from amaranth.lib import wiring

from gateware.tidy import tidy
from gateware.yosys import run_yosys
from hw.stream.share import likeness, port_name

# Amaranth's notes to itself.
NOTES = ("generator", "top", "src", "amaranth.hierarchy", "amaranth.decoding")
VERILOG_SECONDS = 600
# Warnings of Verilator about what is meant so. A test holds that there are no others.
INTENDED = {
    "INITIALDLY": "the start bit is set after every process waits for it",
    "CASEINCOMPLETE": "each process sets its defaults before its cases",
    "DECLFILENAME": "one file has all modules",
    "VARHIDDEN": "an instance may be called as a signal within it",
    "UNUSEDSIGNAL": "bits alone: a carry, or a field of a word that one part has no use for;"
    " a whole signal without a use says so in its name",
}
# Amaranth names every field of every signal. Where a signal had to be renamed, mostly a port of
# one copy among many, that is two thirds of the text and slows simulators: drop those names.
FIELD_OF_RENAMED = r"\\[^\s\[.]+\$\d+[\[.]\S*"
FIELD_LINES = re.compile(
    rf"(?:^  attribute .*\n)*^  wire .*{FIELD_OF_RENAMED}\n|^ *connect {FIELD_OF_RENAMED} .*\n",
    re.M,
)
INITIAL = re.compile(r"^(  reg (?:signed )?(?:\[\d+:0\] )?(\w+ |\\\S+ +))= (.*);$", re.M)
CLOCK, RESET = "clk", "rst"
DIRECTIONS = {wiring.In: PortDirection.Input, wiring.Out: PortDirection.Output}


class Emission:
    """The modules of one design, collected (a :class:`hw.stream.share.SharingPlatform`).

    ``modules`` then has a component for each module that ``text`` has, but for parts that are
    not shared.

    Parameters
    ----------
    name : str
        The top module's name. Shared modules are called ``<name>_<class>``, the class in snake
        case; further parameter sets of that class get ``_2``, ``_3`` and so on, in the order in
        which they are met. A memory has the name of its size, in all designs. A part that is not
        shared becomes ``<parent>.<submodule>``.
    simulation : bool
        Whether components may write for a simulator what it runs faster, see
        :func:`hw.stream.share.simulated`.
    """

    def __init__(self, name: str, *, simulation: bool = False) -> None:
        self.name = name
        self.simulation = simulation
        self.texts: list[str] = []
        self.modules: dict[str, wiring.Component] = {}
        self._known: dict[tuple, str] = {}
        self.clocked: dict[str, bool] = {}

    def module_of(self, component: wiring.Component) -> tuple[str, bool]:
        """Return the module that ``component`` shares, and whether it has a clock and a reset."""
        key = likeness(component)
        if key not in self._known:
            own = getattr(component, "module_name", None)
            name = own or self._free_name(type(component).__name__)
            self._known[key] = name
            self.emit(component, name)
        name = self._known[key]
        if self.modules[name].signature != component.signature:
            raise TypeError(
                f"{type(component).__name__}: same arguments, other ports; the attributes must"
                " keep the arguments as they were given"
            )
        return name, self.clocked[name]

    def emit(self, component: wiring.Component, name: str) -> None:
        """Elaborate ``component`` as module ``name`` and keep the text of its modules."""
        self.modules[name] = component
        # Parts that it shares come first in the list: they are met while this runs.
        named = {
            port_name(path): (Value.cast(value), DIRECTIONS[member.flow])
            for path, member, value in component.signature.flatten(component)
        }
        text = convert(component, name=name, platform=self, ports=named, emit_src=False)
        ports = _input_ports(text, name)
        wanted = {one for one, (_, way) in named.items() if way == DIRECTIONS[wiring.In]}
        extra = ports - wanted - {CLOCK, RESET}
        if extra:
            raise ValueError(
                f"{type(component).__name__} has other clock domains than sync: {sorted(extra)}"
            )
        self.clocked[name] = CLOCK in ports
        self.texts.append(FIELD_LINES.sub("", text))

    @property
    def text(self) -> str:
        """The RTLIL of every module, parts before what holds them."""
        return "".join(self.texts)

    def _free_name(self, class_name: str) -> str:
        base = f"{self.name}_{snake_case(class_name)}"
        name, number = base, 1
        while name in self.modules or name == self.name:
            number += 1
            name = f"{base}_{number}"
        return name


def _input_ports(text: str, module: str) -> set[str]:
    """Return the names of the inputs of a module in RTLIL text."""
    start = text.index(f"module \\{module}\n")
    end = text.find("\nmodule ", start)
    return set(re.findall(r"^  wire .*\binput \d+ .*\\(\S+)$", text[start:end], re.M))


def snake_case(name: str) -> str:
    """Turn ``Fp16Key`` into ``fp16_key``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def emission(component: wiring.Component, name: str, *, simulation: bool = False) -> Emission:
    """Elaborate ``component`` as the top module ``name``; return all its modules."""
    platform = Emission(name, simulation=simulation)
    platform.emit(component, name)
    return platform


def rtlil(component: wiring.Component, name: str) -> str:
    """Return the RTLIL of a component and its parts; the same text on every run and machine."""
    return emission(component, name).text


def verilog(component: wiring.Component, name: str, *, every_name: bool = False) -> str:
    """Return the Verilog of a component and its parts; the same text on every run and machine.

    It has the names of all that is used, or, for waveforms, every name.

    Raises
    ------
    golden.base.errors.ToolError
        When Yosys is missing or fails.
    """
    return rtlil_to_verilog(rtlil(component, name), name, every_name=every_name)


def simulation_verilog(component: wiring.Component, name: str) -> str:
    """Return Verilog of the same behaviour in every cycle that simulators run far faster.

    Sums are sums of words, and of the names only those of modules and ports are kept: signals
    that alias others cost Icarus most of its time.

    Raises
    ------
    golden.base.errors.ToolError
        When Yosys is missing or fails.
    """
    text = emission(component, name, simulation=True).text
    # Icarus rejects the functions that multiplexers of many inputs would become.
    return _through_yosys(
        text,
        name,
        [
            "proc",
            "pmuxtree",
            "opt_clean -purge",
            "memory_collect",
            "write_verilog -noattr -norename design.v",
        ],
    )


def rtlil_to_verilog(text: str, name: str, *, every_name: bool = False) -> str:
    """Turn RTLIL into Verilog-2001 with the same modules and ports; see :func:`verilog`."""
    removed = " ".join(f"-remove {note}" for note in NOTES)
    return _through_yosys(
        tidy(text, every_name=every_name),
        name,
        [
            # As Amaranth does: processes that Verilog can say stay processes.
            "proc -nomux -norom -noopt",
            "memory_collect",
            f"attrmap {removed}",
            f"attrmap -modattr {removed}",
            "write_verilog -norename design.v",
        ],
    )


def _through_yosys(text: str, name: str, commands: list[str]) -> str:
    """Return the Verilog that Yosys' commands write to ``design.v``, mended for simulators."""
    with tempfile.TemporaryDirectory(prefix="kllm-") as scratch:
        folder = Path(scratch)
        (folder / "design.il").write_text(text, encoding="utf-8")
        run_yosys(
            folder,
            ["read_rtlil design.il", *commands],
            task=f"writing the Verilog of {name}",
            timeout=VERILOG_SECONDS,
        )
        result = (folder / "design.v").read_text(encoding="utf-8")
    banner, _, body = result.partition("\n")
    assert banner.startswith("/* Generated by Yosys"), banner
    # The bit that makes simulators run each process once has a line of Yosys' source in its name.
    body = re.sub(r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ ", r"\\$start ", body)
    # An initial value in a declaration looks as if a process might set it once more.
    body = INITIAL.sub(r"\1;\n  initial \2= \3;", body)
    # Set before the processes wait for a change it starts none of them, so set it after.
    body = body.replace("initial \\$start  = 0;", "initial \\$start  <= 0;")
    head = f"// {name}: generated from its Amaranth source; do not edit.\n"
    for warning, reason in INTENDED.items():
        head += f"// {reason}:\n// verilator lint_off {warning}\n"
    return head + body
