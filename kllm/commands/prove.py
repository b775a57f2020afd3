"""The command ``kllm prove``."""

from typing import Annotated

import typer

from golden.base.errors import InputError, ToolError
from kllm.options import Json, Listing
from kllm.results import deliver, require_json

DEPTH_MAX, SECONDS_MAX = 1000, 86400
EXAMPLES = """
Examples:

kllm prove --list  -  what can be proven

kllm prove orizuru_stream_n3_k2_p4  -  that the streaming Orizuru finds the outliers

kllm prove orizuru_stream_n6_k2_p4 --depth 11  -  in the first cycles of each run only

kllm prove --json proofs.json  -  everything
"""


def command(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="PROOF", help="Proofs; by default all.")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(help="Look at runs of that many cycles only, in place of runs of any length."),
    ] = None,
    seconds: Annotated[int, typer.Option(help="Limit for each search.")] = 1800,
    listing: Listing = False,
    json_file: Json = None,
) -> None:
    """Prove, for small sizes, that components do what they must in every possible run.

    Outlier engines: what comes out is what a stable sort puts first, for all keys, lengths,
    pauses and resets. Others: their streams hold while they wait. The exit status is 1 if a rule
    is refuted; the run that does it is printed, and written as a waveform.
    """
    from golden.base.console import working
    from sim.proofs.proofs import proof, proofs
    from sim.proofs.run import figures, run_proof
    from sim.proofs.show import show, show_list

    for name, value, most in (("--depth", depth, DEPTH_MAX), ("--seconds", seconds, SECONDS_MAX)):
        if value is not None and not 1 <= value <= most:
            raise InputError(f"{name} must be from 1 to {most}, got {value}")
    if listing:
        show_list()
        return
    chosen = [proof(name) for name in dict.fromkeys(names)] if names else [*proofs().values()]
    require_json(json_file)
    results = []
    with working() as say:
        for number, one in enumerate(chosen):
            say(one.name, number / len(chosen))
            results.append(run_proof(one, seconds=seconds, depth=depth))
    deliver(json_file, [figures(one) for one in results], lambda: show(results))
    if failed := [one.proof.name for one in results if not one.holds]:
        raise ToolError(f"not proven: {', '.join(failed)}")
