"""A frozen plan: what was planned runs, whatever became of the suite; what was edited does not."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import WriteSuite, cell_of, records

Bench = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def frozen(bench: Bench, write_suite: WriteSuite, tmp_path: Path) -> Path:
    """The frozen plan of a suite of two algorithms with a seed each."""
    suite = write_suite(["random", "tpe"], budget=1)
    path = tmp_path / "plan.jsonl"
    path.write_text(bench("plan", suite, "--device", "cpu", "--json").stdout)
    return path


def test_a_line_is_a_cell_with_its_key_and_its_suite(frozen: Path) -> None:
    lines = [json.loads(line) for line in frozen.read_text().splitlines()]
    assert [line["index"] for line in lines] == [0, 1]
    assert {line["suite"] for line in lines} == {"suite"}
    assert [line["algorithm"]["name"] for line in lines] == ["random", "tpe"]


@pytest.mark.slow
def test_index_i_runs_line_i_even_when_the_suite_is_gone(
    bench: Bench, frozen: Path, tmp_path: Path
) -> None:
    (tmp_path / "suite.toml").unlink()
    printed = bench("run", "--plan", frozen, "--index", 1)
    assert printed.returncode == 0, printed.stderr
    assert "suite: 1 cells: 1 done; 1 ran now; journals in results/suite" in printed.stdout
    (record,) = records(tmp_path)
    assert cell_of(record).key == json.loads(frozen.read_text().splitlines()[1])["key"]
    again = bench("run", "--plan", frozen, "--index", 1)
    assert "1 done; 0 ran now" in again.stdout


def replaced(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replaced('"budget": 1', '"budget": 2'), "index 0: was edited, or is of another version"),
        (replaced('"suite": "suite"', '"suite": "../x"'), "index 0: was edited"),
        (replaced('"seed"', '"sede"'), "index 0: not a line of a plan"),
        (lambda text: text[: len(text) // 4], "index 0: not a line of a plan"),
        (lambda text: "[1]\n" + text, "index 0: not a line of a plan"),
        (lambda text: "", "is empty; make one: bench plan SUITE --json"),
        (lambda text: "\ud800", "is no text"),
    ],
)
def test_what_is_not_as_it_was_written_does_not_run(
    bench: Bench, frozen: Path, edit: Callable[[str], str], message: str
) -> None:
    frozen.write_text(edit(frozen.read_text()), errors="surrogatepass")
    refused(bench("run", "--plan", frozen, "--index", 0), message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--plan", "plan.jsonl"], "give the line to run, counted from 0: --index I"),
        (["--plan", "plan.jsonl", "--index", "2"], "plan.jsonl has the indices 0 to 1"),
        (["--plan", "nosuch.jsonl", "--index", "0"], "cannot read the plan nosuch.jsonl"),
        (["suite.toml", "--plan", "plan.jsonl", "--index", "0"], "--plan says which cells"),
        (["--plan", "plan.jsonl", "--index", "0", "--gpus", "2"], "--plan says which cells"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line(
    bench: Bench, frozen: Path, arguments: list[str], message: str
) -> None:
    refused(bench("run", *arguments), message)


def refused(printed: subprocess.CompletedProcess[str], message: str) -> None:
    assert printed.returncode == 2
    assert message in printed.stderr
    assert printed.stderr.count("\n") == 1, printed.stderr
