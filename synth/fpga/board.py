"""Boards with an FPGA: what there is on them, and at which pins."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Board:
    """A board that a :class:`hw.board.board_chip.BoardChip` runs on.

    Parameters
    ----------
    name, about : str
    device : str
        One of :data:`synth.fpga.fpga.DEVICES`.
    package : str
        As nextpnr calls it.
    clock_hz : int
        Of the oscillator.
    pins : dict of str to str
        Site of each port of the top module: ``clk``, ``button``, ``tx``, ``led[0]`` and so on.
    """

    name: str
    about: str
    device: str
    package: str
    clock_hz: int
    pins: dict[str, str]

    @property
    def constraints(self) -> str:
        """The pins and the clock, as nextpnr reads them."""
        lines = []
        for port, site in self.pins.items():
            lines.append(f'LOCATE COMP "{port}" SITE "{site}";')
            pull = "DOWN" if port == "button" else "NONE"
            lines.append(f'IOBUF PORT "{port}" IO_TYPE=LVCMOS33 PULLMODE={pull};')
        lines.append(f'FREQUENCY PORT "clk" {self.clock_hz / 1e6} MHZ;')
        return "".join(f"{line}\n" for line in lines)


# Radiona's ULX3S with the larger FPGA; pins as its constraints for v2 and v3 have them.
ULX3S = Board(
    name="ulx3s",
    about="Radiona ULX3S 85F: ECP5-85, 25 MHz; button FIRE1 begins anew, lines come on USB",
    device="ecp5-85k",
    package="CABGA381",
    clock_hz=25_000_000,
    pins={
        **{"clk": "G2", "button": "R1", "tx": "L4"},
        **{f"led[{n}]": site for n, site in enumerate("B2 C2 C1 D2 D1 E2 E1 H3".split())},
    },
)
BOARDS = {ULX3S.name: ULX3S}
