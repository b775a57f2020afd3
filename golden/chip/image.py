"""What lies where in the memory outside: named regions, one behind the other."""

import struct
from dataclasses import dataclass, field

ALIGNMENT = 4096  # of regions: a page, and no burst crosses one


@dataclass
class Image:
    """A memory image as it grows.

    Parameters
    ----------
    data : bytearray
    regions : dict of str to (int, int)
        Address and size by name.
    """

    data: bytearray = field(default_factory=bytearray)
    regions: dict[str, tuple[int, int]] = field(default_factory=dict)

    def put(self, name: str, content: bytes) -> int:
        """Append a region; return its address."""
        if name in self.regions:
            raise ValueError(f"there is a region {name!r} already")
        address = len(self.data)
        self.regions[name] = (address, len(content))
        self.data += content + bytes(-len(content) % ALIGNMENT)
        return address

    def reserve(self, name: str, size: int) -> int:
        """Append a region of zeros; return its address."""
        return self.put(name, bytes(size))


@dataclass(frozen=True)
class CompiledImage:
    """What every model for a chip has; its programs are added by those that derive from it.

    Parameters
    ----------
    memory : bytes
        The image.
    regions : dict of str to (int, int)
        Address and size of what lies in it, by name.
    """

    memory: bytes
    regions: dict[str, tuple[int, int]]

    @property
    def tokens(self) -> int:
        """Address of the tokens, four bytes each."""
        return self.regions["tokens"][0]

    def with_tokens(self, tokens: list[int]) -> bytes:
        """Return the image with a prompt, or a text, at the beginning of the tokens."""
        data = bytearray(self.memory)
        struct.pack_into(f"<{len(tokens)}I", data, self.tokens, *tokens)
        return bytes(data)
