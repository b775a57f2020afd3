"""Energy of a multiply-accumulate in each array that is compared, at one clock.

``PDK_ROOT=FOLDER python -m synth.power.arrays --liberty asap7`` measured what is kept beside
:mod:`gateware.system.energies`: all arrays in one run, some minutes for each. A run that ends early
goes on where it was: an array that has been measured is kept as areas are, in ``build/synth`` or
the folder that ``KLLM_CACHE`` names, and is measured anew if its RTL, its stimuli or the flow have
changed.
"""

import argparse
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from gateware.density_points import counter_spec
from gateware.design import Design
from gateware.points import point
from gateware.points.baseline import make_array
from gateware.sizes import engine_spec
from gateware.system.energies import KEPT
from golden.base.cache import Cache, default_cache
from golden.base.console import working
from golden.base.files import require_writable, write_whole
from golden.exact.mac import GROUP
from hw.baseline.mac_spec import MacSpec
from hw.baseline.scaled_array import ScaledArray
from hw.linear.counter.bin_merge import BinMerge
from hw.linear.counter.count_tree import CountTree
from hw.linear.lookup.lookup_array import LookupArray
from synth.area.measure import digest, measure_all
from synth.libraries.liberty import Library
from synth.libraries.libraries import load
from synth.mapping.mapped import flow_digest
from synth.power.array_rows import array_rows
from synth.power.held_counter import HeldCounter
from synth.power.part_energy import row_energy

CLOCK_PS = 2000.0  # 500 MHz, the paper's
# The paper's line: of each part how many, and the pairs that it counts a cycle.
LINE = {"counter": 32, "bin": 256, "tree": 1}
PAIRS = 512


def _mac(arithmetic: str, lanes: int, inputs: int = 4096) -> MacSpec:
    return MacSpec(arithmetic=arithmetic, inputs_per_beat=16, output_lanes=lanes, inputs_max=inputs)


def _array(arithmetic: str, lanes: int) -> Design:
    spec = _mac(arithmetic, lanes)
    return Design(f"{arithmetic}_array_16x{lanes}", partial(make_array, spec))


def arrays() -> dict[str, tuple[Design, int]]:
    """Return the arrays by what they compute, each with its multiply-accumulates per cycle."""
    longer = {bits: engine_spec("small", symmetric=True, activation_bits=bits) for bits in (5, 8)}
    group = _mac("int4", 8, GROUP)
    found = {
        "lookup": point("lookup_array"),
        **{
            f"lookup A{bits}": Design(f"lookup_array_a{bits}", partial(LookupArray, spec))
            for bits, spec in longer.items()
        },
        "int4 with scales": Design("int4_scaled_array_16x8", partial(ScaledArray, group)),
        "int8": _array("int8", 4),
        "fp16": _array("fp16", 1),
    }
    spec = counter_spec()
    parts = {"counter": HeldCounter, "bin": BinMerge, "tree": CountTree}
    line = {
        f"line, {part}": Design(f"line_{part}", partial(kind, spec)) for part, kind in parts.items()
    }
    # Of a part of a line the energy of a cycle is kept.
    return {
        name: (one, one.spec.inputs_per_beat * one.spec.output_lanes) for name, one in found.items()
    } | {name: (one, 1) for name, one in line.items()}


def array_row(name: str, library: Library) -> dict[str, Any]:
    """Return what a multiply-accumulate of an array takes: pJ, and gates for one a cycle."""
    design, products = arrays()[name]
    energy = row_energy(design, array_rows(design), library, CLOCK_PS)
    work = products * energy.cycles
    parts = ("charge", "internal", "clock", "leakage")
    sums = {part: sum(getattr(one, part) for one in energy.blocks) / work for part in parts}
    area = measure_all([design], library, timed=False)[0]
    return {
        "array": name,
        "design": design.name,
        "library": library.name,
        "volts": energy.volts,
        "clock_ps": CLOCK_PS,
        "products": products,
        "ge": area.ge / products,
        "area": area.area / products,
        "pj": energy.total / work,
        **sums,
    }


def row_digest(name: str, library: Library) -> str:
    """Return a hash of all that an array's row depends on."""
    flow = [path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))]
    return digest(flow_digest(library), arrays()[name][0].rtlil(), *flow)


def kept_row(name: str, library: Library, known: Cache) -> dict[str, Any]:
    """Return an array's row, from an earlier run if that measured it."""
    key = row_digest(name, library)
    return known.made(
        "array energy",
        key,
        partial(array_row, name, library),
        json.loads,
        lambda row: json.dumps(row).encode(),
    )


def line_row(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the row of the paper's line, which is the sum of its parts."""
    parts = {name: rows[f"line, {name}"] for name in LINE}
    sums = {
        key: sum(count * parts[name][key] for name, count in LINE.items()) / PAIRS
        for key in ("ge", "area", "pj")
    }
    facts = {key: parts["tree"][key] for key in ("library", "volts", "clock_ps")}
    about = {"array": "counter", "design": "32 counters, 256 bins and a tree"}
    return {**about, **facts, "products": PAIRS, **sums}


def main() -> None:
    """Measure all arrays, one after another, and write the file when all are there."""
    parser = argparse.ArgumentParser(
        prog="python -m synth.power.arrays",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--liberty", action="append", help="cells; asap7 is what is kept")
    parser.add_argument("--to", type=Path, default=KEPT, help="the file of all rows")
    chosen = parser.parse_args()
    require_writable(chosen.to)
    library, known, rows = load(chosen.liberty or []), default_cache(), {}
    with working() as say:
        for done, name in enumerate(arrays()):
            say(f"energy of {name}", done / len(arrays()))
            rows[name] = kept_row(name, library, known)
    rows["counter"] = line_row(rows)
    write_whole(chosen.to, json.dumps([*rows.values()], indent=2) + "\n")


if __name__ == "__main__":
    main()
