"""Where a changed search space shows: in the plan, in journals, on recorded curves, in answers."""

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from conftest import WriteSuite, of_kind, records
from tables import rows, write

from bench import curves, plugins, suite
from bench.audit.landscape import SmallSpace
from bench.cell import Cell, PlugIn
from bench.check._searches import Tried, drawn
from bench.errors import UserError
from bench.objectives.branin import Branin
from bench.overrides import overridden, resolve
from bench.recommend import settle
from bench.report.table import labels_of
from bench.report.trained import spaces
from bench.space import active

Bench = Callable[..., subprocess.CompletedProcess[str]]

FIXED = {"kind": {"constant": "shifted"}, "n": {"constant": 3}}


def test_the_plan_shows_what_is_changed(bench: Bench, write_suite: WriteSuite) -> None:
    write_suite(toys=[{"space": {}}])
    path = write_suite()
    path.write_text(path.read_text() + "\n[space.x]\nlinear = [0.2, 0.4]\n")
    printed = bench("plan", "suite.toml").stdout
    assert "  toy: x linear = [0.2, 0.4]" in printed.splitlines()
    assert "search spaces" not in bench("plan", str(write_suite())).stdout


@pytest.mark.minutes
def test_a_real_search_keeps_to_the_changed_space_and_its_journal_says_it(
    bench: Bench, tmp_path: Path, write_suite: WriteSuite
) -> None:
    path = write_suite()
    changed = '[space.x]\nlinear = [0.2, 0.4]\n[space.kind]\nconstant = "plain"\n'
    path.write_text(f"{path.read_text()}\n{changed}")
    assert bench("run", "suite.toml").returncode == 0
    (record,) = records(tmp_path)
    said = record.header["cell"]["objective"]["space"]
    assert said == {"kind": {"constant": "plain"}, "x": {"linear": [0.2, 0.4]}}
    for event in of_kind(record, "suggest"):
        assert set(event["configuration"]) == {"kind", "n", "x"}, "fixed, and yet handed over"
        assert event["configuration"]["kind"] == "plain"
        assert 0.2 <= event["configuration"]["x"] <= 0.4


@pytest.mark.parametrize(
    "name", [name for name in plugins.names("algorithms") if "hebo" not in name]
)
def test_every_algorithm_searches_beside_what_is_fixed(name: str) -> None:
    made: Any = plugins.load_class("algorithms", name)(
        **({"resolution": 5} if name == "grid" else {})
    )
    objective = overridden(SmallSpace, resolve(SmallSpace(), FIXED))()
    found = drawn(Tried(made).search(objective))
    assert found
    for each in found:
        assert each == {**each, "kind": "shifted", "n": 3}
        assert active(objective.space(), each) == each
    assert len({each["x"] for each in found}) > 4


@pytest.mark.minutes
@pytest.mark.parametrize("name", ["hebo", "hebo_asha"])
def test_hebo_searches_beside_what_is_fixed(name: str) -> None:
    test_every_algorithm_searches_beside_what_is_fixed(name)


def test_what_is_fixed_does_not_delay_bohbs_model() -> None:
    bohb: Any = plugins.load_class("algorithms", "bohb")()
    objective = overridden(SmallSpace, resolve(SmallSpace(), FIXED))()
    assert bohb.remark(SmallSpace(), 99).startswith("models once 10 results are at one rung")
    assert bohb.remark(objective, 99).startswith("models once 6 results are at one rung")
    searcher: Any = bohb.ray(problem_of(objective))[0]
    assert list(searcher.bohber.configspace) == ["shift", "x"]


def problem_of(objective: Any) -> Any:
    from bench.algorithm import Problem

    return Problem(objective.space(), objective.max_steps, slots=1, seed=0)


