"""cocotb bench for ClusterPass: tokens of every length through all coding units."""

import cocotb
import numpy as np

from golden.exact.levels import Form
from golden.exact.linear import activation_index
from golden.exact.mapping import index_code
from sim.kit.buffers import ServedBuffer, WrittenBuffer
from sim.kit.codebooks import any_a_centroids, measure_words, near_scale, random_scales
from sim.kit.levels import any_levels, level_ports
from sim.kit.testbed import Testbed
from sim.kit.tokens import joined, split

TOKENS = 40


@cocotb.test(timeout_time=30, timeout_unit="us")
async def clusters_tokens(dut) -> None:
    """Every code is the golden one, in its place; the pass takes as long as is stated."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    symmetric, lanes = spec.numbers.symmetric, spec.inputs_per_beat
    for n, scale in enumerate(random_scales(bed.rng, TOKENS)):
        inputs = (1, spec.inputs_max)[n] if n < 2 else int(bed.rng.integers(1, spec.inputs_max))
        centroids = any_a_centroids(bed.rng, spec)
        x = near_scale(bed.rng, scale, inputs, inputs)
        bed.set(inputs=inputs, measure=measure_words(spec, scale, centroids))
        levels = any_levels(bed.rng, spec)
        ports = level_ports(bed.rng, spec, levels)
        bed.set(**ports)
        await bed.restart()
        await bed.settled()
        assert bed.get("finished"), "busy after a reset"
        await bed.cycles()
        beats = list(split(spec, x))
        served = ServedBuffer(bed, "tokens", [[joined(beat, 16) for beat, _ in beats]])
        if spec.snaps:  # another form may come before
            await whole_grid(bed, int(bed.rng.integers(1, 4)))
            bed.set(**ports)
        codes = WrittenBuffer(bed, "codes")
        if n % 4 == 3:  # a reset in the middle
            await bed.pulse("start")
            await bed.cycles(1)
            codes = await again(bed, beats)
        await bed.pulse("start")
        cycles = await bed.until("finished")
        assert cycles == len(beats) * (spec.code_groups if levels else 1) + bed.block.behind
        index = activation_index(x[None], scale, centroids, made=spec.numbers.made, levels=levels)[
            0
        ]
        expected = index_code(index, len(centroids), symmetric=symmetric, bits=spec.code_bits)
        for address, (beat, _) in enumerate(beats):
            for lane in range(len(beat)):
                group, place = divmod(lane, lanes // spec.code_groups)
                got = codes.words[address, group] >> (place * spec.code_bits) & (
                    (1 << spec.code_bits) - 1
                )
                np.testing.assert_equal(got, expected[address * lanes + lane])
        assert len(codes.words) == len(beats) * spec.code_groups
        assert served.released == 0


async def whole_grid(bed: Testbed, passes: int) -> None:
    """Have the token's codes written so many times as they are."""
    bed.set(form=Form.A8.value)
    for _ in range(passes):
        await bed.pulse("start")
        await bed.until("finished")


async def again(bed: Testbed, beats: list) -> WrittenBuffer:
    """Reset; serve the same token and keep what is written from now on."""
    await bed.restart()
    ServedBuffer(bed, "tokens", [[joined(beat, 16) for beat, _ in beats]])
    return WrittenBuffer(bed, "codes")
