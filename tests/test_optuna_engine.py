"""Engine `optuna`, seen through the journals that it writes."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import PLUGINS, cell_of, of_kind, records, run_bench, suite_text
from consistent import consistent
from processes import none_left
from runs import Run, most_at_once

OPTUNA = {"name": "optuna"}

NATIVE: list[dict[str, Any]] = [
    {"name": "random"},
    {"name": "tpe", "startup_trials": 3},
    {"name": "cmaes", "population_size": 3},
    {"name": "gp", "startup_trials": 3},
    {"name": "nsga2", "population_size": 3},
    {"name": "asha"},
    {"name": "hyperband"},
    {"name": "tpe_asha", "startup_trials": 3},
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What has a form of Optuna's own on a sound objective, two slots."""
    return Run(
        tmp_path_factory.mktemp("t"),
        OPTUNA,
        NATIVE,
        [{"max_steps": 9, "seconds": 0.02}],
        budget=6,
        gpus=[2],
    )


def test_all_is_done_and_every_journal_is_consistent(sound: Run) -> None:
    assert sound.printed.returncode == 0, sound.printed.stderr
    assert f"{len(NATIVE)} done; {len(NATIVE)} ran now" in sound.printed.stdout
    for record in sound.records:
        consistent(record)


def test_no_more_trials_run_than_there_are_slots(sound: Run) -> None:
    for record in sound.records:
        assert most_at_once(record) <= cell_of(record).slots == 2


@pytest.mark.parametrize("algorithm", ["asha", "hyperband", "tpe_asha"])
def test_pruners_stop_trials_early(sound: Run, algorithm: str) -> None:
    record = sound.of(algorithm)
    stopped = [e for e in of_kind(record, "finish") if e["status"] == "stopped"]
    assert stopped and all(e["step"] < 9 for e in stopped)
    stops = {(e["trial"], e["step"]) for e in of_kind(record, "decide") if e["decision"] == "stop"}
    assert {(e["trial"], e["step"]) for e in stopped} <= stops
    assert len(of_kind(record, "suggest")) > 6


@pytest.mark.parametrize("algorithm", ["random", "tpe", "cmaes", "gp", "nsga2"])
def test_without_a_pruner_trials_are_full_trainings(sound: Run, algorithm: str) -> None:
    finished = of_kind(sound.of(algorithm), "finish")
    assert {e["status"] for e in finished} <= {"completed", "cut"}


def test_no_two_workers_draw_the_same(sound: Run) -> None:
    drawn = [e["configuration"]["x"] for e in of_kind(sound.of("random"), "suggest")]
    assert len(set(drawn)) == len(drawn) >= 6


def test_the_header_has_the_settings_of_sampler_and_pruner(sound: Run) -> None:
    effective = sound.of("tpe_asha").header["effective"]
    assert effective["sampler"]["_n_startup_trials"] == 3
    assert effective["pruner"]["_reduction_factor"] == 3
    assert effective["pruner"]["class"].startswith("optuna.pruners.")
    assert sound.of("tpe_asha").header["cell"]["engine_settings"] == {"storage": "journal"}


def test_nothing_is_left_behind(sound: Run) -> None:
    sound.leaves_nothing()


def test_a_grid_is_searched_without_repeats_and_its_end_fails_the_cell(tmp_path: Path) -> None:
    """Nine points, and a budget of nine; as trials with x = 1 fail early, it needs more points."""
    grid = {"name": "grid", "resolution": 3}
    suite = suite_text([grid], budget=9, gpus=[2]).replace(str(PLUGINS / "toy.py"), "even.py")
    (tmp_path / "even.py").write_text(EVEN)
    (tmp_path / "suite.toml").write_text(f'engines = ["optuna"]\n{suite}')
    printed = run_bench(tmp_path, "run", "suite.toml", "--device", "cpu")
    (record,) = records(tmp_path)
    consistent(record)
    points = [tuple(e["configuration"].values()) for e in of_kind(record, "suggest")]
    assert len(points) == len(set(points)) == 9
    assert printed.returncode == 1
    assert "failed: the algorithm made no more suggestions" in printed.stderr


