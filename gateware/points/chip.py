"""Chips, and their components."""

from functools import partial
from typing import Any

from gateware.point import Point, listed
from gateware.sizes import sized
from golden.exact.spec import default_numbers
from hw.chip.beside import Beside
from hw.chip.cache_writer import CacheWriter
from hw.chip.chip import Chip
from hw.chip.chip_spec import ChipSpec
from hw.chip.constant_loader import ConstantLoader
from hw.chip.feeder import Feeder
from hw.chip.instruction_check import InstructionCheck
from hw.chip.instruction_fetch import InstructionFetch
from hw.chip.linear_unit import LinearUnit
from hw.chip.loader import Loader
from hw.chip.outlier_gatherer import OutlierGatherer
from hw.chip.output_writer import OutputWriter
from hw.chip.sequencer import Sequencer
from hw.chip.storer import Storer
from hw.chip.tile_buffer import TileBuffer
from hw.chip.tile_fetcher import TileFetcher
from hw.chip.vector_memory import VectorMemory
from hw.chip.weight_reader import WeightReader
from hw.chip.word_splitter import WordSplitter
from hw.chip.write_port import WritePort
from hw.engine_spec import EngineSpec

NUMBERS = default_numbers(symmetric=True, activation_bits=8)


def chip_spec(engine: dict[str, int], *, tokens_together: int, **sizes: Any) -> ChipSpec:
    """Return the parameters of a chip: sizes of its engine, and its own."""
    size = EngineSpec(
        numbers=NUMBERS,
        token_factor=True,
        wide_channels=True,
        loads_ahead=True,
        snaps=True,
        shows_outliers=True,
        tokens_together=tokens_together,
        **engine,
    )
    return ChipSpec(engine=size, **sizes)


TINY = chip_spec(
    sized(4, 4, 64, 64, 4, 2),
    **{"tokens_together": 4, "bus_bits": 64, "vector_words": 64, "vector_lanes": 1},
    gelu=True,
)
EDGE = chip_spec(
    sized(16, 16, 768, 768, 16, 4),
    **{"bus_bits": 1024, "vector_words": 2048, "vector_lanes": 4},
    tokens_together=16,
)
LARGE = chip_spec(
    sized(16, 64, 768, 768, 16, 8),
    **{"bus_bits": 4096, "ports": 4, "vector_words": 2048, "vector_lanes": 8},
    tokens_together=16,
)
# As large as MiniLM's layers are.
ENCODER = chip_spec(
    sized(16, 16, 1536, 1536, 16, 4),
    **{"tokens_together": 16, "bus_bits": 1024, "vector_words": 256, "vector_lanes": 4},
    gelu=True,
)
# For benches of blocks: a beat is one word of the bus, or several; a word of the vector memory is
# larger than an input channel's codes, or as large.
SMALL: dict[str, Any] = {"tokens_together": 4, "bus_bits": 128, "vector_words": 32}
SIZES = {
    "small": chip_spec(sized(8, 4, 32, 32, 6, 2), **SMALL, vector_lanes=2),
    "wide": chip_spec(sized(4, 32, 32, 128, 2, 4), **SMALL, vector_lanes=1),
}
BLOCKS = {
    "constant_loader": ConstantLoader,
    "cache_writer": CacheWriter,
    "tile_fetcher": TileFetcher,
    "weight_reader": WeightReader,
    "outlier_gatherer": OutlierGatherer,
    "loader": Loader,
    "instruction_check": InstructionCheck,
    "beside": Beside,
    "storer": Storer,
    "feeder": Feeder,
    "output_writer": OutputWriter,
    "word_splitter": WordSplitter,
    "vector_memory": VectorMemory,
    "tile_buffer": TileBuffer,
    "write_port": WritePort,
}
CHIPS = {"chip_tiny": TINY, "chip_edge": EDGE, "chip_large": LARGE, "chip_encoder": ENCODER}


def _about(spec: ChipSpec) -> str:
    engine = spec.engine
    return (
        f"a chip that runs decoders{' and encoders' * spec.gelu}:"
        f" {engine.inputs_per_beat} x {engine.output_lanes} lanes,"
        f" {spec.ports} memory bus{'es' * (spec.ports > 1)} of {spec.bus_bits // spec.ports} bits"
    )


POINTS = (
    *(
        listed(
            name,
            partial(Chip, spec),
            _about(spec),
            bench="chip.bench_chip" if spec == TINY else None,
        )
        for name, spec in CHIPS.items()
    ),
    *(
        Point(f"{name}_{size}", partial(kind, spec), steady=("step",))
        for name, kind in BLOCKS.items()
        for size, spec in SIZES.items()
    ),
    Point("linear_unit_small", partial(LinearUnit, SIZES["small"])),
    # An instruction takes two words of the bus, or stands beside others in one.
    Point("instruction_fetch_small", partial(InstructionFetch, SIZES["small"])),
    Point("instruction_fetch_edge", partial(InstructionFetch, EDGE)),
    Point("sequencer_small", partial(Sequencer, SIZES["small"]), steady=("chosen",)),
    Point("sequencer_edge", partial(Sequencer, EDGE), steady=("chosen",)),
)
