"""Kinds of component whose streams are not proven, each with the reason.

Tried with free inputs and a minute for each search. What is proven of their parts, or of what
they are part of, stands in :mod:`sim.proofs.proofs`; their benches try all of them.
"""

COMMANDS = "refuted with free inputs, which give its commands in orders that its port texts exclude"
SLOW = "Yosys needs more than a minute to make one graph of it"
LOADED = "a layer must be loaded first: nothing comes out in the cycles that can be searched"
LATE = "a scale takes longer than the cycles that can be searched: no code comes out in them"
LARGE = "its multipliers: not even 30 cycles can be searched in a minute"
STARTED = "refuted with free inputs, which start a step while another one is under way"
SHOWN = "refuted with free inputs: what a memory shows of the word that was read may change"
LIMITS = {
    # The outlier engines around the first four are proven whole.
    "HeapList": COMMANDS,
    "OutlierSide": COMMANDS,
    "RankLists": COMMANDS,
    "SortedList": COMMANDS,
    "TileQueue": COMMANDS,
    "TileRequester": COMMANDS,
    # Streams of much that they consist of are proven.
    "CounterEngine": LOADED,
    "Fp16CounterEngine": SLOW,
    "LookupEngine": LOADED,
    "CacheQuantizer": LATE,
    # Units of the chip; their benches hold to what the sequencer does.
    "CacheWriter": STARTED,
    "ConstantLoader": STARTED,
    "Storer": STARTED,
    "TileFetcher": STARTED,
    "Feeder": SHOWN,
    "WeightReader": SHOWN,
    "LinearUnit": LOADED,
    "StreamEngine": LOADED,
    "Chip": SLOW,
    "CounterArray": LARGE,
    "CounterQuantizer": LARGE,
    "Fp16CompensationArray": LARGE,
    "Fp16CounterArray": SLOW,
    "Fp16Quantizer": LARGE,
    "GroupScaler": LARGE,
    "ScaledArray": LARGE,
}
