"""Recommendations: the Pareto set, the chance to be best, refusals, and what would settle it."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from journals import HOUR, cell, end, report, results, suggest, two_algorithms, write

from bench.metrics._curves import Curve
from bench.recommend import choice, text
from bench.recommend.answer import Answer, answers
from bench.recommend.points import Option, Point, Question, points
from bench.report.table import load


def ask(folder: Path, **question: Any) -> Answer:
    (answer,) = answers(load(folder), Question(**question))
    return answer


def test_a_points_loss_is_the_mean_incumbent_of_searches_cut_at_the_budget(tmp_path: Path) -> None:
    """4 GPU-hours.

    Random's cuts are 4, 2, 1 h: (0.4 + 0.4)/2, (0.6 + 0.6)/2, (0.8 + 0.6)/2; those of tpe, on two
    GPUs, 2 and 1 h: (0.3 + 0.5)/2, (0.4 + 0.8)/2.
    """
    answer = ask(two_algorithms(tmp_path), gpu_hours=4.0)
    found = {(p.option.algorithm, p.cut / HOUR, p.gpu_hours): p.score for p in answer.points}
    assert found == pytest.approx(
        {
            ("random", 4.0, 4.0): 0.4,
            ("random", 2.0, 2.0): 0.6,
            ("random", 1.0, 1.0): 0.7,
            ("tpe", 2.0, 4.0): 0.4,
            ("tpe", 1.0, 2.0): 0.6,
        }
    )


def test_the_pareto_set_has_what_nothing_beats_in_time_gpu_hours_and_loss(tmp_path: Path) -> None:
    """Random's points after 4 h and after 2 h are dominated by those of tpe after 2 h and 1 h.

    They have the same loss for the same GPU-hours, in half the time.
    """
    answer = ask(two_algorithms(tmp_path), gpu_hours=4.0)
    assert [(p.option.algorithm, p.cut / HOUR) for p in answer.front] == [
        *[("random", 1.0), ("tpe", 1.0), ("tpe", 2.0)]
    ]
    assert answer.best is answer.front[-1]


def test_a_deadline_leaves_few_gpus_less_budget(tmp_path: Path) -> None:
    """2 h and 4 GPU-hours: random has 2 h on its one GPU, 0.6; tpe 2 h on two, 0.4."""
    answer = ask(two_algorithms(tmp_path), gpu_hours=4.0, seconds=2 * HOUR)
    assert max(p.cut for p in answer.points if p.option.algorithm == "random") == 2 * HOUR
    assert answer.best.option.algorithm == "tpe"
    assert answer.best.score == pytest.approx(0.4)


def test_a_record_is_used_up_to_where_the_first_search_of_it_ended(tmp_path: Path) -> None:
    """5 GPU-hours: random's second seed has 5 h, its first ended at 4; tpe has its 2.5 of 3 h."""
    answer = ask(two_algorithms(tmp_path), gpu_hours=5.0)
    assert [str(option) for option in answer.short] == ["random on 1"]
    assert max(p.cut for p in answer.points if p.option.algorithm == "random") == 4 * HOUR
    assert "nobody knows" in " ".join(text.notes(answer))


def test_with_a_target_each_search_ends_when_it_reaches_it(tmp_path: Path) -> None:
    """To 0.4: neither beats the other; the cheaper is recommended.

    Random after 4 and 3 h, on average 3.5 GPU-hours; tpe after 1 and 3 h on two GPUs: 4.
    """
    answer = ask(two_algorithms(tmp_path), target=0.4)
    assert [(p.option.algorithm, p.seconds / HOUR, p.gpu_hours, p.score) for p in answer.front] == [
        ("random", 3.5, 3.5, 0.0),
        ("tpe", 2.0, 4.0, 0.0),
    ]
    assert answer.best.option.algorithm == "random"
    (rival,) = answer.rivals
    assert (rival.what, rival.difference) == ("GPU-hours", 0.5)


def test_a_search_that_missed_the_target_counts_before_what_it_cost(tmp_path: Path) -> None:
    """To 0.3 within 6 GPU-hours: random misses it twice, tpe reaches it after 2 and 3 h."""
    answer = ask(two_algorithms(tmp_path), target=0.3, gpu_hours=6.0)
    assert {str(p.option): (p.score, p.gpu_hours) for p in answer.points} == {
        "random on 1": (1.0, 4.0),
        "tpe on 2": (0.0, 5.0),
    }
    assert answer.best.option.algorithm == "tpe"


