"""What the FP16 compensation blocks should do: beats in order, and sums tile by tile."""

from collections.abc import Iterator

import numpy as np

from hw.linear.counter_fp16.fp16_counter_spec import Fp16CounterSpec


def compensation_beats(spec: Fp16CounterSpec, shape: dict[str, int]) -> Iterator[dict[str, int]]:
    """Yield one token's beats in their order, as ``spec.compensation_beat``."""
    groups = -(-shape["outputs"] // spec.group_channels)
    outliers = 2 * shape["k_top"]
    for start in range(0, groups, spec.slots):
        block = range(start, min(start + spec.slots, groups))
        for address in range(outliers):
            for group in block:
                last = address == outliers - 1
                yield {
                    "group": group,
                    "slot": group - start,
                    "address": address,
                    "first": int(address == 0),
                    "last": int(last),
                    "block_last": int(last and group == block[-1]),
                    "token_last": int(last and group == groups - 1),
                }


def tiles(spec: Fp16CounterSpec, sums: np.ndarray) -> list[list[int]]:
    """Return sums (T, N) as tiles, one token after another; what is beyond N is zero."""
    padded = np.pad(sums, ((0, 0), (0, -sums.shape[1] % spec.output_lanes)))
    return padded.reshape(-1, spec.output_lanes).tolist()


def assert_tiles(spec: Fp16CounterSpec, got: list[list[int]], sums: np.ndarray) -> None:
    """Compare tiles with sums (T, N), within N."""
    flat = np.array(got).reshape(len(sums), -1)
    assert flat.shape[1] == -(-sums.shape[1] // spec.output_lanes) * spec.output_lanes
    np.testing.assert_array_equal(flat[:, : sums.shape[1]], sums)
