"""How long the report page of 1,000 cells takes to load in a browser."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from journals import cell, search

from bench.cell import PlugIn
from bench.report import write

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium: `apt-get install chromium`")
@pytest.mark.benchmark(group="report page of 1,000 cells, from a file to its first figure")
def test_load(benchmark: Any, tmp_path: Path) -> None:
    """Goal: 3 s."""
    from playwright.sync_api import sync_playwright

    plan = [
        cell(name, gpus, seed, objective=PlugIn(of, {"max_steps": 3}), budget=4, max_steps=3)
        for of in ("bowl", "ridge", "valley", "plain")
        for name in ("random", "tpe", "asha", "bohb", "hebo")
        for gpus in (1, 2, 4, 8, 16)
        for seed in range(10)
    ]
    for each in plan:
        search(tmp_path / "suite", each, clock="virtual" if each.gpus > 4 else "wall")
    path = write(tmp_path / "suite", plan, []).folder / "index.html"
    benchmark.extra_info["megabytes"] = path.stat().st_size / 1e6
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)

        def load() -> None:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(path.as_uri())
            page.evaluate("document.querySelector('[data-figure]').scrollIntoView()")
            page.locator(".main-svg").first.wait_for()
            page.close()

        benchmark.pedantic(load, rounds=5, warmup_rounds=1)
        browser.close()