def test_a_target_that_all_reached_needs_no_record_of_the_rest(tmp_path: Path) -> None:
    assert not ask(two_algorithms(tmp_path), target=0.4, gpu_hours=64.0).refusal


def test_a_search_that_failed_has_the_worst_loss_from_then_on(tmp_path: Path) -> None:
    """Seed 0 fails at 10 s after a loss of 0.1; the worst loss is 2: at 20 s (2 + 0.5)/2."""
    events = [suggest(0), report(0, 5.0, 0.1), end(10.0, "failed", "the algorithm raised")]
    write(tmp_path, cell(seed=0), events)
    results(tmp_path, cell(seed=1), (5, 0.5), (6, 0.5), (7, 0.5), wall=20)
    answer = ask(tmp_path, seconds=20.0)
    assert {p.cut: p.score for p in answer.points if p.cut > 5.0} == {20.0: 1.25, 10.0: 0.3}


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"gpu_hours": 64.0}, r"beyond what was recorded: up to --gpu-hours 6 \(tpe on 2\)"),
        ({"seconds": 6 * HOUR}, r"and --deadline 14400s \(random on 1\); ask for less"),
        ({"target": 0.1, "gpu_hours": 64.0}, "beyond what was recorded"),
        ({"gpus": frozenset({2, 8})}, "^8 cores: not recorded; recorded are --gpus 1,2$"),
        ({"seconds": 60.0}, "^no search had a result by then; the first: 3.6e.03 s$"),
    ],
)
def test_what_was_not_recorded_is_refused_in_a_line(
    tmp_path: Path, question: dict[str, Any], message: str
) -> None:
    refusal = ask(two_algorithms(tmp_path), **question).refusal
    assert "\n" not in refusal
    assert re.search(message, refusal), refusal


def test_what_a_refusal_says_is_covered_is_answered(tmp_path: Path) -> None:
    two_algorithms(tmp_path)
    assert not ask(tmp_path, gpu_hours=6.0).refusal
    assert not ask(tmp_path, seconds=14400.0).refusal


def test_the_chance_to_be_best_is_of_seeds_resampled_together(tmp_path: Path) -> None:
    """Tpe is 0.1 better on seven seeds that differ by more among themselves: always the best."""
    for seed in range(7):
        for name, loss in [("random", 0.1 * seed + 0.2), ("tpe", 0.1 * seed + 0.1)]:
            results(tmp_path, cell(name, seed=seed), *[(s, loss) for s in (1, 2, 3)], wall=4)
    answer = ask(tmp_path)
    (rival,) = answer.rivals
    assert answer.chances[answer.best] == 1.0
    assert [rival.low, rival.high] == pytest.approx([0.1, 0.1])
    assert not rival.cannot_tell


def test_of_two_seeds_that_disagree_each_option_is_best_in_half_of_the_resamples(
    tmp_path: Path,
) -> None:
    """Random has 0.2 and 0.4, tpe 0.4 and 0.2: the heavier seed decides."""
    for name, losses in [("random", (0.2, 0.4)), ("tpe", (0.4, 0.2))]:
        for seed, loss in enumerate(losses):
            results(tmp_path, cell(name, seed=seed), *[(s, loss) for s in (1, 2, 3)], wall=4)
    answer = ask(tmp_path)
    (rival,) = answer.rivals
    assert rival.chance == pytest.approx(0.5, abs=0.05)
    assert rival.cannot_tell and rival.more_seeds == math.inf
    assert "no number of seeds" in "\n".join(text.lines(answer, lambda *_: ""))


def test_two_that_are_equal_on_every_seed_differ_by_their_cost(tmp_path: Path) -> None:
    """On two GPUs the same losses arrive at the same seconds: twice the GPU-hours."""
    for gpus in (1, 2):
        for seed in range(6):
            found = [(s, 0.1 * seed) for s in (1, 2, 3)]
            results(tmp_path, cell(gpus=gpus, seed=seed), *found, wall=4)
    answer = ask(tmp_path, seconds=4.0)
    assert answer.best.option.gpus == 1
    (rival,) = answer.rivals
    assert rival.equal and not rival.cannot_tell
    said = "\n".join(text.lines(answer, lambda *_: ""))
    assert "as good on every seed, and dearer: random on 2 (0.000556 core-hours, 1 s)" in said


