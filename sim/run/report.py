"""What a run says of itself: tables for people, JSON and arrays for programs."""

import io
from typing import Any

import numpy as np
from rich.text import Text

from golden.base import console
from sim.run.run import Outcome


def summary(outcome: Outcome) -> dict[str, Any]:
    """Return everything that was measured, ready for JSON.

    Errors are root mean squares over tokens and output channels, relative to that of the FP32
    layer's outputs without bias and mean.
    """
    options, source, layer, run = outcome.options, outcome.source, outcome.layer, outcome.run
    return {
        "layer": source.name,
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        "tokens": len(run.y),
        "bits_w": len(layer.w_centroids).bit_length() - 1,
        "bits_a": layer.activation_bits,
        "symmetric": layer.spec.symmetric,
        "magnitude_bits": layer.spec.magnitude_bits,
        "outliers": layer.k_top / layer.inputs if source.layer else options.outlier_share,
        "recipe": "kept" if source.layer else options.recipe,
        "k_top": layer.k_top,
        "seed": options.seed,
        "design": options.design_name,
        "simulator": options.simulator,
        "values": run.y.size,
        "mismatches": outcome.mismatches,
        "first_wrong": outcome.first_wrong,
        "flags": run.flags,
        "error": outcome.errors.relative(),
        "cycles": {
            "beats": outcome.beats,
            "per_token": run.cycles.tolist(),
            "fill": (run.cycles - outcome.beats).tolist(),
            "interval": run.intervals.tolist(),
            "utilisation": outcome.utilisation,
            "simulated": run.simulated,
            "simulated_per_second": run.simulated / run.seconds,
        },
        "area": outcome.area,
    }


def arrays(outcome: Outcome) -> bytes:
    """Return the ``.npz`` file of a run: the layer as quantised, and what became of each token."""
    layer, golden, run = outcome.layer, outcome.golden, outcome.run
    file = io.BytesIO()
    np.savez(
        file,
        x=outcome.source.x.view(np.float16),
        y=run.y.view(np.float16),
        y_golden=golden.y.view(np.float16),
        a_scale=golden.a_scale.value(),
        a_codebook=layer.a_codebook(),
        w_codebook=layer.w_codebook(),
        w_index=layer.w_index,
        a_index=golden.a_index.astype(np.uint8),
        w_scale=layer.w_scale.value(),
        bias=layer.bias.view(np.float16),
        outlier_index=golden.outlier_index,
        cycles=run.cycles,
    )
    return file.getvalue()


def show(outcome: Outcome) -> None:
    """Print the run as a table, with what its lines mean below."""
    facts = summary(outcome)
    error, cycles = facts["error"], facts["cycles"]
    wrong = facts["mismatches"]
    bits = f"W{facts['bits_w']}A{facts['bits_a']}"
    rows = console.table("", "", title=facts["layer"], numeric=False)
    rows.show_header = False
    rows.add_row("layer", f"K = {facts['inputs']}, N = {facts['outputs']}, {bits}")
    rows.add_row("tokens", str(facts["tokens"]))
    rows.add_row("outliers", f"{facts['k_top']} on each side of a token")
    rows.add_row("engine", f"{facts['design']} on {facts['simulator']}")
    rows.add_row(
        "mismatching values",
        Text(f"{wrong} of {facts['values']}", "red" if wrong else "green"),
    )
    if wrong:
        rows.add_row("the first of them", Text(outcome.first_wrong or "", "red"))
    rows.add_row("flags", ", ".join(n for n, on in facts["flags"].items() if on) or "none")
    rows.add_section()
    rows.add_row("quantisation error, K-Means", _percent(error["quantisation"]))
    rows.add_row(f"  INT {bits}, per token", _percent(error["int_per_token"]))
    rows.add_row(f"  INT {bits}, groups of 128", _percent(error["int_groups_of_128"]))
    ratio = error["arithmetic_over_quantisation"]
    arithmetic = f"{_percent(error['arithmetic'])}, 1/{1 / ratio:.1f} of K-Means'"
    name = "arithmetic error" + " of the golden model, not of this engine" * bool(wrong)
    rows.add_row(name, arithmetic if ratio else "0")
    rows.add_section()
    rows.add_row("beats per token", str(cycles["beats"]))
    rows.add_row("cycles per token", _span(cycles["per_token"]))
    rows.add_row("  of these filling the pipeline", _span(cycles["fill"]))
    if cycles["interval"]:
        rows.add_row("cycles from token to token", _span(cycles["interval"]))
    rows.add_row("lanes in use", _percent(cycles["utilisation"]))
    rows.add_row(
        "simulated", f"{cycles['simulated']} cycles, {cycles['simulated_per_second']:.0f} a second"
    )
    area = facts["area"]
    if area:
        rows.add_section()
        rows.add_row("area", f"{area['ge'] / 1000:.1f} kGE in {area['library']}")
        rows.add_row("  flip-flops' share", _percent(area["ge_sequential"] / area["ge"]))
        rows.add_row("longest path", f"{area['delay_fo4']:.0f} FO4")
    notes = (
        "Errors: root mean square, relative to that of the FP32 layer's outputs without bias"
        " and mean. Cycles per token: first beat of weights to last output; filling overlaps with"
        " the next token."
    )
    if area:
        notes += " GE: areas of the least NAND2. FO4: delay of an inverter that drives four."
    console.console().print(rows)
    console.note(notes)


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _span(values: list[int]) -> str:
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
