"""The report page in a browser: one file that asks for nothing, and does what its buttons say."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from journals import SMALL, cell, end, plan_of, results, search, write

from bench.cell import PlugIn
from bench.report import write as write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}
HOSTILE = "<img src=x onerror=alert(1)><b>|$1 %{x}"
WORSE = HOSTILE + "</script><script>alert(2)</script>"
"""What cannot be a file's name."""
TAGS = "<b></script><script>alert(3)</script>"

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: `apt-get install chromium` to test the report page"
)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=120_000)
        yield started
        started.close()


@pytest.fixture(scope="module")
def both_clocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of three algorithms, two counts and three seeds, for real and virtual."""
    folder = tmp_path_factory.mktemp("results") / "suite"
    plan = plan_of(folder)
    for of in [cell("tpe", gpus, seed, engine="virtual", **SMALL)
               for gpus in (1, 2) for seed in range(3)]:  # fmt: skip
        search(folder, of, clock="virtual")
        plan.append(of)
    return page_of(folder, plan)


def page_of(folder: Path, plan: list[Any]) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bench.metrics._style.DPI", 20)
        return write_report(folder, plan, []).folder / "index.html"


@contextmanager
def opened(browser: "Browser", path: Path, **how: Any) -> "Iterator[Page]":
    """The page, all figures drawn; after the test: it asked for nothing and nothing went wrong."""
    wrong: list[str] = []
    context = browser.new_context(**{"viewport": DESKTOP, **how})
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.on("request", lambda request: wrong.append(request.url))
    page.goto(path.as_uri())
    for figure in page.locator("[data-figure]").all():
        figure.scroll_into_view_if_needed()
        figure.locator(".main-svg").first.wait_for()
    yield page
    context.close()
    local = [each for each in wrong if not each.startswith(("data:", "blob:"))]
    assert local == [path.as_uri()]


def curves(page: "Page", figure: int) -> list[str]:
    """Names of what a figure draws, each once."""
    script = """figure => document.querySelectorAll("[data-figure] .plot")[figure].data
        .filter(trace => trace.meta === "curve" && trace.x.length).map(trace => trace.name)"""
    return sorted(set(page.evaluate(script, figure)))


def axis_type(page: "Page", figure: int, axis: str) -> str:
    script = """([figure, axis]) =>
        document.querySelectorAll("[data-figure] .plot")[figure]._fullLayout[axis].type"""
    return str(page.evaluate(script, [figure, axis]))


def test_the_answer_comes_first_and_every_section_is_there(
    browser: "Browser", both_clocks: Path
) -> None:
    with opened(browser, both_clocks) as page:
        heads = page.locator("h2").all_inner_texts()
        assert heads[0] == "Answer"
        order = ["Answer", "Regret", "Scaling", "Ledger", "Comparisons", "Audit", "Provenance"]
        assert [head for head in heads if head in order] == order
        named = [link.inner_text() for link in page.locator("nav a").all()]
        assert [name for name in named if name.capitalize() in order] == list(map(str.lower, order))
        first = page.locator("table").first.inner_text()
        assert "bowl" in first and "cannot tell" in first and "virtual" in first
        provenance = page.locator("#provenance ~ *").all_inner_texts()
        assert any("Test CPU" in text for text in provenance)
        assert any("resumed\t0" in text for text in provenance)


def test_each_answer_has_its_pareto_set_on_a_click_the_long_ones_thinned(
    browser: "Browser", tmp_path: Path
) -> None:
    """Losses get less with every doubling: the record and its twelve halvings are all on it."""
    doublings = [(2.0**n, 1 - n / 20) for n in range(13)]
    alone = cell(budget=13)
    results(tmp_path / "suite", alone, *doublings, wall=4096)
    with opened(browser, page_of(tmp_path / "suite", [alone])) as page:
        answer = page.locator("details", has_text="bowl, least expected loss").first
        rows = answer.locator("tbody").first.locator("tr")
        assert rows.first.is_hidden()
        answer.locator("summary").first.click()
        assert rows.count() == 8
        assert "nothing else was recorded" in answer.inner_text()
        first, last = rows.first.inner_text(), rows.last.inner_text()
        assert first.startswith("random\t1\t1 s") and last.startswith("* random\t1\t01:08:16")
        answer.get_by_text("All 13 points").click()
        assert answer.locator("tbody").nth(1).locator("tr").count() == 13


def test_every_figure_says_n_interval_clock_and_device(
    browser: "Browser", both_clocks: Path
) -> None:
    with opened(browser, both_clocks) as page:
        captions = page.locator("[data-figure] figcaption").all_inner_texts()
        assert len(captions) == 3
        for each in captions:
            assert all(word in each for word in ("n = 3 seeds", "95 % bootstrap", "CPU core"))
            assert "virtual and wall clock" in each and "dotted, hollow: virtual" in each


def test_an_algorithm_or_a_clock_can_be_taken_out_of_all_figures_and_put_back(
    browser: "Browser", both_clocks: Path
) -> None:
    everything = ["asha", "random", "tpe", "tpe (virtual)"]
    with opened(browser, both_clocks) as page:
        assert curves(page, 0) == curves(page, 1) == everything
        for chip, left in (("tpe", ["asha", "random"]), ("virtual", everything[:3])):
            button = page.locator(".chips button", has_text=chip)
            button.click()
            assert curves(page, 0) == curves(page, 1) == left
            assert button.get_attribute("aria-pressed") == "false"
            button.click()
            assert curves(page, 0) == curves(page, 1) == everything


def test_axes_switch_between_logarithmic_and_linear(browser: "Browser", both_clocks: Path) -> None:
    with opened(browser, both_clocks) as page:
        for figure, start in ((0, {"x": "linear", "y": "log"}), (1, {"x": "log", "y": "log"})):
            for letter, before in start.items():
                after = {"log": "linear", "linear": "log"}[before]
                assert axis_type(page, figure, f"{letter}axis") == before
                button = page.locator("[data-figure]").nth(figure).get_by_text(f"log {letter}")
                button.click()
                assert axis_type(page, figure, f"{letter}axis") == after


def test_what_is_drawn_follows_the_choice_of_axis_and_count(
    browser: "Browser", both_clocks: Path
) -> None:
    with opened(browser, both_clocks) as page:
        figure = page.locator("[data-figure]").first
        figure.get_by_label("horizontal axis").select_option("trials")
        assert "trials with a result" in (figure.locator(".plot").text_content() or "")
        ledger = page.locator("[data-figure]").nth(2)
        rows = "document.querySelectorAll('[data-figure] .plot')[2].layout.yaxis.ticktext.length"
        assert page.evaluate(rows) == 8
        ledger.get_by_label("GPU count").select_option("2")
        assert page.evaluate(rows) == 4
        ledger.get_by_text("seconds, not shares").click()
        assert "held by a search" in (ledger.locator(".plot").text_content() or "")


def test_hovering_tells_the_algorithm_its_interval_and_n(
    browser: "Browser", both_clocks: Path
) -> None:
    with opened(browser, both_clocks) as page:
        bar = page.locator("[data-figure]").nth(2).locator(".point").first
        bar.evaluate("bar => bar.scrollIntoView({block: 'center'})")
        box = bar.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 20, box["y"] + box["height"] / 2, steps=4)
        shown = page.locator(".hoverlayer .hovertext").first
        shown.wait_for()
        told = shown.text_content() or ""
        assert all(word in told for word in ("n = 3", "training", "95 % interval"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_light_or_dark_as_the_reader_is_used_to(
    scheme: Any, browser: "Browser", both_clocks: Path
) -> None:
    with opened(browser, both_clocks, color_scheme=scheme) as page:
        colours = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor,"
            " document.querySelector('.plot')._fullLayout.font.color]"
        )
        black_on_white = ["rgb(255, 255, 255)", "#1c1f24"]
        assert (colours == black_on_white) == (scheme == "light")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP, {"width": 320, "height": 600}])
def test_the_page_never_scrolls_sideways(
    viewport: Any, browser: "Browser", both_clocks: Path
) -> None:
    with opened(browser, both_clocks, viewport=viewport) as page:
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= viewport["width"]


def test_text_from_journals_is_text(browser: "Browser", tmp_path: Path) -> None:
    bad = cell(HOSTILE, **SMALL, objective=PlugIn(HOSTILE), engine=HOSTILE)
    good = cell(PlugIn("tpe", {"x": TAGS}), **SMALL, objective=PlugIn(HOSTILE), engine=HOSTILE)
    where = {"machine": {"cpu_model": WORSE}, "commit": WORSE, "image": {"sha256": WORSE}}
    for each in (bad, good):
        search(tmp_path / "suite", each, provenance=where, remark=WORSE)
    failed = cell(PlugIn("tpe", {"x": 1}), **SMALL, objective=PlugIn(HOSTILE), engine=HOSTILE)
    write(tmp_path / "suite", failed, [end(1, "failed", WORSE)])
    with opened(browser, page_of(tmp_path / "suite", [bad, good, failed])) as page:
        assert page.locator("img[src=x]").count() == 0
        shown = page.locator("body").inner_text()
        assert shown.count(HOSTILE) > 5 and shown.count(WORSE) >= 4
        labels = page.locator("[data-figure] .plot").nth(2).text_content() or ""
        assert HOSTILE in labels and f"x={TAGS[:20]}" in labels, (
            "as it is, and not as Plotly's HTML"
        )
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_failed_cells_alone_have_a_page(browser: "Browser", tmp_path: Path) -> None:
    lost = cell(**SMALL)
    write(tmp_path / "suite", lost, [end(9, "failed", "no")])
    path = page_of(tmp_path / "suite", [lost])
    context = browser.new_context()
    context.set_default_timeout(120_000)
    page = context.new_page()
    page.goto(path.as_uri())
    assert "no search had a result" in page.locator("table").first.inner_text()
    context.close()
