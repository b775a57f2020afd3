"""Energies of arrays: what they get, and that what is kept is complete."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateware.system.designs import chips
from gateware.system.energies import array_ge, array_pj, energies
from golden.base.cache import Cache
from synth.libraries.liberty import Library
from synth.power import arrays as module
from synth.power.array_rows import BOUNDS, CENTROIDS, CHANNELS, ROWS, array_rows, clusters
from synth.power.arrays import CLOCK_PS, LINE, array_row, arrays, kept_row, line_row


def test_every_chip_has_its_array_s_energy() -> None:
    for bits in (4, 5, 8):
        for chip in chips(bits).values():
            assert array_pj(chip.energy) > 0
            assert array_ge(chip.energy) > 0
    assert set(arrays()) <= set(energies())
    assert {row["clock_ps"] for row in energies().values()} == {CLOCK_PS}
    assert len({(row["library"], row["volts"]) for row in energies().values()}) == 1
    # In ASAP7 a NAND2 takes 0.087 um2.
    for row in energies().values():
        assert row["area"] / row["ge"] == pytest.approx(0.08748)
    for name, row in energies().items():
        if "charge" in row:
            parts = sum(row[part] for part in ("charge", "internal", "clock", "leakage"))
            assert row["pj"] == pytest.approx(parts), name


def test_the_line_that_is_kept_is_the_sum_of_its_parts() -> None:
    assert set(LINE) == {name.removeprefix("line, ") for name in energies() if "line" in name}
    assert line_row(energies()) == energies()["counter"]


def test_clusters_are_those_of_normal_numbers() -> None:
    np.testing.assert_allclose(CENTROIDS, -CENTROIDS[::-1])
    assert (np.diff(BOUNDS) > 0).all()
    # By Lloyd and Max the outermost of sixteen is 2.73 deviations from the mean; rounds come near.
    assert CENTROIDS[-1] == pytest.approx(2.73, abs=0.2)


def test_numbers_fit_their_formats() -> None:
    found = {name: array_rows(design) for name, (design, _) in arrays().items()}
    for name in ("int4 with scales", "int8"):
        most = 7 if "4" in name else 127
        payloads = [cycle["i__payload"] for row in found[name] for cycle in row]
        weights = np.array([one["weights"] for one in payloads])
        assert -most <= weights.min() < 0 < weights.max() <= most
        assert len(np.unique(weights)) > most
    # A tile of 128 inputs has eight beats where groups are scaled, 256 inputs sixteen elsewhere.
    firsts = [cycle["i__payload"]["first"] for cycle in found["int4 with scales"][0]]
    assert firsts == [1, *[0] * 7] * 2
    assert sum(cycle["i__payload"]["last"] for cycle in found["int8"][0]) == 1
    codes = [cycle["codes__data"] for row in found["lookup A8"] for cycle in row]
    assert len(set(codes)) == len(codes)
    assert all(code < 1 << 8 * 16 for code in codes)
    assert (len(found["lookup"]), len(found["line, bin"])) == (ROWS, CHANNELS)


def test_a_bin_s_counts_are_those_of_its_counters() -> None:
    """A channel has 4096 pairs in 256 bins: sixteen for each bin in the mean."""
    design, _ = arrays()["line, bin"]
    rows = array_rows(design)
    totals = []
    for row in rows:
        counts = np.array([[cycle[f"counts__{n}"] for n in range(32)] for cycle in row])
        totals.append(((counts & 15) + (counts >> 4)).sum())
    assert 8 < np.mean(totals) < 32
    assert [cycle["last"] for cycle in rows[0]] == [1, *[0] * 7]
    tree = array_rows(arrays()["line, tree"][0])[0]
    assert sum(cycle[f"counts__{n}"] for cycle in tree for n in range(32)) == 4096


def test_more_bits_of_activations_have_more_rows() -> None:
    """With 5 bits there are 32 clusters, and a table row for each magnitude."""
    five = array_rows(arrays()["lookup A5"][0])[0]
    assert len(five[0]["product_table"]) == 16
    assert five[0]["shape"]["last_centroid"] == 31
    np.testing.assert_array_equal(clusters(16)[1], CENTROIDS)
    assert 70 < max(cycle["codes__data"] for cycle in five).bit_length() <= 16 * 5


def test_a_run_goes_on_where_it_was(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was measured is known, until something that it depends on is another."""
    asked: list[str] = []

    def measured(name: str, library: Library) -> dict[str, float]:
        asked.append(name)
        return {"pj": 1.0}

    monkeypatch.setattr(module, "array_row", measured)
    cache = Cache(tmp_path)
    for _ in range(2):
        assert kept_row("line, bin", library, cache) == {"pj": 1.0}
    assert asked == ["line, bin"]
    kept_row("fp16", library, cache)
    monkeypatch.setattr(module, "flow_digest", lambda _: "other cells")
    kept_row("line, bin", library, cache)
    assert asked == ["line, bin", "fp16", "line, bin"]


@pytest.mark.slow
def test_an_array_is_measured(needs: Callable[[str], None], library: Library) -> None:
    needs("icarus")
    row = array_row("line, bin", library)
    assert row["ge"] == pytest.approx(energies()["line, bin"]["ge"], rel=0.5)
    assert row["pj"] > energies()["line, bin"]["pj"]  # in an older process
