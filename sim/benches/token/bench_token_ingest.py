"""cocotb bench for TokenIngest: scales, outliers and the buffered token, under all traffic."""

import cocotb
import numpy as np

from golden.exact.fp16 import BitArray, flush_nonfinite, is_finite, key
from golden.exact.token_scale import ScaleFactor, token_scale
from sim.kit.buffers import read_token, release
from sim.kit.codebooks import scale_word
from sim.kit.corners import NONFINITE, clean
from sim.kit.lookups import random_shape
from sim.kit.random_layer import random_tokens
from sim.kit.testbed import Testbed
from sim.kit.tokens import outliers_of, split
from sim.kit.traffic import TRAFFIC, Pauses, every_traffic

TOKENS = 6


def beats_of(bed: Testbed, x: BitArray) -> list[list[int]]:
    """Return the beats of tokens; beyond them is noise."""
    lanes = bed.block.spec.inputs_per_beat
    return [
        beat + bed.rng.choice(NONFINITE, lanes - len(beat)).tolist()
        for token in x
        for beat, _ in split(bed.block.spec, token)
    ]


def configure(bed: Testbed, *, inputs: int, k_top: int) -> ScaleFactor:
    """Set the size of the layer."""
    factor = ScaleFactor.mean(inputs)
    shape = {**random_shape(bed.rng, bed.block.spec), "inputs": inputs, "k_top": k_top}
    bed.set(shape=shape, factor={"mantissa": factor.mantissa, "exponent": factor.exponent})
    return factor


async def read_tokens(bed: Testbed, x: BitArray, stall: float) -> None:
    """Read every token as it comes, and compare."""
    pause = Pauses(bed.rng.spawn(1)[0], stall)
    for token in x:
        while pause():
            await bed.cycles()
        await bed.until("tokens__filled")
        expected = list(split(bed.block.spec, token))
        words = await read_token(bed, "tokens", range(len(expected)), bed.block.lanes)
        for word, (beat, _) in zip(words, expected, strict=True):
            assert word == beat + [0] * (len(word) - len(beat))
        await release(bed, "tokens")


@every_traffic
@cocotb.test(timeout_time=120, timeout_unit="us")
async def takes_tokens(dut, traffic: str) -> None:
    """Each token gives its scale, its outliers, and its clean activations."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    for n in range(6):
        inputs = (spec.inputs_max, 1, *bed.rng.integers(1, spec.inputs_max, 4).tolist())[n]
        k_top = min(inputs, spec.outliers_max) if n == 0 else int(bed.rng.integers(inputs + 1))
        k_top = min(k_top, spec.outliers_max)
        factor = configure(bed, inputs=inputs, k_top=k_top)
        x = random_tokens(bed.rng, TOKENS, inputs)
        x = np.where(bed.rng.random(x.shape) < 0.01, bed.rng.choice(NONFINITE, x.shape), x)
        beats = beats_of(bed, x)
        await bed.restart()
        bed.send("i", beats)
        await bed.disturb()
        await bed.restart(traffic)
        nonfinite = bed.strobe("nonfinite")
        bed.send("i", beats)
        kept = clean(flush_nonfinite(x))
        reader = cocotb.start_soon(read_tokens(bed, kept, TRAFFIC[traffic].sink_stall))
        scale = token_scale(kept, factor)
        assert await bed.receive("scale_o", TOKENS) == [scale_word(scale, t) for t in range(TOKENS)]
        outliers = [item for token in kept for item in outliers_of(key(token), k_top)]
        if outliers:
            await bed.expect("outlier_o", outliers)
        await reader
        held = [np.array(beat[: inputs - at], np.uint16) for at, beat in positions(spec, x)]
        assert len(nonfinite) == sum(not is_finite(beat).all() for beat in held)


def positions(spec, x: BitArray):
    """Yield where each beat of each token begins, and its numbers."""
    for token in x:
        for n, (beat, _) in enumerate(split(spec, token)):
            yield n * spec.inputs_per_beat, beat


@cocotb.test(timeout_time=5, timeout_unit="us")
async def keeps_its_timing(dut) -> None:
    """Give the scale ``latency`` cycles after the last beat; the token is there by then."""
    bed = await Testbed(dut).start()
    spec = bed.block.spec
    configure(bed, inputs=spec.inputs_max, k_top=1)
    bed.send("i", beats_of(bed, np.full((1, spec.inputs_max), 0x3C00, np.uint16)))
    waited = await bed.until("tokens__filled")
    await bed.receive("scale_o", 1)
    valid, taken = bed.sinks["scale_o"].valid_at[0], bed.sources["i"].taken_at
    assert valid - taken[-1] == bed.block.latency
    assert waited + 2 <= valid
