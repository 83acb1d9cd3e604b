"""Engine `optuna`, seen through the journals that it writes."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgresql
import pytest
from conftest import (
    PLUGINS,
    cell_of,
    of_kind,
    processes_of,
    records,
    run_bench,
    suite_text,
)
from consistent import consistent

from bench.engines._postgresql import VARIABLE
from bench.journal import Record

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
FAULTS = ["raise", "nan", "huge", "kill", "hang", "gpu memory", "always raise"]


class Run:
    """One `bench run` of a suite, for the tests of this module to look at."""

    def __init__(self, folder: Path, *arguments: Any, storage: str = "journal", **keys: Any):
        environment = keys.pop("environment", {})
        text = suite_text(*arguments, **keys)
        (folder / "suite.toml").write_text(
            f'{text}\n[[engines]]\nname = "optuna"\nstorage = "{storage}"\n'
        )
        self.folder = folder
        self.printed = self.again(**environment)
        self.records = records(folder)

    def again(self, *options: str, **environment: str) -> Any:
        command = ("run", "suite.toml", "--device", "cpu", *options)
        return run_bench(self.folder, *command, TMPDIR=str(self.folder), **environment)

    def of(self, algorithm: str, fault: str = "") -> Record:
        """The only journal of an algorithm and a fault."""
        (record,) = [
            record
            for record in self.records
            if cell_of(record).algorithm.name == algorithm
            and cell_of(record).objective.options["fault"] == fault
        ]
        return record


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """What has a form of Optuna's own on a sound objective, two slots."""
    return Run(
        tmp_path_factory.mktemp("t"),
        NATIVE,
        [{"max_steps": 9, "seconds": 0.02}],
        budget=6,
        gpus=[2],
    )


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An objective for each fault."""
    toys = [{"fault": f, "max_steps": 1 if f == "always raise" else 4} for f in FAULTS]
    folder = tmp_path_factory.mktemp("t")
    return Run(folder, ["tpe"], toys, budget=4, max_trial_seconds=2.0)


def test_all_is_done_and_every_journal_is_consistent(sound: Run, faulty: Run) -> None:
    for run, cells in ((sound, len(NATIVE)), (faulty, len(FAULTS))):
        assert run.printed.returncode == 0, run.printed.stderr
        assert f"{cells} done; {cells} ran now" in run.printed.stdout
    for record in sound.records + faulty.records:
        consistent(record)


def test_both_slots_are_used_and_no_more_trials_run_than_there_are_slots(sound: Run) -> None:
    for record in sound.records:
        running = most = 0
        for event in record.events:
            running += (event["event"] == "suggest") - (event["event"] == "finish")
            most = max(most, running)
        assert most == cell_of(record).slots == 2


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


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("raise", "ValueError: broken on purpose"),
        ("nan", "the loss was nan at step 2"),
        ("kill", "its worker process died: killed by SIGKILL"),
        ("hang", "trained longer than max_trial_seconds = 2; hung at File"),
        (
            "gpu memory",
            "out of GPU memory: tried to allocate 2.00 GiB. GPU 0 has a total capacity of 15.77 "
            "GiB of which 9.00 GiB is free. 1.58 GiB allowed",
        ),
    ],
)
def test_a_failed_trial_counts_as_the_worst_and_the_cell_goes_on(
    faulty: Run, fault: str, error: str
) -> None:
    record = faulty.of("tpe", fault)
    assert record.end is not None and record.end["status"] == "completed"
    configurations = {e["trial"]: e["configuration"] for e in of_kind(record, "suggest")}
    failed = [e for e in of_kind(record, "finish") if e["status"] == "failed"]
    assert failed and all(error in e["error"] for e in failed)
    assert all(configurations[e["trial"]]["x"] > 0.6 for e in failed)
    worst = [e for e in of_kind(record, "report") if "raw_loss" in e]
    assert [e["raw_loss"] for e in worst] == [fault] * len(failed) * (fault == "nan")


def test_a_loss_worse_than_the_worst_counts_as_the_worst_and_training_goes_on(
    faulty: Run,
) -> None:
    record = faulty.of("tpe", "huge")
    clipped = [e for e in of_kind(record, "report") if "raw_loss" in e]
    assert clipped and all((e["loss"], e["raw_loss"]) == (10.0, 1e6) for e in clipped)
    assert all(e["status"] != "failed" for e in of_kind(record, "finish"))


def test_a_search_whose_every_trial_fails_ends_when_its_budget_is_spent(faulty: Run) -> None:
    record = faulty.of("tpe", "always raise")
    assert {e["status"] for e in of_kind(record, "finish")} == {"failed"}
    assert len(of_kind(record, "finish")) == cell_of(record).budget_steps


def test_nothing_is_left_behind(sound: Run, faulty: Run) -> None:
    for run in (sound, faulty):
        assert not list(run.folder.glob("bench-*")), "temporary folders"
        assert not processes_of(run.folder)
        left = {path.name for path in (run.folder / "results/suite").iterdir()}
        assert left == {"attempts", "locks", *(record.path.name for record in run.records)}


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
    run = Run(tmp_path, ["random"], [{"fault": "hang", "from_x": -1.0}], max_seconds=4.0)
    assert run.printed.returncode == 1
    assert "failed: ran past max_seconds = 4" in run.printed.stderr
    (record,) = run.records
    assert [e["status"] for e in of_kind(record, "finish")] == ["cut"]
    assert not processes_of(tmp_path)


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """A server's URL in the environment."""
    if postgresql.program("initdb") is None:
        pytest.skip("PostgreSQL IS NOT TESTED: there is no initdb on this machine")
    with postgresql.server() as url:
        yield {VARIABLE: url}


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"])
def test_the_study_may_be_in_a_database(
    tmp_path: Path, storage: str, request: pytest.FixtureRequest
) -> None:
    environment = request.getfixturevalue("database") if storage == "postgresql" else {}
    toy = {"max_steps": 9, "fault": "kill", "from_x": 0.8}
    keys: dict[str, Any] = {"budget": 5, "gpus": [2], "environment": environment}
    run = Run(tmp_path, [NATIVE[7]], [toy], storage=storage, **keys)
    assert run.printed.returncode == 0, run.printed.stderr
    for record in run.records:
        consistent(record)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or postgresql.PASSWORD.encode() not in file.read_bytes()
    assert postgresql.PASSWORD not in run.printed.stdout + run.printed.stderr


