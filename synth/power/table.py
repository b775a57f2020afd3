"""What ``kllm power`` prints."""

from typing import Any

from golden.base.console import console, note, table
from synth.power.power import Energy


def print_energy(found: Energy, plain: dict[str, Any]) -> None:
    """Print the energy of each part, per token, and below what is in it."""
    kinds = ("charge", "internal", "clock", "leakage", "total")
    rows = table("part", *kinds, "share", title=f"{found.design}: nJ per token")
    each = 1000 * plain["tokens"]
    for part in found.blocks:
        row = [f"{getattr(part, kind) / each:,.3f}" for kind in kinds]
        rows.add_row(part.block, *row, f"{part.total / found.total:.1%}")
    console().print(rows)
    note(
        f"{plain['pj_per_token'] / 1000:,.1f} nJ per token, {plain['pj_per_multiply_add']:.2f} pJ"
        f" per multiply-add ({plain['layer']}), {plain['milliwatts']:.1f} mW at a clock of"
        f" {found.clock_ps:,.0f} ps. {found.library}, {found.volts:g} V, {found.cycles} cycles,"
        f" {plain['tokens']} tokens. Charge: of inputs; internal: within cells; clock: at the"
        " clock pins of registers. Without wires, the clock's tree and its gating, memories, and"
        " what flickers within a cycle."
    )
