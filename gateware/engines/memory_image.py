"""Memory image: the words that answer an engine's requests for weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, eq=False)
class MemoryImage:
    """The words that answer one stream of requests, in the order of the requests.

    Parameters
    ----------
    request, answer : str
        Ports of the engine: the stream of requests, and that of the answers.
    words : (rows, columns, bytes) uint8
        Bytes of each word, the lowest first.
    row_field, column_field : str
        Fields of the request's payload that choose a word: the column is one number, the row is
        one or an array. The answer to an array is the words of its rows side by side, the first
        lowest. A row beyond the image reads as zeros.
    """

    request: str
    answer: str
    words: npt.NDArray[np.uint8]
    row_field: str
    column_field: str

    def word(self, request: Mapping[str, Any]) -> int:
        """Return the answer's payload for a request's."""
        rows = np.atleast_1d(request[self.row_field])
        inside = rows < len(self.words)
        words = self.words[np.where(inside, rows, 0), request[self.column_field]]
        return int.from_bytes((words * inside[:, None]).astype(np.uint8).tobytes(), "little")


def packed(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return 4-bit codes two a byte, along the last axis; the first in the lower half."""
    return (codes[..., 0::2] | codes[..., 1::2] << 4).astype(np.uint8)
