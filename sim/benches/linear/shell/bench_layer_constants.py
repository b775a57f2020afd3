"""cocotb bench for LayerConstants: every word loaded in random order, twice over."""

from typing import Any

import cocotb
import numpy as np
from amaranth.lib import data

from golden.chip.constants import LoadWord
from hw.linear.shell.layer_constants import Select, Size
from sim.kit.testbed import Testbed
from sim.kit.traffic import every_traffic
from sim.kit.words import pack, unpack

Word = dict[str, int]


def field_words(bed: Testbed, select: Select, port: str, values: Any) -> list[Word]:
    """Return the load words of an array port."""
    shape = bed.shape(port).elem_shape
    return [
        {"select": select.value, "address": n, "word": pack(shape, value)}
        for n, value in enumerate(values)
    ]


def random_values(bed: Testbed, port: str) -> Any:
    """Return a random value of an output port."""
    mask = bed.mask(port)
    return unpack(bed.shape(port), int.from_bytes(bed.rng.bytes(512), "little") & mask)


def words_of(bed: Testbed, values: dict[str, Any]) -> list[Word]:
    """Return all words that load ``values``."""
    words = field_words(bed, Select.W_CENTROID, "w_centroids", values["w_centroids"])
    if "levels" in values:
        level, first = values["levels"]["value"], [99, *values["levels"]["first"]]
        words += [
            {"select": Select.LEVEL.value, "address": n, "word": LoadWord.level(level[n], first[n])}
            for n in range(len(level))
        ]
    if "product_table" in values:
        words += field_words(bed, Select.A_CENTROID, "a_centroids", values["a_centroids"])
        words += table_words(bed, values["product_table"])
    sizes = {
        Size.INPUTS: values["shape"]["inputs"],
        Size.OUTPUTS: values["shape"]["outputs"],
        Size.K_TOP: values["shape"]["k_top"],
        Size.LAST_CENTROID: values["shape"]["last_centroid"],
        Size.DIGITS: values["shape"]["digits"],
        Size.FACTOR: pack(bed.shape("factor"), values["factor"]),
    }
    words += [
        {"select": Select.SIZE.value, "address": size.value, "word": word}
        for size, word in sizes.items()
    ]
    return [words[n] for n in bed.rng.permutation(len(words))]


def table_words(bed: Testbed, table: Any) -> list[Word]:
    """Return the words that load a product table."""
    rows = bed.shape("product_table").elem_shape
    if isinstance(rows, data.ArrayLayout):  # not FP16's, whose entries have one number
        return [
            {
                "select": Select.TABLE.value,
                "address": 16 * i + j,
                "word": pack(rows.elem_shape, value),
            }
            for i, row in enumerate(table)
            for j, value in enumerate(row)
        ]
    return field_words(bed, Select.TABLE, "product_table", table)


@every_traffic
@cocotb.test(timeout_time=120, timeout_unit="us")
async def loads(dut, traffic: str) -> None:
    """Each word ends where it belongs, and nothing else moves."""
    bed = await Testbed(dut).start(traffic, idle=1)
    ports = ("shape", "factor", "a_centroids", "w_centroids", "product_table", "levels")
    ports = [port for port in ports if port in bed.block.signature.members]
    words: list[Word] = []
    for _ in range(3):
        values = {port: random_values(bed, port) for port in ports}
        words = words_of(bed, values)
        await bed.settled()
        before = {port: bed.get(port) for port in ports}
        await bed.cycles()
        await bed.sources["i"].send(words)
        await bed.settled()
        if bed.block.spec.loads_ahead:
            assert {port: bed.get(port) for port in ports} == before
            await bed.cycles()
            await bed.pulse("begin")
            await bed.settled()
        assert {port: bed.get(port) for port in ports} == values
        assert bed.get("outputs") == values["shape"]["outputs"]
        assert bed.get("compensated") == (values["shape"]["k_top"] != 0)
        await bed.cycles()
    if traffic == "free":
        np.testing.assert_array_equal(np.diff(bed.sources["i"].taken_at[-len(words) :]), 1)
    await bed.restart()
    await bed.settled()
    assert all(bed.port(port) == 0 for port in ports)


@cocotb.test(timeout_time=10, timeout_unit="us")
async def strobes(dut) -> None:
    """Channels and the clearing of flags are strobes; nothing is taken unless idle."""
    bed = await Testbed(dut).start(idle=1)
    channels, cleared = bed.strobe("channel_en"), bed.strobe("clear_flags")
    sent, ahead = [], bed.block.spec.loads_ahead
    for _ in range(40):
        channel = random_values(bed, "channel")
        address = int(bed.rng.integers(bed.block.spec.outputs_max))
        word = {"select": Select.CHANNEL.value, "address": address}
        bed.send("i", [{**word, "word": pack(bed.shape("channel"), channel)}])
        await bed.settled()
        assert bed.get("channel_en")
        assert (bed.get("channel_address"), bed.get("channel")) == (address, channel)
        sent.append(address)
        await bed.cycles(2)
    await bed.sources["i"].send(
        [{"select": Select.SIZE.value, "address": Size.CLEAR_FLAGS.value, "word": 0}]
    )
    await bed.cycles(2)
    assert (len(channels), len(cleared)) == (len(sent), 0 if ahead else 1)
    if ahead:
        await banks(bed)
        return
    bed.set(idle=0)
    bed.send("i", [{"select": Select.CHANNEL.value, "address": 0, "word": 0}])
    await bed.cycles(10)
    assert len(channels) == len(sent)
    bed.set(idle=1)
    await bed.cycles(2)
    assert len(channels) == len(sent) + 1


async def banks(bed: Testbed) -> None:
    """Each layer's channels are in the bank that the layer before did not have, if it has some."""
    cleared = bed.strobe("clear_flags")
    bank, word = bed.port("channel_bank"), {"select": Select.CHANNEL.value, "address": 0, "word": 0}
    await bed.pulse("begin")
    await bed.cycles()
    assert bed.port("channel_bank") == 1 - bank, "channels were loaded"
    for n in range(12):
        bank, some = bed.port("channel_bank"), bool(bed.rng.integers(2))
        if some:
            await bed.sources["i"].send([word] * int(bed.rng.integers(1, 3)))
        assert bed.port("channel_bank") == bank
        await bed.pulse("begin")
        await bed.cycles()
        assert bed.port("channel_bank") == bank ^ some
        assert len(cleared) == n + 2
