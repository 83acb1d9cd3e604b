"""Parameter importances against shares worked out by hand."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float
from journals import cell, end, finish, report, suggest, write
from matplotlib.text import Text

from bench.cell import Cell
from bench.metrics import importances
from bench.metrics._style import side_by_side
from bench.metrics._table import Table
from bench.report import write as write_report
from bench.report.table import load
from bench.report.trained import spaces
from bench.space import parameters


def space() -> ConfigurationSpace:
    made = ConfigurationSpace()
    gate, depth = Categorical("gate", ["on", "off"]), Float("depth", (0.0, 1.0))
    made.add(Categorical("p", ["a", "b"]), Categorical("q", ["a", "b"]))
    made.add(
        Float("x", (0.0, 1.0)),
        Categorical("r", ["a", "b"]),
        gate,
        depth,
        EqualsCondition(depth, gate, "on"),
    )
    return made


def write_trials(folder: Path, of: Cell, status: str = "completed", **header: Any) -> None:
    """A hundred trials; the best ten: all have p = a, eight have r = a, five have q = a.

    Over all of them, half have a, of each parameter.
    """
    events = []
    for trial in range(100):
        best = trial < 10
        p = best or trial >= 60  # 10 + 40 = 50
        r = trial < 8 or 10 <= trial < 52  # 8 + 42 = 50
        q = trial % 2 == 0
        configuration: dict[str, Any] = {
            name: "a" if on else "b" for name, on in (("p", p), ("q", q), ("r", r))
        }
        configuration["x"] = trial * 37 % 100 / 100  # no two alike, spread over all and the best
        configuration |= {"gate": "on", "depth": trial / 100} if trial % 4 < 2 else {"gate": "off"}
        loss = 0.1 if best else 1.0
        events += [suggest(trial, trial, configuration=configuration)]
        events += [report(trial, trial + 0.5, loss), finish(trial, trial + 0.5, status)]
    write(folder, of, [*events, end(100.0)], **header)


def table(folder: Path, **changes: Any) -> Table:
    return replace(load(folder), spaces={"bowl": parameters(space())}, **changes)


def test_shares_are_those_of_the_divergences(tmp_path: Path) -> None:
    # A density of k values that are there is a mixture of k kernels, weighed by their counts, and
    # of (1/2, 1/2) with the weight 1; a kernel has 1 for its value and 1/(k + 1) for each, over the
    # sum. p, of which a alone is in the best: kernel (3/4, 1/4), a (10 × 3/4 + 1/2) / 11 = 8/11.
    # r: kernels (4/5, 1/5) and (1/5, 4/5), a (8 × 4/5 + 2 × 1/5 + 1/2) / 11 = 7.3/11; q: 1/2. All
    # trials have 1/2 each. Pearson divergences, the sum of (top / all - 1)² / 2: p (5/11)²,
    # r (3.6/11)², q 0; so r : p = (3.6 / 5)².
    write_trials(tmp_path, cell(budget=100))
    frame = importances.compute(table(tmp_path)).set_index("parameter")
    share = frame["importance"]
    assert share.sum() == pytest.approx(1)
    assert share["r"] / share["p"] == pytest.approx((3.6 / 5) ** 2)
    assert share["q"] == pytest.approx(0, abs=1e-6)
    assert frame["active"].to_dict() == {
        **dict.fromkeys(["p", "q", "r", "x", "gate"], 1.0),
        "depth": 0.5,
    }
    assert frame["trials"].eq(100).all() and frame["of"].eq(100).all()
    assert frame["low"].isna().all(), "one seed gives no interval"


def test_the_jackknifes_interval_is_students(tmp_path: Path) -> None:
    # mean 0.6, squares 0.01 + 0 + 0.01; error sqrt(2/3 × 0.02) = 0.11547; t(2) = 4.30265
    low, high = importances.jackknife(np.array([0.6]), np.array([[0.5], [0.6], [0.7]]))
    assert low == pytest.approx(0.6 - 4.30265 * 0.11547, abs=1e-4)
    assert high == 1, "no share is more"


def test_seeds_that_agree_give_a_narrow_interval(tmp_path: Path) -> None:
    for seed in range(4):
        write_trials(tmp_path, cell(seed=seed, budget=100))
    frame = importances.compute(table(tmp_path))
    assert frame["n"].eq(4).all()
    assert (frame["high"] - frame["low"]).max() < 0.05
    assert ((frame["low"] <= frame["importance"]) & (frame["importance"] <= frame["high"])).all()


def test_a_training_that_several_searches_made_counts_once(tmp_path: Path) -> None:
    write_trials(tmp_path, cell("random", gpus=1, budget=100))
    write_trials(tmp_path, cell("tpe", gpus=2, budget=100))
    frame = importances.compute(table(tmp_path))
    assert frame["of"].eq(100).all()
    alone = load(tmp_path, [cell("random", gpus=1, budget=100).key])
    expected = importances.compute(replace(alone, spaces={"bowl": parameters(space())}))
    assert frame["importance"].tolist() == expected["importance"].tolist()


def test_trials_that_were_stopped_have_no_loss_to_compare(tmp_path: Path) -> None:
    write_trials(tmp_path, cell(budget=100), status="stopped")
    assert importances.compute(table(tmp_path)).empty


def test_a_failed_trial_counts_as_the_worst_loss(tmp_path: Path) -> None:
    write_trials(tmp_path, cell(budget=100), status="failed")
    assert load(tmp_path).configurations["loss"].eq(2.0).all()


def test_too_few_trials_give_no_share_and_a_note(tmp_path: Path) -> None:
    events = [suggest(0, configuration={"p": "a", "q": "a", "r": "b", "gate": "off"})]
    write(
        tmp_path, cell(budget=1), [*events, report(0, 1.0, 0.5), finish(0, 1, "completed"), end(1)]
    )
    frame = importances.compute(table(tmp_path))
    assert frame["importance"].isna().all()
    assert importances.notes(frame) == [
        "Importances on bowl (wall clock, cpu, budget 1): 1 trainings came to their end or failed, "
        "50 are needed."
    ]
    importances.draw(frame)


def test_the_figure_says_what_it_is_of(tmp_path: Path) -> None:
    write_trials(tmp_path, cell(budget=100))
    write_trials(tmp_path, cell(engine="virtual", budget=100), clock="virtual")
    frame = importances.compute(table(tmp_path))
    made = importances.draw(side_by_side(frame))
    shown = "\n".join(each.get_text() for each in made.findobj(Text))  # type: ignore[attr-defined]
    for part in (
        "100 trials",
        "n = 1 seed, so no interval",
        "all algorithms (virtual)",
        "depth *",
    ):
        assert part in shown
    made.savefig(tmp_path / "figure.png")


def test_two_engines_are_drawn_side_by_side(tmp_path: Path) -> None:
    for engine in ("optuna", "ray"):
        write_trials(tmp_path, cell(engine=engine, budget=100))
    made = importances.draw(side_by_side(importances.compute(table(tmp_path))))
    legend = [each.get_text() for each in made.findobj(Text)]  # type: ignore[attr-defined]
    assert {"all algorithms (optuna)", "all algorithms (ray)"} <= set(legend)


def test_a_space_comes_from_the_plan_and_never_from_a_journals_file(tmp_path: Path) -> None:
    trap = tmp_path / "trap.py"
    trap.write_text("raise AssertionError('a stranger may run code')")
    of = cell(budget=100)
    objective: dict[str, Any] = {"name": "bowl", "path": str(trap), "options": {}}
    objective["source"] = hashlib.sha256(trap.read_bytes()).hexdigest()
    write_trials(tmp_path, of, cell={**of.as_json(), "objective": objective})
    assert spaces(load(tmp_path).cells, [of]) == {}, "bowl is none of ours"
    assert write_report(tmp_path, [of], []).frames["importances"].empty


def test_configurations_outside_the_space_are_left_out(tmp_path: Path) -> None:
    write_trials(tmp_path, cell(budget=100))
    path = tmp_path / f"{cell(budget=100).key}.jsonl"
    odd = path.read_text().replace('"x":0.37', '"x":37').replace('"x":0.74', '"y":[1]')
    path.write_text(odd)
    frame = importances.compute(table(tmp_path))
    assert frame["of"].eq(100).all() and frame["trials"].eq(98).all()
