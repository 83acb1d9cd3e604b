"""The report: every journal is used or named; the same journals give the same report."""

import hashlib
import io
from pathlib import Path

import pandas as pd
import pytest
from journals import SMALL, cell, end, plan_of, report, results, search, suggest, write
from matplotlib.figure import Figure
from rich.console import Console

from bench.cell import PlugIn
from bench.errors import UserError
from bench.report import terminal
from bench.report import write as write_report

METRICS = ["comparisons", "critical_difference", "ecdf", "ledger", "mean_rank", "normalised_regret"]
METRICS += ["performance_profile", "regret", "scaling", "summary", "target"]


@pytest.fixture(autouse=True)
def _coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are drawn in a moment."""
    monkeypatch.setattr("bench.metrics._style.DPI", 20)


def hashes(folder: Path, pattern: str) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob(pattern)
    }


def test_a_report_has_a_table_and_plots_of_each_metric_and_leaves_nothing_else(
    tmp_path: Path,
) -> None:
    written = write_report(tmp_path, plan_of(tmp_path), [])
    tables = {f"{name}.csv" for name in [*METRICS, "importances", "recommend", "audit"]}
    tables |= {"cells.csv", "problems.csv", "skipped.csv"}
    regrets = {f"regret-bowl-{a}.png" for a in ("trials", "steps", "seconds", "gpu_seconds")}
    plots = {f"{name}-bowl.png" for name in ("ledger", "scaling", "summary", "target")} | regrets
    plots |= {"comparisons.png", "performance_profile.png"}
    plots |= {
        f"{name}-{axis}.png"
        for name in ("ecdf", "mean_rank", "normalised_regret")
        for axis in ("steps", "seconds")
    }
    assert {path.name for path in written.folder.iterdir()} == tables | plots | {
        "report.md",
        "index.html",
    }
    assert not list(tmp_path.glob(".report*"))
    for name in METRICS:
        frame = pd.read_csv(written.folder / f"{name}.csv")
        assert (frame["n"] >= 1).all()
    page = (written.folder / "report.md").read_text()
    assert "18 cells: 18 complete." in page
    assert all(f"]({plot})" in page for plot in plots)


def test_every_journal_that_is_not_used_as_a_complete_cell_is_named(tmp_path: Path) -> None:
    cells = [cell(seed=seed) for seed in range(10)]
    results(tmp_path, cells[0], (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    write(tmp_path, cells[1], [report(0, 1.0, 0.4)])
    torn = write(tmp_path, cells[2], [report(0, 1.0, 0.4), report(1, 2.0, 0.3)])
    torn.write_bytes(torn.read_bytes()[:-5])
    (tmp_path / f"{cells[3].key}.jsonl").write_bytes(b"\x80\x04pickle\n")
    write(tmp_path, cells[4], [report(0, 1.0, 0.4), end(9, "failed", "ran past max_seconds = 9")])
    write(tmp_path, cells[5], [{**report(0, 1.0, 0.4), "loss": "0.1"}, end(3)])
    write(tmp_path, cells[6], [{"event": "report", "seconds": 1.0, "trial": 0}, end(3)])
    results(tmp_path, cell(seed=99), (1, 0.0), (2, 0.0), (3, 0.0), wall=3)
    skipped = [(cells[8], "asks for 8 cores, there are 2")]
    written = write_report(tmp_path, cells[:9], skipped)
    named = {
        str(file).split("-s")[1].split("-")[0]: (str(what), str(why))
        for file, what, why in pd.read_csv(written.folder / "problems.csv").itertuples(index=False)
    }
    assert {seed: what for seed, (what, _) in named.items()} == {
        "1": "unfinished",
        "2": "torn",
        "3": "unreadable",
        "4": "failed",
        "5": "unreadable",
        "6": "unreadable",
        "7": "not run",
        "99": "not in the plan",
    }
    assert "line 1: not JSON" in named["3"][1]
    assert "ran past max_seconds = 9" in named["4"][1]
    assert "loss is not a number but str" in named["5"][1]
    assert "'loss' is missing" in named["6"][1]
    assert written.skipped["why"].tolist() == ["asks for 8 cores, there are 2"]
    assert written.counts == {
        "planned": 9,
        "complete": 1,
        "failed": 1,
        "not usable": 5,
        "not run": 1,
        "skipped": 1,
    }
    page = (written.folder / "report.md").read_text()
    assert page.count("unfinished") == 1
    assert "asks for 8 cores, there are 2" in page


def test_a_skipped_cell_that_has_run_elsewhere_is_used(tmp_path: Path) -> None:
    far = cell(gpus=8)
    results(tmp_path, far, (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    written = write_report(tmp_path, [far], [(far, "there are 2")])
    assert written.skipped.empty
    assert written.counts["complete"] == 1


def test_a_report_never_alters_a_journal(tmp_path: Path) -> None:
    cells = plan_of(tmp_path)
    (tmp_path / f"{cells[0].key}.jsonl").write_text("{")
    before = hashes(tmp_path, "*.jsonl")
    write_report(tmp_path, cells, [])
    assert hashes(tmp_path, "*.jsonl") == before


def test_the_same_journals_give_the_same_bytes(tmp_path: Path) -> None:
    cells = plan_of(tmp_path)
    first = hashes(write_report(tmp_path, cells, []).folder, "*")
    assert hashes(write_report(tmp_path, cells[::-1], []).folder, "*") == first


def test_without_an_ended_cell_the_report_says_what_to_run(tmp_path: Path) -> None:
    write(tmp_path, cell(), [report(0, 1.0, 0.4)])
    with pytest.raises(UserError, match="`bench run SUITE`"):
        write_report(tmp_path, [cell()], [])
    with pytest.raises(UserError, match="bench run"):
        write_report(tmp_path / "absent", [cell()], [])
    assert not (tmp_path / "report").exists()


def test_a_report_that_fails_half_way_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = [cell()]
    results(tmp_path, plan[0], (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    before = hashes(write_report(tmp_path, plan, []).folder, "*")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(UserError, match="No space left on device"):
        write_report(tmp_path, plan, [])
    assert hashes(tmp_path / "report", "*") == before
    assert not list(tmp_path.glob(".report*"))


@pytest.mark.parametrize("seeds", [{"tpe": []}, {"tpe": [0]}, {"tpe": [0, 1, 2], "random": [1]}])
def test_one_seed_one_algorithm_and_missing_cells_can_be_drawn(
    seeds: dict[str, list[int]], tmp_path: Path
) -> None:
    plan = [cell("tpe", 1, seed, **SMALL) for seed in (0, 1)]
    plan += [cell(name, 2, seed, **SMALL) for name, of in seeds.items() for seed in of]
    for each in plan:
        search(tmp_path, each)
    figures = write_report(tmp_path, plan, []).figures
    assert sum("-bowl" in file for file, _ in figures) == 8


def test_cells_that_failed_without_a_result_can_be_reported(tmp_path: Path) -> None:
    plan = [cell(seed=0), cell("tpe")]
    crash = {"event": "end", "status": "failed", "reason": "RuntimeError: no"}
    for each in plan:
        write(tmp_path, each, [suggest(0, 1.5), crash])
    written = write_report(tmp_path, plan, [])
    assert written.table.cells["wall"].tolist() == [1.5, 1.5], "its last event: a crash has no time"
    assert set(written.table.problems["what"]) == {"failed"}
    terminal.show(written, Console(file=io.StringIO()))


def test_cells_that_were_resumed_are_counted(tmp_path: Path) -> None:
    plan = [cell(seed=seed) for seed in range(2)]
    resumed = results(tmp_path, plan[0], (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    header, *lines, last = resumed.read_bytes().splitlines(keepends=True)
    resume = b'{"event":"resume","seconds":3,"replay_seconds":9.0}\n'
    resumed.write_bytes(b"".join([header, *lines, resume, resume, last]))
    results(tmp_path, plan[1], (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    written = write_report(tmp_path, plan, [])
    assert written.table.cells["resumed"].tolist() == [2, 0]
    assert written.table.cells["wall"].tolist() == [3, 3]
    page = (written.folder / "report.md").read_text()
    assert "1 of 2 cells were interrupted and resumed from their journals" in page


HOSTILE = "[red]$\\frac{$\x1b[31m<b>|`=1+1"


def test_text_from_journals_is_text_everywhere(tmp_path: Path) -> None:
    bad = cell(HOSTILE, **SMALL, objective=PlugIn(HOSTILE), engine="=cmd()")
    search(tmp_path, bad, provenance={"machine": {"cpu_model": HOSTILE}})
    written = write_report(tmp_path, [bad], [])
    assert written.table.cells["complete"].all()
    assert sum("frac" in file for file, _ in written.figures) == 8
    assert "\x1b" not in written.table.cells.to_csv()
    assert all(path.parent == written.folder for path in written.folder.iterdir())


def test_terminal_and_page_show_markup_as_it_is(tmp_path: Path) -> None:
    plan = [cell(), cell(seed=1)]
    results(tmp_path, plan[0], (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    why = "[bold]=1+1[/] <script> | \x1b[31m"
    write(tmp_path, plan[1], [report(0, 1.0, 0.4), end(9, "failed", why)])
    written = write_report(tmp_path, plan, [(cell(gpus=8), why)])
    output = io.StringIO()
    terminal.show(written, Console(file=output, force_terminal=True, width=200))
    assert output.getvalue().count("[bold]=1+1[/] <script> | ") == 2
    page = (written.folder / "report.md").read_text()
    assert "\\[bold\\]=1+1\\[/\\] \\<script\\> \\|" in page
    assert "<script>" not in page.replace("\\<script", "")
    assert "'=1+1" not in page
    skipped = (written.folder / "skipped.csv").read_text()
    assert "\x1b" not in skipped + page


def test_a_narrow_terminal_leaves_columns_out_and_says_so_but_cuts_no_number(
    tmp_path: Path,
) -> None:
    written = write_report(tmp_path, plan_of(tmp_path), [])
    row = written.frames["summary"].iloc[0]
    for width, has_steps in ((200, True), (80, False)):
        output = io.StringIO()
        terminal.show(written, Console(file=output, force_terminal=True, width=width))
        assert f"{row['final_loss']:.3g}" in output.getvalue()
        assert f"{row['seconds_to_target']:.3g} " in output.getvalue()
        assert f"{row['low']:.3g} to {row['high']:.3g}" in output.getvalue()
        assert ("in summary.csv:" not in output.getvalue()) == has_steps


def test_a_formula_in_a_csv_is_quoted(tmp_path: Path) -> None:
    plan = [cell()]
    results(tmp_path, plan[0], (1, 0.5), (2, 0.5), (3, 0.5), wall=3)
    written = write_report(tmp_path, plan, [(cell(gpus=8), "=HYPERLINK(1)")])
    assert ",'=HYPERLINK(1)" in (written.folder / "skipped.csv").read_text()
