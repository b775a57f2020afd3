"""Chip: runs decoders out of memory, and a host tells it when."""

from functools import cache
from pathlib import Path

from amaranth.hdl import Module, Signal
from amaranth.lib.wiring import connect, flipped

from hw.bus.axi import AxiLite
from hw.bus.register_bank import RegisterBank
from hw.bus.register_map import RegisterMap, read_tree, register_map
from hw.chip.chip_core import ChipCore
from hw.chip.chip_spec import ChipSpec
from hw.stream.component import In, Out, Sized

REGISTERS = Path(__file__).with_name("registers.rdl")


@cache
def registers() -> RegisterMap:
    """Return what a host sees of a chip, whatever its size."""
    return register_map(read_tree(REGISTERS))


class Chip(Sized[ChipSpec]):
    """A :class:`hw.chip.chip_core.ChipCore` behind registers on AXI4-Lite.

    Timing
    ------
    Latency : as the core's and the register bank's.
    Rate : the same.
    Through paths : those of :class:`hw.bus.axi_reader.AxiReader`.
    Reset : ends the run, and all registers begin anew; memory must be reset in the same cycle.
    """

    s_axi = In(lambda c: AxiLite(registers().address_bits))
    """The host: registers as ``hw/chip/registers.rdl`` has them."""
    m_axi = Out(lambda c: c.spec.m_axi)
    """The memory: program, model, cache and tokens."""
    interrupts = Out(1)
    """Whether an event is there that is enabled."""

    def build(self, m: Module) -> None:  # noqa: D102
        spec, words = self.spec, registers()
        bank = self.put(m, "registers", RegisterBank(words))
        core = self.put(m, "core", ChipCore(spec))
        connect(m, flipped(self.s_axi), bank.s_axi)
        connect(m, core.m_axi, flipped(self.m_axi))
        failed = Signal()
        m.d.comb += [
            core.give_up.eq(bank.control.stop),
            failed.eq(core.finished & core.fault.as_value().any()),
            self.interrupts.eq(bank.interrupts),
        ]
        for name in ("start", "program", "first", "known", "limit", "end_token", "ends"):
            of_run, held = getattr(core.run, name), bank.control[name]
            if len(of_run) != len(held):
                raise ValueError(f"{name} has {len(held)} bits, and a run {len(of_run)} of it")
            m.d.comb += of_run.eq(held)
        engine = spec.engine
        says = {
            "lanes": {"inputs": engine.inputs_per_beat, "outputs": engine.output_lanes},
            "bus": {"bytes": spec.bus_bytes},
            "running": {"run": core.running},
            "fault": {"kind": core.fault},
            "position": {"token": core.position},
        }
        for name, fields in says.items():
            m.d.comb += bank.status[name].eq(words[name].word(**fields))
        events = words["events"].word(ended=core.finished, failed=failed)
        m.d.comb += bank.happens.events.eq(events)
