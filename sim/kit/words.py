"""Words on ports: numbers, dicts and lists to bits and back, by the component's own layouts."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from amaranth.hdl import Shape, ShapeLike, unsigned
from amaranth.lib import data


def width(shape: ShapeLike) -> int:
    """Return how many bits a word has."""
    return Shape.cast(shape).width


def pack(shape: ShapeLike, value: Any) -> int:
    """Return the bits of ``value``: an integer, a dict for a struct, a sequence for an array.

    Raises
    ------
    ValueError
        If a field is missing or unknown, or a number does not fit.
    """
    if isinstance(shape, data.Layout):
        if isinstance(value, int | np.integer):
            return pack(unsigned(width(shape)), value)
        parts: dict[Any, Any] = dict(value if isinstance(value, Mapping) else enumerate(value))
        fields: dict[Any, data.Field] = dict(iter(shape))
        if parts.keys() != fields.keys():
            raise ValueError(f"the fields are {list(fields)}, got {list(parts)}")
        return sum(pack(field.shape, parts[key]) << field.offset for key, field in fields.items())
    cast, number = Shape.cast(shape), int(value)
    low = -(1 << (cast.width - 1)) if cast.signed else 0
    if not low <= number < low + (1 << cast.width):
        raise ValueError(f"{number} does not fit {cast}")
    return number & ((1 << cast.width) - 1)


def unpack(shape: ShapeLike, bits: int) -> Any:
    """Return what ``bits`` say: an integer, a dict for a struct, a list for an array."""
    if isinstance(shape, data.Layout):
        parts = {
            key: unpack(field.shape, (bits >> field.offset) & ((1 << field.width) - 1))
            for key, field in shape
        }
        return list(parts.values()) if isinstance(shape, data.ArrayLayout) else parts
    cast = Shape.cast(shape)
    if cast.signed and bits >> (cast.width - 1):
        return bits - (1 << cast.width)
    return bits
