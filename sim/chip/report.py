"""What ``kllm generate`` prints, and writes as JSON and as arrays."""

import io
from typing import Any

import numpy as np

from golden.base.console import console, table
from sim.chip.generate import Generated, GenerateOptions

PER_TOKEN = ("cycles", "read_bytes", "write_bytes")


def summary(found: Generated, options: GenerateOptions, text: str) -> dict[str, Any]:
    """Return all figures, ready for JSON.

    ``array_use`` is the share of the lookup array's multiply-accumulates that the model's weights
    need, in all cycles of a token; the prompt's tokens count to the first.
    """
    figures: dict[str, Any] = {
        "text": text,
        "chip": options.chip,
        "simulator": options.simulator,
        "prompt": found.prompt,
        "tokens": found.tokens,
        "logits": int(found.logits.size),
        "mismatches": found.mismatches,
        "bytes_that_differ": found.other_bytes,
        "first_wrong": found.first_wrong,
    }
    if found.run:
        figures |= {name: found.per_token(name) for name in PER_TOKEN}
        figures |= {
            "total_cycles": found.run.cycles,
            "seconds": found.seconds,
            "total_read_bytes": found.run.read_bytes,
            "total_write_bytes": found.run.write_bytes,
            "weight_bytes": weight_bytes(found),
            "array_use": array_use(found, options),
            "fault": found.run.fault,
        }
    return figures


def weight_bytes(found: Generated) -> int:
    """Return the bytes of the weight codes that a token needs."""
    regions = found.compiled.regions
    return sum(size for name, (_, size) in regions.items() if name.endswith(".weights"))


def array_use(found: Generated, options: GenerateOptions) -> list[float]:
    """Return the share of the array's work that weights need, for each token but the first."""
    engine = options.spec.engine
    products = 2 * weight_bytes(found)
    per_cycle = engine.inputs_per_beat * engine.output_lanes
    return [products / per_cycle / cycles for cycles in found.per_token("cycles")[1:]]


def show(found: Generated, options: GenerateOptions) -> None:
    """Print the figures."""
    if found.run:
        sheet = table("new token", "cycles", "read KB", "written KB", title=options.chip)
        per_token = [found.per_token(name) for name in PER_TOKEN]
        for n, (cycles, read, written) in enumerate(zip(*per_token, strict=True)):
            name = f"1, and {found.prompt} of the prompt" if n == 0 else str(n + 1)
            sheet.add_row(name, f"{cycles}", f"{read / 1024:.1f}", f"{written / 1024:.1f}")
        console().print(sheet)
        use = array_use(found, options)
        if use:
            console().print(
                f"{np.mean(found.per_token('cycles')[1:]):.0f} cycles a token; weights keep the"
                f" lookup array busy for {100 * np.mean(use):.0f} % of them"
            )
            passes = len(found.tokens) - 1
            console().print(
                f"{found.run.cycles / found.seconds:,.0f} cycles simulated in a second,"
                f" {passes / found.seconds:.1f} tokens"
            )
        console().print(
            f"{found.mismatches} of {found.logits.size} logits, and {found.other_bytes} bytes of"
            " the memory, differ from the golden machine's"
        )
    else:
        console().print("the golden machine alone: no chip was simulated")


def arrays(found: Generated) -> bytes:
    """Return an .npz: tokens, logits of both, and cycles and bytes of each new token."""
    file = io.BytesIO()
    per_token: dict[str, Any] = {name: np.array(found.per_token(name)) for name in PER_TOKEN}
    np.savez_compressed(
        file,
        tokens=np.array(found.tokens),
        logits=found.logits.view(np.float16),
        logits_golden=found.logits_golden.view(np.float16),
        **per_token,
    )
    return file.getvalue()
