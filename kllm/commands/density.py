"""The command ``kllm density``."""

from dataclasses import asdict

from kllm.options import Json, Liberty, Plot, Sets, SpecFile, Timeout, set_values
from kllm.results import deliver, require_json

EXAMPLES = """
Examples:

kllm density  -  in the default library

kllm density --set inputs_per_beat=32 --set inputs_max=1024  -  another lookup array

kllm density --liberty osu018 --liberty cells.lib.gz --json density.json --plot density.png
"""


def command(
    liberty: Liberty = None,
    sets: Sets = None,
    spec: SpecFile = None,
    json_file: Json = None,
    plot: Plot = None,
    timeout: Timeout = 600.0,
) -> None:
    """Compare gates per multiply-accumulate: lookup, counters, INT4, INT8, FP16 and others.

    All are measured by the same flow, from arrays that simulation holds to exact golden sums.
    What has been measured before is not measured again. A first run takes some minutes. With
    --liberty repeated there is a table for each library. --set and --spec change the lookup
    array, lookup_array of `kllm verilog --list`.
    """
    from gateware.density_points import density_points
    from golden.base.console import working
    from golden.base.files import require_plot
    from synth.area.density import accuracies, densities, paper_scale_cycles
    from synth.area.density_table import draw, show
    from synth.libraries.libraries import load

    require_json(json_file)
    require_plot(plot)
    points = density_points(set_values(sets, spec))
    libraries = [load([name] if name else []) for name in liberty or [""]]
    found = []
    with working() as say:
        accuracy = accuracies(lambda part: say("errors of a layer", None, part))
        for i, library in enumerate(libraries):
            found += densities(
                points,
                library,
                accuracy,
                timeout=timeout,
                progress=lambda part, i=i: say("synthesis", i / len(libraries), part),
            )
    deliver(
        json_file,
        [asdict(row) for row in found],
        lambda: show(found, paper_scale_cycles()),
    )
    if plot:
        draw(found, plot)
