"""The explorer in a browser: its figures, all widths, both schemes, keyboard, print."""

import base64
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import kllm.app

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
WIDTHS = (360, 600, 768, 1024, 1280, 1600)
MODELS = ("llama-2-7b", "llama-3-8b")
pytestmark = pytest.mark.slow


def kllm_json(*arguments: str) -> Any:
    result = CliRunner().invoke(kllm.app.build_app(), [*arguments])
    assert result.exception is None, (arguments, result.exception)
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the explorer of two models."""
    folder = tmp_path_factory.mktemp("explorer")
    named = [word for model in MODELS for word in ("--model", model)]
    arguments = ["report", "--only-explorer", "-o", str(folder), *named]
    assert CliRunner().invoke(kllm.app.build_app(), arguments).exception is None
    return folder / "explorer.html"


@pytest.fixture
def browser(page: Path) -> Iterator[Any]:
    """Yield a browser that shows the page; in the end it has said nothing on its console."""
    binary = next(filter(None, map(shutil.which, BROWSERS)), None)
    driver = shutil.which(DRIVER)
    if not binary or not driver:
        pytest.skip("no browser here: run `apt-get install chromium chromium-driver`")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    options.add_argument("--headless=new")
    options.add_argument("--disable-gpu")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # without which it does not start as root
    shown = webdriver.Chrome(options=options, service=Service(driver))
    try:
        shown.get(page.as_uri())
        yield shown
        assert shown.get_log("browser") == []
    finally:
        shown.quit()


def look(browser: Any, width: int, scheme: str) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
    )
    browser.execute_async_script("setTimeout(arguments[0], 400)")  # charts follow a moment later


def choose(browser: Any, **choice: object) -> None:
    """Choose as a reader does: each select takes a value and says so."""
    for field, value in choice.items():
        browser.execute_script(
            "const at = document.getElementById(arguments[0]); at.value = arguments[1];"
            "at.dispatchEvent(new Event('change', { bubbles: true }));",
            field,
            str(value),
        )


def value(browser: Any, name: str) -> float:
    return float(
        browser.execute_script("return document.getElementById(arguments[0]).dataset.value", name)
    )


def row(browser: Any) -> list[str | None]:
    """Return the figures of the table's row that is chosen."""
    return browser.execute_script(
        "return [...document.querySelectorAll('tr.chosen td')].map((cell) => cell.dataset.value)"
    )


def test_figures_are_those_of_the_command(browser: Any, rng: np.random.Generator) -> None:
    """Each choice's command, as the page shows it, prints what the page shows."""
    fields = {
        field: browser.execute_script(
            "return [...document.getElementById(arguments[0]).options].map((one) => one.value)",
            field,
        )
        for field in ("model", "memory", "design", "phase", "batch", "context")
    }
    assert [len(fields[field]) for field in ("model", "memory", "design")] == [2, 6, 6]
    choices = [{}] + [
        {field: rng.choice(values) for field, values in fields.items()} for _ in range(12)
    ]
    rows = []
    for choice in choices:
        choose(browser, **choice)
        if choice.get("design", "").startswith("lookup"):
            choose(browser, bits=rng.choice(["4", "5", "8"]))
        command = shlex.split(browser.find_element("id", "command").text)
        assert command[0] == "kllm"
        (one,) = kllm_json(*command[1:])
        assert value(browser, "speed") == pytest.approx(one["tokens_per_second"], rel=1e-6)
        assert value(browser, "energy") == pytest.approx(one["whole_mj"], rel=1e-6)
        shown = row(browser)
        keys = ("tokens_per_second", "one_by_one", "array_mj", "sram_mj", "dram_mj", "chip_mj")
        for cell, key in zip(shown, keys, strict=False):
            expected = None if one[key] is None else pytest.approx(one[key], rel=1e-6)
            assert (cell and float(cell)) == expected, key
        watts = one["tokens_per_second"] * one["whole_mj"] / 1e3
        assert float(shown[7] or 0) == pytest.approx(watts, rel=1e-6)
        assert one["model"] in browser.find_element("id", "said").text
        rows.append((one["model"], one["design"], one["memory"]))
    assert len(set(rows)) > 6


def test_the_default_is_that_of_compare(browser: Any) -> None:
    ours = next(one for one in kllm_json("compare", "--json", "-") if one["name"] == "lookup")
    assert value(browser, "speed") == pytest.approx(ours["speed"], rel=1e-6)
    assert value(browser, "energy") == pytest.approx(ours["whole_mj"], rel=1e-6)
    assert value(browser, "area") == pytest.approx(ours["mge"])
    others = [one.text for one in browser.find_elements("css selector", "tr.other th")]
    assert {"A100, int4", "H200, int4, CUDA graph, context 1,024"} <= set(others)
    assert any(name.startswith("KLLM paper") for name in others)


