"""Measuring designs: each distinct component once, side by side, and what is known not again."""

import gc
import hashlib
import importlib.metadata
import json
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache as once
from typing import Any

from gateware.design import Design
from gateware.sources import source_digest
from golden.base.cache import Cache, default_cache
from golden.base.errors import InputError
from golden.base.process import stop_all
from synth.area.area import TIMEOUT, Area, Block, Memory, of_json, units
from synth.libraries.liberty import NO_AREA, Library
from synth.mapping.components import Component, components, times
from synth.mapping.mapped import Mapped, flow_digest, map_component
from synth.mapping.memories import bit_cell, macros, memory_area
from synth.mapping.netlist import held_by
from synth.timing.timing import LongestPath, Timing, time_design, timing_digest

# A record of other fields is no result.
FIELDS = " ".join([*Area.__dataclass_fields__, *Block.__dataclass_fields__])
Progress = Callable[[str], None]
# Designs and netlists are millions of objects; looking for garbage more often takes a fifth longer.
COLLECT = 100_000
UNTIMED = Timing(LongestPath(math.nan), "not timed")


def measure_all(
    designs: Sequence[Design],
    library: Library,
    *,
    timeout: float = TIMEOUT,
    jobs: int | None = None,
    cache: Cache | None = None,
    own_macros: Library | None = None,
    timed: bool = True,
    progress: Progress = lambda text: None,
) -> list[Area]:
    """Measure designs; see :func:`synth.area.measure_design.measure`.

    Parameters
    ----------
    designs, library, timeout
        As there.
    jobs : int, optional
        Runs of Yosys and ABC at a time; by default one for each core.
    cache : Cache, optional
        What is known; by default :func:`golden.base.cache.default_cache`.
    own_macros : Library, optional
        Liberty files of memory macros.
    timed : bool
        Whether delays are wanted, too. They are NaN where they are neither wanted nor known.
    progress : callable
        Told of each thing that is done.

    Returns
    -------
    list of Area
        In the order of ``designs``.
    """
    known = default_cache() if cache is None else cache
    before = gc.get_threshold()
    gc.set_threshold(COLLECT, *before[1:])
    try:
        # Whole designs are timed beside each other, too; they wait for components, so not among
        # them.
        with _pool(jobs) as parts, _pool(jobs) as whole:
            work = _Work(library, timeout, known, own_macros, parts, progress, timed)
            waiting = [whole.submit(work.begin(design)) for design in designs]
            return [area.result() for area in waiting]
    finally:
        gc.set_threshold(*before)


def map_design(
    design: Design, library: Library, *, timeout: float = TIMEOUT
) -> tuple[dict[str, Component], dict[str, Mapped]]:
    """Return the components of a design, and each of them in cells; as :func:`measure_all`."""
    with _pool(None) as pool:
        work = _Work(library, timeout, default_cache(), None, pool, lambda text: None)
        apart = components(design)
        futures = {part.name: work.map(part) for part in apart.values()}
        return apart, {name: future.result() for name, future in futures.items()}


@contextmanager
def _pool(jobs: int | None) -> Iterator[ThreadPoolExecutor]:
    """Give threads to work with; when the block fails, nothing is begun any more and tools end."""
    pool = ThreadPoolExecutor(jobs or cores())
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        stop_all()
        raise
    pool.shutdown()