def test_nothing_is_left_on_the_server(database: dict[str, str]) -> None:
    import psycopg

    with psycopg.connect(database[VARIABLE]) as connection:
        row = connection.execute("select count(*) from studies").fetchone()
    assert row == (0,)


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    without = Run(tmp_path, ["random"], storage="postgresql")
    assert f"needs a PostgreSQL server: set {VARIABLE} to its URL" in without.printed.stdout + (
        without.printed.stderr
    )
    for url, words in (
        ("postgresql://bench:not-to-be-seen@127.0.0.1:1/none", "no PostgreSQL server answers"),
        ("mysql://bench:not-to-be-seen@127.0.0.1:1/none", "is no URL of a PostgreSQL server"),
    ):
        printed = without.again(**{VARIABLE: url})
        assert printed.returncode == 2 and words in printed.stderr, printed.stderr
        assert "not-to-be-seen" not in printed.stderr + printed.stdout
        assert "Traceback" not in printed.stderr


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


def mortal(folder: Path, dies: str) -> Run:
    algorithm = {"path": str(PLUGINS / "mortal.py"), "log": str(folder / "log"), "dies": dies}
    return Run(folder, [algorithm], budget=4, gpus=[2])


def test_a_trial_whose_worker_died_while_it_was_suggested_is_suggested_by_another(
    tmp_path: Path,
) -> None:
    run = mortal(tmp_path, "asked once")
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
    assert not processes_of(tmp_path)
