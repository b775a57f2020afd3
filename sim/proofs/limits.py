"""Kinds of component whose streams are not proven, each with the reason.

Tried with free inputs and a minute for each search. What is proven of their parts, or of what
they are part of, stands in :mod:`sim.proofs.proofs`; their benches try all of them.
"""

COMMANDS = "free inputs break the order in which its commands must come"
LOADED = "a layer must be loaded first: nothing comes out in the cycles that can be searched"
LARGE = "its multipliers: not even 30 cycles can be searched in a minute"
LIMITS = {
    # The outlier engines around these are proven whole.
    "HeapList": COMMANDS,
    "OutlierSide": COMMANDS,
    "RankLists": COMMANDS,
    "SortedList": COMMANDS,
    "TileQueue": COMMANDS,
    "TileRequester": COMMANDS,
    # Streams of much that they consist of are proven.
    "CounterEngine": LOADED,
    "Fp16CounterEngine": LOADED,
    "LookupEngine": LOADED,
    "CounterArray": LARGE,
    "CounterQuantizer": LARGE,
    "Fp16CompensationArray": LARGE,
    "Fp16CounterArray": LARGE,
    "Fp16Quantizer": LARGE,
    "GroupScaler": LARGE,
    "ScaledArray": LARGE,
}
