"""Memories outside a chip: how much they carry, and what a bit costs.

Nothing here is measured by this project; each figure says where it is from.
"""

from dataclasses import dataclass

GIGA = 1e9


@dataclass(frozen=True, kw_only=True)
class Memory:
    """A kind of memory, and how much of it.

    Parameters
    ----------
    name : str
    bytes_per_second : float
        At most, of all devices together.
    efficiency : float
        Share of it that a stream of long bursts gets.
    pj_per_bit : float
        Of the devices and their inputs and outputs, in a stream of reads.
    source : str
        Of the figures.
    """

    name: str
    bytes_per_second: float
    efficiency: float
    pj_per_bit: float
    source: str

    @property
    def streamed(self) -> float:
        """Bytes a second that a stream of long bursts gets."""
        return self.bytes_per_second * self.efficiency


# All banks of a device rest for 260 ns of every 3900 ns: DRAMsim3, configs/HBM2_8Gb_x128.ini. Rows
# are opened in other banks while one streams.
HBM2_EFFICIENCY = 1 - 260 / 3900
HBM2_SOURCE = (
    "256 GB/s a stack and refresh: DRAMsim3, configs/HBM2_8Gb_x128.ini; 3.92 pJ/bit (activate 1.21,"
    " on-die transfer 2.54, I/O 0.22, rounded): O'Connor et al., Fine-Grained DRAM, MICRO 2017"
)


def hbm2(stacks: int) -> Memory:
    """Return so many stacks of HBM2."""
    return Memory(
        name=f"HBM2, {stacks} stack{'s' * (stacks > 1)}",
        bytes_per_second=stacks * 256 * GIGA,
        efficiency=HBM2_EFFICIENCY,
        pj_per_bit=3.92,
        source=HBM2_SOURCE,
    )


MEMORIES = {
    "lpddr5": Memory(
        name="LPDDR5, 64 bits at 6400 MT/s",
        bytes_per_second=51.2 * GIGA,
        efficiency=0.93,
        pj_per_bit=7.0,
        source="7 pJ/bit as AiF supposes; 93 %: decoders on FPGA boards reach it (Hummingbird)",
    ),
    **{f"hbm2x{stacks}": hbm2(stacks) for stacks in (1, 2, 4, 8)},
    "hbm3": Memory(
        name="HBM3, 4 stacks at 819 GB/s",
        bytes_per_second=4 * 819.2 * GIGA,
        efficiency=HBM2_EFFICIENCY,
        pj_per_bit=4.0,
        source="published figures lie between 3 and 5 pJ/bit; efficiency supposed to be HBM2's",
    ),
}
# Another figure for the same devices, as others count them: it shows what rests on the choice.
HBM2_DEAR = 7.0
HBM2_DEAR_SOURCE = "7 pJ/bit, as HyGCN (HPCA 2020) counts HBM"
# Buffers on the chip, 4 KB with words of 512 bits, by CACTI at 28 nm; taken as they are for every
# node. Each bit of weights is written once and read once.
SRAM_READ_PJ = 0.0330
SRAM_PJ_PER_BIT = SRAM_READ_PJ + 0.0397
SRAM_SOURCE = "CACTI at 28 nm, 4 KB in words of 512 bits: 0.033 read, 0.0397 written, pJ/bit"