def test_the_roofline_moves(browser: Any) -> None:
    def roofs() -> Any:
        return browser.execute_script(
            "return document.getElementById('chart_roof').data.map((trace) => [trace.mode,"
            " [...trace.x], [...trace.y]])"
        )

    before = roofs()
    choose(browser, memory="lpddr5")
    after = roofs()
    slopes = [
        [y[0] / x[0] for mode, x, y in traces if mode == "lines"] for traces in (before, after)
    ]
    assert slopes[0] == pytest.approx([8 * 256e9 * (1 - 260 / 3900)] * 6)
    assert slopes[1] == pytest.approx([51.2e9 * 0.93] * 6)
    choose(browser, memory="hbm2x8", batch=16)
    assert roofs() != before
    # Nothing of a GPU with sixteen texts is known.
    assert not browser.find_elements("css selector", "tr.other")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_width(browser: Any, scheme: str) -> None:
    for width in WIDTHS:
        look(browser, width, scheme)
        inner, whole = browser.execute_script(
            "const at = document.documentElement; return [at.clientWidth, at.scrollWidth]"
        )
        assert whole <= inner <= width
        charts = browser.execute_script(
            "return [...document.querySelectorAll('.chart')].map((at) => [at.clientWidth,"
            " at.querySelector('svg.main-svg').getBoundingClientRect().width])"
        )
        assert len(charts) == 5
        for room, drawn in charts:
            assert 250 < drawn <= room + 1, width
    ink, paper = browser.execute_script(
        "const style = getComputedStyle(document.body); return [style.color, style.backgroundColor]"
    )
    light, dark = (paper, ink) if scheme == "light" else (ink, paper)
    brightness = [sum(map(int, text.strip("rgb()").split(","))) for text in (light, dark)]
    assert brightness[0] > 650
    assert brightness[1] < 120
    axis = browser.execute_script(
        "return document.getElementById('chart_energy').layout.font.color"
    )
    assert axis == ("#1b1f24" if scheme == "light" else "#e6edf3")


def test_all_of_it_goes_by_keyboard(browser: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(*keys: str) -> None:
        ActionChains(browser).send_keys(*keys).perform()

    def at() -> str:
        return browser.execute_script(
            "const at = document.activeElement; return at.id || at.textContent.trim()"
        )

    seen = []
    while not seen or at() not in seen[:-1]:
        press(Keys.TAB)
        seen.append(at())
        assert len(seen) < 40
    chosen = [name for name in seen if name in ("model", "memory", "design", "bits", "phase")]
    assert chosen[:5] == ["model", "memory", "design", "bits", "phase"]
    assert [name for name in seen if name.startswith("lookup ")] == ["lookup A8", "lookup x4 A8"]
    before = value(browser, "speed")
    browser.execute_script("document.getElementById('memory').focus()")
    press("L")  # the first that begins with it
    assert browser.execute_script("return document.getElementById('memory').value") == "lpddr5"
    assert value(browser, "speed") < before
    browser.execute_script("document.querySelectorAll('#rows button')[3].focus()")
    press(Keys.ENTER)
    assert browser.execute_script("return document.getElementById('design').value") == "int4"
    assert at() == "int4"
    assert "int4" in browser.find_element("id", "said").text
    assert browser.execute_script("return document.getElementById('bits').disabled")


def test_a_choice_is_in_the_address(browser: Any, page: Path) -> None:
    choose(browser, model="llama-3-8b", design="lookup x4", bits="5", context="8192")
    speed, address = value(browser, "speed"), browser.current_url
    browser.get("about:blank")
    browser.get(address)
    assert value(browser, "speed") == speed
    browser.get(f"{page.as_uri()}#model=none&batch=7&bits=9")
    assert browser.find_element("id", "said").text.startswith("llama-2-7b generates")


def test_it_prints_without_its_controls_and_asks_for_nothing(browser: Any) -> None:
    look(browser, 1280, "dark")
    printed = base64.b64decode(browser.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert printed.startswith(b"%PDF")
    assert 3 <= printed.count(b"/Type /Page\n") <= 8
    browser.execute_script("dispatchEvent(new Event('beforeprint'))")
    ink = browser.execute_script("return document.getElementById('chart_energy').layout.font.color")
    assert ink == "#1b1f24"  # on paper, whatever the scheme
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    hidden = "return getComputedStyle(document.getElementById('choice')).display"
    assert browser.execute_script(hidden) == "none"
    asked = browser.execute_script("return performance.getEntriesByType('resource').length")
    assert asked == 0