def test_an_option_with_fewer_seeds_is_compared_on_those_that_it_shares(tmp_path: Path) -> None:
    """Random is 0.1 worse on seeds 0 and 1, the easy ones; tpe also has two that are hard.

    tpe: (0.1 + 0.2 + 0.6 + 0.7)/4 = 0.4. random: 0.25 + 0.4 - 0.15 = 0.5, not 0.25.
    """
    for seed, loss in enumerate((0.1, 0.2, 0.6, 0.7)):
        results(tmp_path, cell("tpe", seed=seed), *[(s, loss) for s in (1, 2, 3)], wall=4)
    for seed, loss in enumerate((0.2, 0.3)):
        results(tmp_path, cell("random", seed=seed), *[(s, loss) for s in (1, 2, 3)], wall=4)
    answer = ask(tmp_path)
    assert (answer.best.option.algorithm, answer.best.score) == ("tpe", 0.4)
    (rival,) = answer.rivals
    assert [rival.point.score, rival.difference, rival.low, rival.high] == pytest.approx(
        [0.5, 0.1, 0.1, 0.1]
    )
    assert "compared on those that they share with tpe on 1" in "\n".join(text.notes(answer))


def test_fewer_than_six_pairs_show_nothing(tmp_path: Path) -> None:
    """Five seeds all 0.1 apart: one more makes a p of 2^-5 possible."""
    for seed in range(5):
        for name, loss in [("random", 0.3), ("tpe", 0.2)]:
            results(tmp_path, cell(name, seed=seed), *[(s, loss) for s in (1, 2, 3)], wall=4)
    (rival,) = ask(tmp_path).rivals
    assert rival.cannot_tell and rival.more_seeds >= 1 and rival.pairs == 5


def test_clocks_and_devices_answer_apart_and_virtual_says_its_error(tmp_path: Path) -> None:
    found = [(s, 0.5) for s in (1, 2, 3)]
    results(tmp_path, cell(), *found, wall=4)
    results(tmp_path, cell(device="cuda"), *found, wall=4)
    results(tmp_path, cell(engine="virtual"), *found, wall=4, clock="virtual")
    real, cuda, virtual = answers(load(tmp_path), Question())
    assert {len(each.evidence.options[0].seeds) for each in (real, cuda, virtual)} == {1}
    assert "evidence: real searches, measured on Test CPU, 8 cores" in text.notes(real)[0]
    assert text.notes(virtual)[0] == "evidence: virtual: not validated on this device"
    assert cuda.evidence.unit == "GPU"


@st.composite
def made_up(draw: st.DrawFn) -> list[Option]:
    few = st.integers(1, 3)
    found = []
    for number in range(draw(st.integers(1, 5))):
        seeds = tuple(sorted(draw(st.sets(st.integers(0, 4), min_size=1))))
        curves = []
        for _ in seeds:
            curve = object.__new__(Curve)
            steps = draw(st.lists(st.integers(1, 20), min_size=1, max_size=6))
            losses = draw(st.lists(few, min_size=len(steps), max_size=len(steps)))
            curve.x = np.cumsum(steps).astype(float)
            curve.incumbent = np.minimum.accumulate(np.array(losses, dtype=float))
            curve.end, curve.complete = float(curve.x[-1]), True
            curves.append(curve)
        ends = min(curve.end for curve in curves)
        gpus = draw(st.sampled_from([1, 2, 4]))
        found.append(Option(f"a{number}", gpus, ("",), seeds, tuple(curves), 4.0, ends, 1))
    return found


@given(
    made_up(),
    st.floats(1, 200),
    st.floats(1, 100),
    st.one_of(st.none(), st.integers(1, 3).map(float)),
)
def test_the_recommended_is_within_the_limits_undominated_and_chances_add_up_to_1(
    found: list[Option], gpu_seconds: float, seconds: float, target: float | None
) -> None:
    question = Question(gpu_seconds / 3600, seconds, target)
    all_points = [p for option in found for p in points(option, question)]
    if not all_points:
        return
    all_points = choice.ordered(choice.referenced(all_points))
    best = min(all_points, key=lambda p: p.order)
    assert best.seconds <= seconds * (1 + 1e-9)
    assert best.gpu_hours <= question.gpu_hours * (1 + 1e-9)
    front = choice.front(all_points)
    assert best in front
    for point in all_points:
        dominated = any(_dominates(other, point) for other in all_points)
        assert not (dominated and point in front)
    assert choice.chances(all_points).sum() == pytest.approx(1)


def _dominates(one: Point, other: Point) -> bool:
    mine, its = ((p.seconds, p.gpu_hours, p.score) for p in (one, other))
    close = 1e-12
    return all(a <= b for a, b in zip(mine, its, strict=True)) and any(
        a < b - close for a, b in zip(mine, its, strict=True)
    )
