"""`bench record`: configurations all over a space, trained for real, in a table."""

import json
import subprocess
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bench import curve_table, plugins
from bench.audit.landscape import MnistSpace
from bench.corners import corners
from bench.recording.sequence import configurations
from bench.seeds import canonical
from bench.space import active, parameters

Bench = Callable[..., subprocess.CompletedProcess[str]]
TOY = Path(__file__).parent / "plugins" / "toy.py"


def test_the_list_begins_with_the_corners_and_can_be_entered_anywhere() -> None:
    space = MnistSpace().space()
    edge = list(corners(space))
    listed = list(islice(configurations(space), len(edge) + 20))
    assert listed[: len(edge)] == edge
    for first in (3, len(edge) + 7):
        assert list(islice(configurations(space, first), 5)) == listed[first : first + 5]


def test_the_sequence_covers_every_parameter_evenly() -> None:
    space = MnistSpace().space()
    first = sum(1 for _ in corners(space))
    drawn = list(islice(configurations(space, first), 256))
    assert all(active(space, each) == each for each in drawn)
    for parameter in parameters(space):
        values = [each[parameter.name] for each in drawn if parameter.name in each]
        if parameter.choices and not space.parent_conditions_of[parameter.name]:
            fair = 256 / len(parameter.choices)
            assert all(abs(values.count(each) - fair) <= 2 for each in parameter.choices)


def test_record_writes_every_step_of_every_training(bench: Bench, tmp_path: Path) -> None:
    printed = bench("record", TOY, "--configs", 5, "--gpus", 1)
    assert printed.returncode == 0, printed.stderr
    table = pq.read_table(tmp_path / "suites" / "curves" / "toy-cpu.parquet")
    rows: list[dict[str, Any]] = table.to_pylist()
    edge = [*corners(plugins.of_user(str(TOY), []).space())]  # type: ignore[attr-defined]
    trained = [(row["configuration"], row["seed"]) for row in rows if row["step"] == 1]
    assert len(trained) == len(edge) + 3 * 5
    first = [each for each, seed in trained if seed == 0]
    for seed in (1, 2):  # the same ones again, which tells how much of a loss is chance
        assert [each for each, of in trained if of == seed] == first[len(edge) :]
    assert [row["step"] for row in rows] == [1, 2, 3, 4] * len(trained)
    about = json.loads(table.schema.metadata[b"searchbench"])
    assert about["max_steps"] == 4 and about["device"] == "cpu" and about["provenance"]
    assert about["kernels"].keys() == {"outcomes", "seconds"}


@pytest.mark.minutes
@pytest.mark.parametrize(
    ("fault", "diverged"),
    [("nan", True), ("", False), ("raise", False)],
)
def test_at_two_slots_every_training_is_there_once_and_whole(
    fault: str, diverged: bool, bench: Bench, tmp_path: Path
) -> None:
    """What diverges ends early, at the worst loss; what breaks down is left out, and counted."""
    printed = bench("record", TOY, f'fault="{fault}"', "from_x=0.5", "--configs", 15, "--gpus", 2)
    path = tmp_path / "suites" / "curves" / "toy-cpu.parquet"
    read = curve_table.read(path)
    seeds = [each for each in read.seeds if each == 0]
    assert len({canonical(each) for each in read.configurations}) == len(seeds)
    assert bool((read.ends < 4).any()) == diverged
    if fault == "raise":
        assert 3 <= len(seeds) < 18
        return
    assert printed.returncode == 0, printed.stderr
    assert len(seeds) == 18
    assert read.cold.sum() == 2 * 4, "the first trial of each slot of each of the four cells"


@pytest.mark.minutes
def test_a_table_is_not_replaced_by_a_smaller_one(bench: Bench, tmp_path: Path) -> None:
    assert bench("record", TOY, "--configs", 20, "--gpus", 1).returncode == 0
    path = tmp_path / "suites" / "curves" / "toy-cpu.parquet"
    before = path.read_bytes()
    fewer = bench("record", TOY, "--configs", 5, "--gpus", 1)
    assert fewer.returncode == 2
    assert "has 55 trainings, this would leave 18" in fewer.stderr
    other = bench("record", TOY, "max_steps=3", "--configs", 20, "--gpus", 1)
    assert other.returncode == 2
    assert "is of another objective or other options: give another file, --to" in other.stderr
    assert path.read_bytes() == before


def test_where_nothing_can_be_recorded_it_says_so(bench: Bench) -> None:
    printed = bench("record", TOY, "--configs", 5, "--gpus", 4096)
    assert printed.returncode == 2
    assert "no training came to its end" in printed.stderr
