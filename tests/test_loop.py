"""The loop that audits and checks run in makes the calls that Ray's controller makes."""

from pathlib import Path
from typing import Any

import pytest
from conftest import PLUGINS, cell_of, records, run_bench, suite_text
from defects.library import toy

from bench import plugins
from bench.algorithm import Algorithm
from bench.algorithms.hyperband import Hyperband
from bench.algorithms.random import Random
from bench.engines._search import build
from bench.engines._simulation import events_of, search_of
from bench.journal import Record

ALGORITHMS: list[dict[str, Any]] = [
    {"name": name, **({"resolution": 6} if name == "grid" else {})}
    for name in plugins.names("algorithms")
]
ALGORITHMS.append({"path": str(PLUGINS / "pausing.py")})

THOSE_THAT_PAUSE = [{"name": "hyperband"}, {"name": "bohb"}]


def on_ray(folder: Path, algorithms: list[dict[str, Any]], fault: str) -> list[Record]:
    """A cell of each algorithm at one slot, run by the engine `ray`; some trials meet the fault."""
    toy = {"max_steps": 9, "fault": fault, "from_x": 0.8}
    (folder / "suite.toml").write_text(suite_text(algorithms, [toy], budget=7))
    printed = run_bench(folder, "run", "suite.toml", "--device", "cpu")
    assert printed.returncode == 0, printed.stderr
    assert "Warning" not in printed.stderr, "libraries' warnings do not reach the user"
    return records(folder)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algorithms", "fault"),
    [
        pytest.param(ALGORITHMS, "nan", marks=pytest.mark.minutes, id="all"),
        pytest.param(THOSE_THAT_PAUSE, "raise", id="those that pause, with trials that break down"),
    ],
)
def test_at_one_slot_all_events_are_those_of_ray(
    tmp_path: Path, algorithms: list[dict[str, Any]], fault: str
) -> None:
    """Two runs in two processes, too: so each of them is reproducible."""
    found = on_ray(tmp_path, algorithms, fault)
    assert len(found) == len(algorithms)
    assert any(event.get("status") == "failed" for record in found for event in record.events)
    for record in found:
        events = events_of(build(cell_of(record), "virtual"), lambda configuration, step: 1.0)
        expected = [untimed(event) for event in record.events]
        assert [untimed(event) for event in events[:-1]] == expected, cell_of(record).algorithm.name


def untimed(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if "seconds" not in key}


def test_time_is_that_of_the_steps_and_slots_work_side_by_side() -> None:
    """Four trials of nine steps of a second: 36 s at one slot, 18 s at two."""
    for slots, seconds in ((1, 36.0), (2, 18.0)):
        search = search_of(toy(9), Random(), budget=4, slots=slots)
        assert events_of(search, lambda configuration, step: 1.0)[-1]["seconds"] == seconds


def test_a_result_is_journaled_when_it_arrives() -> None:
    """Two trials whose steps take 1 s and 10 s: the first is over before the second has begun."""
    order = iter([1.0, 10.0])
    seconds: dict[str, float] = {}

    def of(configuration: dict[str, Any], step: int) -> float:
        return seconds.setdefault(str(configuration), next(order, 5.0))

    events = events_of(search_of(toy(3), Random(), budget=2, slots=2), of)
    arrived = [(e["seconds"], e["trial"]) for e in events if e["event"] == "report"]
    assert arrived[:4] == [(1.0, 0), (2.0, 0), (3.0, 0), (8.0, 2)]


def test_the_best_of_a_rung_go_on_before_a_new_trial_is_asked_for() -> None:
    """Otherwise the new one would be suggested without what the others have to tell."""
    paused: set[int] = set()
    judged = False
    for event in events_of(search_of(toy(9), Hyperband(), budget=14))[:-1]:
        if event["event"] == "suggest":
            assert not (judged and paused), "a rung was judged, and its best wait"
        elif event.get("decision") == "pause":
            paused.add(event["trial"])
        else:
            paused.discard(event["trial"])
            judged = event["event"] == "finish" or (judged and bool(paused))


def test_a_search_whose_algorithm_suggests_nothing_ends_and_says_so() -> None:
    class Silent(Algorithm):
        def ray(self, problem: Any) -> tuple[Any, Any]:
            searcher, scheduler = Random().ray(problem)
            searcher.suggest = lambda trial_id: None  # type: ignore[method-assign]
            return searcher, scheduler

    events = events_of(search_of(toy(3), Silent(), budget=2))
    assert events[-1]["status"] == "failed"
    assert events[-1]["reason"] == "the algorithm suggested nothing while nothing ran"
