"""`bench recommend` as users call it: the commands that would settle it, mistakes in a line."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from journals import cell, results

from bench import duration, suite
from bench.cell import Cell
from bench.cli import run_command_line
from bench.errors import UserError
from bench.recommend import text
from bench.report import write as write_report
from bench.report.gather import gather

SUITE = """
budget = 3
seeds = 3
gpus = [1, 2]
engines = [{ name = "ray" }]
objectives = [{ name = "sphere", dimensions = 2 }, { name = "branin" }]
algorithms = [{ name = "random" }, { name = "tpe", startup_trials = 2 }]
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Cell]:
    """A suite in the current folder, and journals of its searches, which can hardly be told apart.

    tpe on two GPUs is the best on average.
    """
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text(SUITE)
    cells = suite.plan(Path("mine.toml"), [1, 2], "cpu")
    for each in cells:
        loss = 0.5 + 0.1 * ((each.seed + each.gpus) % 3)
        loss -= 0.01 * (each.algorithm.name == "tpe") * (each.gpus == 2)
        found = [(float(s), loss) for s in range(1, each.budget_steps + 1)]
        results(Path("results/mine"), each, *found, wall=each.budget_steps + 1.0)
    return cells


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    command = ["recommend", "mine.toml", "--objective", "sphere", "--device", "cpu", *arguments]
    assert run_command_line([*command, "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_the_commands_that_would_settle_it_run_the_missing_seeds_of_both_and_no_others(
    there: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each command is a shell's: the suite that it writes plans cells that differ by seed only."""
    (answer,) = _json(capsys, "--deadline", "2s")
    known = {(c.algorithm.name, c.gpus): c for c in there if c.objective.name == "sphere"}
    assert answer["cannot_tell"]
    best = answer["recommended"]
    for rival in answer["cannot_tell"]:
        if rival["command"] is None:
            continue
        first, *body, last, run, again = _parts(rival["command"])
        Path("settle.toml").write_text("\n".join(body) + "\n")
        assert first.startswith("cat > settle-") and last == "END"
        gpus = suite.load(Path("settle.toml")).gpus
        assert gpus is not None
        planned = suite.plan(Path("settle.toml"), gpus, "cpu")
        wanted = {(each["algorithm"], each["gpus"]) for each in (best, rival)}
        if len(wanted) == 2 and not any("--cells" in line for line in run):
            assert {(c.algorithm.name, c.gpus) for c in planned} == wanted
        for each in planned:
            seeds = {c.seed for c in there}
            assert each.seed not in seeds
            like = known[each.algorithm.name, each.gpus]
            assert each.as_json() == {**like.as_json(), "seed": each.seed}
        new = {c.seed for c in planned}
        assert len(new) == rival["more_seeds"]
        assert again.endswith("--objective sphere --deadline 2s")


def _parts(command: str) -> list[Any]:
    lines = command.splitlines()
    end_of_suite = lines.index("END")
    return [*lines[: end_of_suite + 1], lines[end_of_suite + 1 : -1], lines[-1]]


def test_the_command_that_the_report_names_answers_the_same(
    there: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    written = write_report(Path("results/mine"), there, [], suite="mine.toml")
    assert [given.answer.evidence.setting["objective"] for given in written.answers] == [
        *["branin", "branin", "sphere", "sphere"]
    ]
    for given in written.answers:
        _, *command = shlex.split(given.again)
        assert run_command_line([*command, "--device", "cpu", "--json"]) == 0
        (answer,) = json.loads(capsys.readouterr().out)
        front = [row["gpu_hours"] for row in answer["pareto"]]
        assert front == [point.gpu_hours for point in given.answer.front]
        assert answer["reason"] == text.reason(given.answer)
        commands = [each["command"] for each in answer["cannot_tell"]]
        assert given.settle == next(filter(None, commands), "")


def test_searches_of_several_suites_are_one_evidence(
    there: list[Cell], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("more.toml").write_text(SUITE.replace("seeds = 3", "seeds = [2, 3]"))
    cells = suite.plan(Path("more.toml"), [1, 2], "cpu")
    for each in cells:
        found = [(float(s), 0.5) for s in range(1, each.budget_steps + 1)]
        results(Path("results/more"), each, *found, wall=each.budget_steps + 1.0)
    (answer,) = _json(capsys, "more.toml")
    assert answer["recommended"]["seeds"] == 4, "seeds 0 to 3; seed 2 is in both"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--objective", "bowl"], "--objective bowl: not in the suite; legal: branin, sphere"),
        (["--deadline", "8x"], "--deadline 8x: write 8h, 1d12h, 90m, 45s or HH:MM:SS"),
        (["--gpu-hours", "0"], "--gpu-hours and --deadline: legal: more than 0"),
        (["--gpu-hours", "64"], "beyond what was recorded: up to --gpu-hours"),
        (["--gpus", "1,16"], "16 cores: not recorded; recorded are --gpus 1,2"),
        (["--target", "nan"], "--target nan: legal: a number"),
    ],
)
def test_mistakes_are_one_line(
    there: list[Cell], capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    command = ["recommend", "mine.toml", "--objective", "sphere", "--device", "cpu", *arguments]
    assert run_command_line(command) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


def test_without_a_journal_there_is_no_answer(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no cell of bowl in .* has ended yet"):
        gather([(_empty(tmp_path), [cell()])], "bowl")


def _empty(folder: Path) -> Path:
    (folder / "none").mkdir()
    return folder / "none"


def test_durations_are_what_people_write() -> None:
    said = ["8h", "1d12h", "90m", "45s", "1h30m", "08:00:00", "1-00:00:00"]
    assert [duration.spoken(each) for each in said] == [
        *[28800, 129600, 5400, 45, 5400, 28800, 86400]
    ]
    for wrong in ("", "8", "h", "8h8h", "-1h", "8 h"):
        with pytest.raises(ValueError, match="write 8h"):
            duration.spoken(wrong)
