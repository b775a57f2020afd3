"""A counter engine in the simulator: as any engine, but with a weight memory for each branch."""

from typing import ClassVar

from golden.exact.linear import QuantizedLinear
from sim.kit.counter_words import ColumnMemory, RowMemory
from sim.kit.engine_bed import Answer, EngineBed


class CounterBed(EngineBed):
    """Loads layers into a counter engine and runs tokens through it; see :class:`EngineBed`."""

    WEIGHTS: ClassVar[dict[str, str]] = {
        "tile_request_o": "tile_weight_i",
        "row_request_o": "row_weight_i",
    }

    def memories(self, layer: QuantizedLinear) -> dict[str, Answer]:
        """Return what answers the requests for columns, and for rows."""
        columns, rows = ColumnMemory(self.block.spec, layer), RowMemory(self.block.spec, layer)
        return {
            "tile_request_o": lambda request: columns.answer(request["tile"], request["address"]),
            "row_request_o": lambda request: rows.answer(request["group"], request["channel"]),
        }
