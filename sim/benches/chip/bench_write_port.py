"""cocotb bench for WritePort: each piece becomes a request and a word, whoever waits."""

import cocotb
import numpy as np

from sim.kit.chip_units import piece_sizes
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic

COUNT = 40


def any_pieces(bed: Testbed) -> list[dict[str, int]]:
    """Return pieces anywhere, of some bytes or of all."""
    layout, made = piece_sizes(bed.block.spec), []
    for _ in range(COUNT):
        piece = {n: int.from_bytes(bed.rng.bytes(-(-bits // 8))) for n, bits in layout.items()}
        full = (1 << layout["strobe"]) - 1
        piece["strobe"] = full if bed.rng.random() < 0.3 else piece["strobe"] & full
        made.append(piece)
    return made


@every_traffic
@cocotb.test(timeout_time=200, timeout_unit="us")
async def makes_words(dut, traffic: str) -> None:
    """There is one request and one word for each piece, its bytes where they belong."""
    bed = await Testbed(dut).start()
    pieces, spec = any_pieces(bed), bed.block.spec
    await bed.send_anew(traffic, i=pieces)
    size = piece_sizes(spec)["strobe"]
    words = await bed.receive("word_o", COUNT)
    asked = await bed.receive("request_o", COUNT)
    for n, piece in enumerate(pieces):
        base = piece["address"] // spec.bus_bytes * spec.bus_bytes
        assert asked[n] == {"address": base, "words": 1}, f"piece {n}"
        shift = piece["address"] // size * size - base
        assert words[n]["strobe"] == piece["strobe"] << shift, f"piece {n}"
        for byte in range(size):
            if piece["strobe"] >> byte & 1:
                got = words[n]["data"] >> 8 * (byte + shift)
                assert not (got ^ piece["data"] >> 8 * byte) & 255, f"piece {n}, byte {byte}"
    await bed.cycles(2)
    assert len(bed.sources["i"].taken_at) == COUNT
    if traffic == "free":
        for port in ("request_o", "word_o"):
            assert set(np.diff(bed.sinks[port].taken_at)) == {2}, port