def cores() -> int:
    """Return how many processes may run at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@dataclass
class _Work:
    """Everything that the designs of one call share."""

    library: Library
    timeout: float
    known: Cache
    own_macros: Library | None
    pool: ThreadPoolExecutor
    progress: Progress
    timed: bool = True

    def __post_init__(self) -> None:
        self.units = units(self.library)
        self.flow = flow_digest(self.library)
        self.timing = timing_digest(self.library)
        self.macros = macros(self.own_macros) if self.own_macros else None
        self.parts: dict[str, Future[Mapped]] = {}

    def begin(self, design: Design) -> Callable[[], Area]:
        """Start what a design needs; return what waits for it and gives the area."""
        name = self._name_of_result(design)
        found = self.known.get("areas", name, of_json) if name else None
        if found is not None:
            self.progress(design.name)
            area = found
            return lambda: area
        apart = components(design)
        futures = {part.name: self.map(part) for part in apart.values()}

        def finish() -> Area:
            mapped = {part: future.result() for part, future in futures.items()}
            timing = self._time(design.name, apart, mapped) if self.timed else UNTIMED
            self.progress(design.name)
            area = self._area(design.name, apart, mapped, timing)
            if name and self.timed:
                self.known.put("areas", name, json.dumps(asdict(area)).encode())
            return area

        return finish

    def _name_of_result(self, design: Design) -> str | None:
        """Return the key of a design's whole result, if its sources alone determine it."""
        sources = source_digest(design)
        if sources is None:
            return None
        macros = self.own_macros.digest if self.own_macros else ""
        return digest(sources, self.flow, self.timing, self._memory_model(), macros, FIELDS)

    def map(self, part: Component) -> Future[Mapped]:
        """Map a component in the background; the same one only once."""
        key = digest(part.digest, self.flow)
        if key not in self.parts:
            self.parts[key] = self.pool.submit(self._mapped, key, part)
        return self.parts[key]

    def _mapped(self, key: str, part: Component) -> Mapped:
        found = self.known.made(
            "components",
            key,
            lambda: map_component(part, self.library, self.timeout),
            Mapped.of_record,
            Mapped.record,
        )
        self.progress(part.name)
        return found

    def _time(
        self, top: str, apart: Mapping[str, Component], mapped: Mapping[str, Mapped]
    ) -> Timing:
        key = digest(tree_digest(apart, top), self.flow, self.timing)
        children = {name: part.children for name, part in apart.items()}
        task = f"longest path of {top} within {self.timeout:g} s"

        def make() -> Timing:
            return time_design(top, mapped, children, self.library, task=task, timeout=self.timeout)

        return self.known.made("timing", key, make, Timing.of_record, Timing.record)

    def _area(
        self,
        top: str,
        apart: Mapping[str, Component],
        mapped: Mapping[str, Mapped],
        timing: Timing,
    ) -> Area:
        held = held_by(mapped, {name: part.children for name, part in apart.items()})
        copies = times(top, held)
        totals: Counter[str] = Counter()
        for name, count in copies.items():
            totals.update({kind: count * n for kind, n in mapped[name].cells.items()})
        unit = self.units.nand2.area
        memories = tuple(self._memories(copies, mapped))
        in_memories = sum(memory.area for memory in memories)
        return Area(
            design=top,
            library=self.library.name,
            **self._costs(totals),
            delay_ps=timing.path.ps,
            delay_fo4=timing.path.ps / self.units.fo4_ps,
            cells=totals.total(),
            yosys=importlib.metadata.version("pyosys"),
            path_start=timing.path.start,
            path_end=timing.path.end,
            timing=timing.method,
            cell_counts=dict(sorted(totals.items())),
            memory_bits=sum(m.copies * m.bits for m in memories),
            memory_area=in_memories,
            memory_ge=in_memories / unit,
            memory_model=self._memory_model(),
            nand2=self.units.nand2.name,
            inverter=self.units.inverter.name,
            nand2_area=unit,
            fo4_ps=self.units.fo4_ps,
            unit_note=self.units.note,
            blocks=tuple(self._block(name, copies[name], mapped[name], held) for name in copies),
            memories=memories,
        )

    def _block(
        self, name: str, count: int, mapped: Mapped, held: Mapping[str, Mapping[str, int]]
    ) -> Block:
        return Block(
            module=name,
            copies=count,
            **self._costs(mapped.cells),
            memory_bits=sum(store.bits for store in mapped.stores),
            holds=tuple(child for child, n in held[name].items() if n),
        )

    def _costs(self, counts: Mapping[str, int]) -> dict[str, Any]:
        """Return the area of cells, the part of it that stores something, and how many do."""
        total = storing = 0.0
        flip_flops = 0
        for kind, count in sorted(counts.items()):
            cell = self.library.cells[kind]
            if not cell.area:  # files say 0 of cells that nobody has measured
                raise InputError(f"synthesis chose {kind}, which {NO_AREA}")
            total += cell.area * count
            if cell.sequential:
                storing += cell.area * count
                flip_flops += count
        ge, ge_sequential = (area / self.units.nand2.area for area in (total, storing))
        return {"area": total, "ge": ge, "ge_sequential": ge_sequential, "flip_flops": flip_flops}

    def _memories(self, copies: Mapping[str, int], mapped: Mapping[str, Mapped]):
        for name, count in copies.items():
            for store in mapped[name].stores:
                area = count * memory_area(store, name, self.library, self.macros)
                yield Memory(**asdict(store), module=name, copies=count, area=area)

    def _memory_model(self) -> str:
        if self.own_macros:
            return f"macros of {self.own_macros.name}"
        cell = bit_cell(self.library)
        return f"bits x {cell.name}, an upper bound" if cell else "none"


def digest(*parts: str) -> str:
    """Return a hash of several texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def tree_digest(apart: Mapping[str, Component], top: str) -> str:
    """Return a hash of a component and of all that it holds, whatever they are called."""

    @once
    def of(name: str) -> str:
        part = apart[name]
        return digest(part.digest, *(of(child) for child in part.children))

    return of(top)
