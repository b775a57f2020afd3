"""Components whose streams are not proven in every run, each with the reason.

Tried with free inputs and a minute for each search. What is proven of their parts, or of what
they are part of, stands in :mod:`sim.proofs.proofs`; their benches try all of them.
"""

from dataclasses import dataclass

from hw.baseline.group_scaler import GroupScaler
from hw.baseline.scaled_array import ScaledArray
from hw.baseline.tile_queue import TileQueue
from hw.linear.counter.counter_array import CounterArray
from hw.linear.counter.counter_engine import CounterEngine
from hw.linear.counter.counter_quantizer import CounterQuantizer
from hw.linear.counter.tile_requester import TileRequester
from hw.linear.counter_fp16.fp16_compensation_array import Fp16CompensationArray
from hw.linear.counter_fp16.fp16_counter_array import Fp16CounterArray
from hw.linear.counter_fp16.fp16_counter_engine import Fp16CounterEngine
from hw.linear.counter_fp16.fp16_quantizer import Fp16Quantizer
from hw.linear.lookup.lookup_engine import LookupEngine
from hw.topk.baseline.rank_lists import RankLists
from hw.topk.orizuru.heap_list import HeapList
from hw.topk.orizuru.outlier_side import OutlierSide
from hw.topk.orizuru.sorted_list import SortedList


@dataclass(frozen=True)
class Limit:
    """How far the streams of a kind of component are proven, if not in every run.

    Parameters
    ----------
    reason : str
        Why no further.
    depth : int
        In so many first cycles of every run they are; 0 if in none.
    """

    reason: str
    depth: int = 0


COMMANDS = Limit("free inputs break the order in which its commands must come")
LOADED = Limit("a layer must be loaded first: nothing comes out in the cycles that can be searched")
LARGE = Limit("its multipliers: not even 30 cycles can be searched in a minute")
LIMITS: dict[type, Limit] = {
    # The outlier engines around these are proven whole.
    HeapList: COMMANDS,
    OutlierSide: COMMANDS,
    RankLists: COMMANDS,
    SortedList: COMMANDS,
    TileQueue: COMMANDS,
    TileRequester: COMMANDS,
    # Streams of what they consist of are proven.
    CounterEngine: LOADED,
    Fp16CounterEngine: LOADED,
    LookupEngine: LOADED,
    CounterArray: LARGE,
    CounterQuantizer: LARGE,
    Fp16CompensationArray: LARGE,
    Fp16CounterArray: LARGE,
    Fp16Quantizer: LARGE,
    GroupScaler: LARGE,
    ScaledArray: LARGE,
}
DEPTHS: dict[type, int] = {}  # of kinds whose first item takes longer than usual