# Recorded curves


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table that says it was recorded of branin."""
    monkeypatch.setattr(curves, "FOLDERS", [tmp_path])
    return record(tmp_path / "branin-cpu.parquet", PLAIN)


PLAIN = PlugIn("branin", Branin().model_dump())


def record(path: Path, of: PlugIn) -> Path:
    space = plugins.make("objectives", of).space().to_serialized_dict()
    return write(path, rows(3), {"objective": of.identity, "space": space, "device": "cpu"})


def changed(**space: Any) -> PlugIn:
    return replace(PLAIN, space=space)


def test_curves_of_a_wider_space_serve_a_narrower_one(recorded: Path) -> None:
    assert curves.find(PLAIN, "cpu") == recorded
    assert curves.find(changed(x1={"linear": [0.0, 5.0]}), "cpu") == recorded
    assert curves.find(changed(x1={"constant": 2.0}), "cpu") == recorded
    assert curves.find(changed(x1={"constant": 2.0}), "cuda") is None


def test_of_two_tables_that_of_just_this_space_is_taken(recorded: Path) -> None:
    narrow = changed(x1={"linear": [0.0, 5.0]})
    own = record(recorded.with_name("narrow.parquet"), narrow)
    assert curves.find(narrow, "cpu") == own
    assert curves.find(PLAIN, "cpu") == recorded


def test_curves_are_not_extrapolated(recorded: Path) -> None:
    recorded.unlink()
    record(recorded, changed(x1={"linear": [0.0, 5.0]}))
    assert curves.find(PLAIN, "cpu") is None, "as if there were none"
    with pytest.raises(UserError) as caught:
        curves.find(changed(x1={"linear": [0.0, 6.0]}), "cpu")
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"space.x1: linear = [0.0, 6.0] goes beyond what {recorded} has rec")
    assert (
        "(linear = [0.0, 5.0]), and curves are not extrapolated: narrow it, or record it:" in text
    )
    assert "bench record branin max_steps=9 'space.x1={linear = [0.0, 6.0]}' --to FILE" in text


BEYOND = """
budget = 4
seeds = 1
gpus = [1]
engines = ["virtual"]
[[objectives]]
name = "mnist_cnn"
train_images = 500
validation_images = 500
max_channels = 16
[objectives.space.lr]
log = {lr}
[[algorithms]]
name = "random"
"""


def test_a_virtual_cell_beyond_what_was_recorded_is_refused_at_plan(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "suite.toml").write_text(BEYOND.format(lr=[1e-6, 1e-3]))
    printed = bench("plan", "suite.toml", "--device", "cpu")
    assert printed.returncode == 2
    (line,) = printed.stderr.splitlines()
    assert "engine virtual on mnist_cnn: space.lr: log = [1e-06, 0.001] goes beyond what" in line


def test_a_virtual_search_of_a_narrower_space_replays_the_whole_ones_curves(
    bench: Bench, tmp_path: Path
) -> None:
    (tmp_path / "suite.toml").write_text(BEYOND.format(lr=[1e-4, 2e-4]))
    printed = bench("run", "suite.toml", "--device", "cpu")
    assert printed.returncode == 0, printed.stderr
    (of,) = records(tmp_path)
    rates = [event["configuration"]["lr"] for event in of_kind(of, "suggest")]
    assert rates and all(1e-4 <= rate <= 2e-4 for rate in rates)


def test_what_the_refusal_says_records_the_changed_space() -> None:
    made: Any = plugins.of_user("branin", ["max_steps=3", "space.x1={linear = [0.0, 6.0]}"])
    assert made.overrides == {"x1": {"linear": [0.0, 6.0]}}
    assert made.max_steps == 3
    assert made.space()["x1"].upper == 6.0
    with pytest.raises(UserError, match=r"space\.x9: no parameter of this name; legal: x1, x2"):
        plugins.of_user("branin", ["space.x9={constant=1}"])


# Answers


def test_labels_tell_spaces_apart() -> None:
    one, other = PLAIN, changed(x1={"constant": 2.0})
    labels = labels_of(pd.Series([each.identity for each in (one, other)]))
    assert labels == ["branin x1 its own", "branin x1 constant = 2.0"]
    assert labels_of(pd.Series([other.identity])) == ["branin"]


def test_importances_and_exports_see_the_changed_space(tmp_path: Path) -> None:
    cell = cells(tmp_path, "[space.x1]\nconstant = 2.0")[0]
    frame = pd.DataFrame({"objective": ["branin"], "key": [cell.key]})
    (found,) = spaces(frame, [cell]).values()
    assert {each.name: each.choices for each in found} == {"x1": (2.0,), "x2": ()}


def test_what_would_settle_it_has_the_changed_space(tmp_path: Path) -> None:
    cell = cells(tmp_path, "[space.x1]\nlinear = [0, 5]\n[space.x2]\nconstant = 1")[0]
    (tmp_path / "settle.toml").write_text(settle.toml([(cell, [0])]))
    (again,) = suite.plan(tmp_path / "settle.toml", [1], "cpu")
    assert again.key == cell.key


def cells(folder: Path, space: str) -> list[Cell]:
    text = f'budget = 2\nseeds = 1\n{space}\n[[objectives]]\nname = "branin"\n'
    (folder / "mine.toml").write_text(f'{text}[[algorithms]]\nname = "random"\n')
    return suite.plan(folder / "mine.toml", [1], "cpu")


def test_of_what_is_fixed_there_is_no_importance(tmp_path: Path) -> None:
    from journals import cell
    from test_importances import table, write_trials

    from bench.metrics import importances
    from bench.space import Parameter

    write_trials(tmp_path, cell(budget=100))
    given = table(tmp_path)
    (label,) = given.spaces
    known = [
        Parameter("p", "choice", choices=("a",)) if each.name == "p" else each
        for each in given.spaces[label]
    ]
    assert json.loads(given.configurations["configuration"][0])["p"] == "a"
    found = importances.compute(replace(given, spaces={label: known}))
    assert set(found["parameter"]) == {"q", "r", "x", "gate", "depth"}
