"""The command ``kllm cycles``."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from golden.base.errors import InputError, ToolError
from kllm.options import Json, Listing, Plot, Seed, refuse
from kllm.results import deliver, require_json

if TYPE_CHECKING:
    from gateware.system.estimate import Estimate

EXAMPLES = """
Examples:

kllm cycles llama-2-7b  -  tokens a second and joules of every design, a token after 1024 others

kllm cycles llama-3-8b opt-13b --design lookup --batch 16 --context 8192 --memory hbm3

kllm cycles path/to/config.json --memory lpddr5 --prefill  -  your own model's prompt

kllm cycles --list  -  which models, designs and memories there are

kllm cycles --check  -  the formulas against simulation, on 48 shapes
"""
SETTINGS = ("design", "memory", "context", "batch", "prefill", "outliers", "bits_a", "clock_mhz")


def command(
    context: typer.Context,
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="MODEL", help="By name, or its config.json; all by default."),
    ] = None,
    design: Annotated[
        list[str] | None, typer.Option(help="A design; repeatable. All by default.")
    ] = None,
    memory: Annotated[str, typer.Option(help="Memory outside the chip.")] = "hbm2x8",
    length: Annotated[
        int, typer.Option("--context", help="Tokens before, or of the prompt: 1 to 131072.")
    ] = 1024,
    batch: Annotated[int, typer.Option(help="Texts side by side, 1 to 16.")] = 1,
    prefill: Annotated[bool, typer.Option("--prefill", help="Read a prompt.")] = False,
    outliers: Annotated[
        float, typer.Option(metavar="PERCENT", help="Of activations, both sides: 0 to 10.")
    ] = 1.0,
    bits_a: Annotated[
        int, typer.Option(help="Bits of an activation in the lookup engine: 4, 5 or 8.")
    ] = 8,
    clock_mhz: Annotated[float, typer.Option(metavar="MHZ", min=1.0, max=1e5)] = 500.0,
    listing: Listing = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare the formulas with simulation; no estimate.")
    ] = False,
    seed: Seed = 0,
    plot: Plot = None,
    json_file: Json = None,
) -> None:
    """Say how fast a whole model runs on a chip, and what a token takes in joules.

    Cycles are exact formulas of the engines, which --check holds to simulation. Two speeds: where
    an engine's stages never wait for each other, and where each layer waits for the one before, as
    the chip runs programs today. Energies are those of measured cells and of published memories;
    docs/system.md says what they rest on. --plot draws the roofline.
    """
    from golden.base.files import require_plot

    require_json(json_file)
    require_plot(plot)
    if listing:
        return _list()
    if check:
        refuse(context, "--check simulates shapes of its own", "models", "plot", *SETTINGS)
        return _check(seed, json_file)
    found = _estimates(
        models,
        design,
        memory,
        {"context": length, "batch": batch, "prefill": prefill},
        outliers,
        bits_a,
        clock_mhz * 1e6,
    )
    deliver(json_file, [one.as_json() for one in found], lambda: _show(found))
    if plot:
        from gateware.system.roofline import draw

        draw(found, memory, clock_mhz * 1e6, plot)
    return None


def _estimates(
    models: list[str] | None,
    designs: list[str] | None,
    memory: str,
    phase: dict[str, Any],
    outliers: float,
    bits_a: int,
    clock: float,
) -> "list[Estimate]":
    from gateware.system.compare import table
    from gateware.system.designs import chip, chips
    from gateware.system.estimate import Phase
    from golden.base.names import lookup
    from golden.system.memories import MEMORIES
    from golden.system.shapes import MODELS, model_shape

    if not 0 <= outliers <= 10:
        raise InputError(f"--outliers must be from 0 to 10 percent, got {outliers:g}")
    if bits_a not in (4, 5, 8):
        raise InputError(f"--bits-a must be 4, 5 or 8, got {bits_a}")
    names = [chip(name).name for name in designs or chips()]
    shapes = [model_shape(name) for name in models or MODELS]
    carried = lookup("memory", memory, MEMORIES, "kllm cycles --list")
    return [
        *table(
            shapes, names, carried, [Phase(**phase)], bits_a=bits_a, outliers=outliers, clock=clock
        )
    ]


def _show(found: "list[Estimate]") -> None:
    from golden.base.console import console, note, table

    titles = ("tokens/s", "one by one", "waits for", "GB", "mJ, array", "SRAM", "chip", "with DRAM")
    shown = table("model", "design", *titles, title=f"{found[0].phase}, {found[0].memory}")
    for one in found:
        shown.add_row(
            one.model,
            one.design,
            f"{one.tokens_per_second:.4g}",
            f"{one.one_by_one:.4g}" if one.one_by_one else "",
            one.bound,
            f"{one.bytes / 1e9:.3g}",
            *(f"{mj:.3g}" for mj in (one.array_mj, one.sram_mj, one.chip_mj, one.whole_mj)),
        )
    console().print(shown)
    note(
        "Tokens/s: an engine's stages never wait for each other; one by one: each layer waits for"
        " the one before. mJ of a token: three times the array's measured cells, for wires and all"
        " else on the chip; buffers; DRAM."
    )


def _list() -> None:
    from gateware.system.designs import chips
    from golden.base.console import console, table
    from golden.system.memories import MEMORIES
    from golden.system.shapes import MODELS

    shown = table("model", "linear weights, millions", "layers", "heads", "of keys")
    for name, one in MODELS.items():
        millions = f"{one.weights / 1e6:.0f}"
        shown.add_row(name, millions, str(one.layers), str(one.heads), str(one.kv_heads))
    console().print(shown)
    shown = table("design", "products a cycle", "engines")
    for name, chip in chips().items():
        shown.add_row(name, str(chip.products), str(chip.engines))
    console().print(shown)
    shown = table("memory", "GB/s", "streamed", "pJ/bit", "", "source")
    for name, one in MEMORIES.items():
        numbers = (one.bytes_per_second / 1e9, one.streamed / 1e9, one.pj_per_bit)
        shown.add_row(name, *(f"{number:.4g}" for number in numbers), one.name, one.source)
    console().print(shown)


def _check(seed: int, json_file: Json) -> None:
    from golden.base.console import console, table, working
    from sim.run.cycle_check import as_json, check_cycles

    with working() as say:
        found = [*check_cycles(seed, say=say)]
    shapes = {(one.design, one.inputs, one.outputs, one.k_top) for one in found}
    wrong = [one for one in found if not one.right]

    def show() -> None:
        shown = table("design", "inputs", "outputs", "outliers a side", "cycles", "formula", "run")
        for one in found:
            sizes = (one.inputs, one.outputs, one.k_top, one.what, one.formula, one.simulated)
            shown.add_row(one.design, *map(str, sizes), style="" if one.right else "red")
        console().print(shown)
        console().print(f"{len(shapes)} shapes, {len(found)} numbers, {len(wrong)} differ")

    deliver(json_file, as_json(found), show)
    if wrong:
        one = wrong[0]
        raise ToolError(
            f"{one.design}, {one.inputs} x {one.outputs} with {one.k_top} outliers on each side:"
            f" {one.what} take {one.simulated} cycles, not {one.formula}"
        )
