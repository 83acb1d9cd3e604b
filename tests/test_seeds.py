"""The suites of the documents that this project grew from, and what their heads say to do."""

import re
import shlex
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import pytest
from conftest import HERE, run_bench

from bench import plugins, suite
from bench.cell import Cell
from bench.errors import UserError
from bench.space import parameters

SEEDS = HERE.parent / "seeds"

PAGES = {  # cells, slots, epochs of a full training, trainings, and what is searched
    "alliance": (3, {10}, 1, 20, "batch_size lr"),
    "finisterrae": (3, {2}, 2, 2, "batch_size l1 l2 lr"),
    "itwinai": (3, {8}, 10, 2, "batch_size lr"),
    "juelich": (6, {4}, 10, 12, "batch_size lr"),
    "turpan-optuna": (45, {4}, 5, 500, "batch_size conv1 conv2 fc_dim kernel1 kernel2 lr"),
    "turpan-ray-tune": (
        *(42, {2, 8}, 5, 50),
        "activation batch_size conv1 conv2 conv3 dropout fc_dim gamma kernel1 kernel2 kernel3 lr "
        "optimizer schedule step_size weight_decay",
    ),
}

each_page = pytest.mark.parametrize("page", PAGES)


def planned(path: Path) -> list[Cell]:
    return suite.plan(path, suite.load(path).gpus or [], "cpu")


def changed(page: str, tmp_path: Path, old: str, new: str) -> Path:
    text = (SEEDS / f"{page}.toml").read_text()
    assert text.count(old) == 1, "the test is of an older suite"
    path = tmp_path / f"{page}.toml"
    path.write_text(text.replace(old, new))
    return path


def command(page: str, name: str) -> str:
    """What the head of a suite says after `# ` and begins with this."""
    head = (SEEDS / f"{page}.toml").read_text()
    (found,) = re.findall(rf"^#.*?\b({name} .+?)(?: && .*)?$", head, re.MULTILINE)
    return str(found).split("&& ")[-1]


def test_every_suite_is_of_a_document() -> None:
    assert {path.stem for path in SEEDS.glob("*.toml")} == set(PAGES)


@each_page
def test_a_suite_plans_what_its_page_has(page: str) -> None:
    count, slots, max_steps, budget, searched = PAGES[page]
    cells = planned(SEEDS / f"{page}.toml")
    assert len(cells) == count
    assert {cell.slots for cell in cells} == slots
    assert {(cell.max_steps, cell.budget) for cell in cells} == {(max_steps, budget)}
    space = plugins.make("objectives", cells[0].objective).space()
    free = [each.name for each in parameters(space) if len(each.choices) != 1]
    assert sorted(free) == searched.split()


WITH_SQLITE = {"turpan-optuna": 15}


@each_page
def test_planning_needs_neither_gpus_nor_data(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "nowhere"))
    done = run_bench(tmp_path, "plan", SEEDS / f"{page}.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{PAGES[page][0]} cells" in done.stdout


@each_page
def test_the_heads_submission_is_one(page: str, tmp_path: Path) -> None:
    """Cells find their place at the site that the head names, but with SQLite on two nodes.

    Nothing is submitted.
    """
    arguments = shlex.split(command(page, "bench submit"))[2:]
    arguments[0] = str(SEEDS / f"{page}.toml")
    there = {"SCRATCH": "/scratch", "STORE": "/store", "PROJECT": "/project", "LUSTRE": "/lustre"}
    arguments += ["--account", "some"] * ("--account" not in arguments)
    done = run_bench(tmp_path, "submit", *arguments, "--dry-run", BENCH_IMAGE="", **there)
    assert done.returncode == 0, done.stderr
    cells, nowhere = PAGES[page][0], WITH_SQLITE.get(page, 0)
    assert f"# {cells} cells: {cells - nowhere} to submit" in done.stdout
    assert ("SQLite is for one node" in done.stdout) == bool(nowhere)


@each_page
def test_the_heads_laptop_suite_fits_a_laptop(page: str, tmp_path: Path) -> None:
    """The same engines, algorithms and search space; fewer and smaller trainings on two cores."""
    (tmp_path / "seeds").symlink_to(SEEDS)
    subprocess.run(["bash", "-c", command(page, "sed")], cwd=tmp_path, check=True)
    (path,) = tmp_path.glob("*.toml")
    assert path.stem == f"{page}-laptop"
    small, whole = planned(path), planned(SEEDS / f"{page}.toml")
    assert {cell.gpus for cell in small} <= {1, 2}
    assert all(0 < cell.slots <= 2 for cell in small)
    assert all(cell.objective.options["train_images"] <= 500 for cell in small)
    for of in (
        lambda cell: (cell.engine, str(cell.engine_settings)),
        lambda cell: (cell.algorithm.name, str(cell.algorithm.options)),
        lambda cell: (cell.objective.name, str(cell.objective.space)),
    ):
        assert {of(cell) for cell in small} == {of(cell) for cell in whole}
    pattern = shlex.split(command(page, "bench run"))[-1]
    assert any(fnmatch(cell.key, pattern) for cell in small)


@pytest.mark.parametrize(
    ("page", "old", "new", "reason"),
    [
        ("alliance", 'name = "random"', 'name = "asha"', "grace_period = 1 is as long as a full"),
        ("itwinai", "max_steps = 10 ", "max_steps = 2 ", "grace_period = 5 is more than a full"),
        ("juelich", "max_steps = 10 ", "max_steps = 2 ", "grace_period = 2 is as long as a full"),
    ],
)
def test_a_page_whose_asha_can_stop_nothing_is_told_so(
    page: str, old: str, new: str, reason: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=rf"asha\) on \w+: {reason}.*no rung to stop at"):
        planned(changed(page, tmp_path, old, new))