EVEN = """
from bench.objective import Objective

class Even(Objective):
    max_steps: int = 4
    worst_loss = 10.0

    def space(self):
        import ConfigSpace as cs
        space = cs.ConfigurationSpace()
        space.add(cs.Float("x", (0.0, 1.0)), cs.Float("y", (0.0, 1.0)))
        return space

    def train(self, configuration, seed, device):
        return Training(configuration)

class Training:
    def __init__(self, configuration):
        self.configuration = configuration

    def step(self):
        if self.configuration["x"] == 1.0:
            raise ValueError("broken on purpose")
        return {"loss": self.configuration["x"]}

    def state(self):
        return b""

    def load(self, state):
        pass
"""


def test_a_cell_past_max_seconds_fails(tmp_path: Path) -> None:
    run = Run(tmp_path, OPTUNA, ["random"], [{"fault": "hang", "from_x": -1.0}], max_seconds=12.0)
    assert run.printed.returncode == 1
    assert "failed: ran past max_seconds = 12" in run.printed.stderr
    (record,) = run.records
    assert [e["status"] for e in of_kind(record, "finish")] == ["cut"]
    assert none_left(tmp_path)


@pytest.mark.parametrize(
    ("algorithm", "refusal"),
    [
        ("hebo", "engine optuna, hebo on toy: it has no form that is Optuna's own"),
        ("bohb", "engine optuna, bohb on toy: it has no form that is Optuna's own"),
        (
            {"name": "grid", "resolution": 5},
            "grid on toy: Optuna's GridSampler knows",
        ),
    ],
)
def test_what_has_no_form_of_optunas_is_refused_when_planning(
    tmp_path: Path, algorithm: Any, refusal: str
) -> None:
    (tmp_path / "suite.toml").write_text(suite_text([algorithm], engines=["optuna"]))
    printed = run_bench(tmp_path, "plan", "suite.toml", "--device", "cpu")
    assert printed.returncode == 2 and refusal in printed.stderr
    assert "Traceback" not in printed.stderr


def test_an_unknown_storage_is_refused(tmp_path: Path) -> None:
    text = suite_text() + '\n[[engines]]\nname = "optuna"\nstorage = "redis"\n'
    (tmp_path / "suite.toml").write_text(text)
    printed = run_bench(tmp_path, "plan", "suite.toml", "--device", "cpu")
    assert printed.returncode == 2
    assert "engines[0] (optuna).storage: input should be 'journal', 'sqlite' or" in printed.stderr


def mortal(folder: Path, dies: str, budget: int = 4, seconds: float = 0.0) -> Run:
    algorithm = {"path": str(PLUGINS / "mortal.py"), "log": str(folder / "log"), "dies": dies}
    return Run(folder, OPTUNA, [algorithm], [{"seconds": seconds}], budget=budget, gpus=[2])


def test_a_trial_whose_worker_died_while_it_was_suggested_is_suggested_by_another(
    tmp_path: Path,
) -> None:
    run = mortal(tmp_path, "asked once", budget=8, seconds=0.05)
    assert run.printed.returncode == 0, run.printed.stderr
    consistent(run.records[0])
    begun = Counter((tmp_path / "log").read_text().split())
    assert begun["2"] == 2 and begun.total() == len(begun) + 1, "by another, and no other twice"


@pytest.mark.parametrize(
    ("dies", "reason"),
    [
        ("built", "5 workers ended before they had a trial: no room"),
        ("raises", "RuntimeError: no more ideas"),
        ("gives up", "the algorithm made no more suggestions"),
    ],
)
def test_a_search_that_cannot_go_on_fails_and_says_why(
    tmp_path: Path, dies: str, reason: str
) -> None:
    run = mortal(tmp_path, dies)
    assert run.printed.returncode == 1
    assert f"failed: {reason}" in run.printed.stderr
    assert none_left(tmp_path)
