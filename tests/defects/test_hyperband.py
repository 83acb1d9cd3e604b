"""What is wrong with Ray's Hyperband schedulers as they are, and that ours is without it.

A test of the library as it is fails when the library has mended the defect: then remove our
correction, which its docstring names, from bench/algorithms/_hyperband_scheduler.py.
"""

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from ray.tune.experiment import Trial
from ray.tune.schedulers import HyperBandForBOHB, TrialScheduler

from bench.algorithms._hyperband import brackets
from bench.algorithms._hyperband_scheduler import Hyperband as OurScheduler
from bench.algorithms.hyperband import Hyperband
from defects.library import TABLE_1, Library, lengths, run


def test_our_brackets_are_those_of_table_1() -> None:
    assert brackets(81, 3) == TABLE_1


@pytest.mark.parametrize("slots", [1, 4])
def test_ours_runs_table_1_to_the_trial(slots: int) -> None:
    ends = lengths(run(Hyperband(), budget=25, slots=slots))
    for rungs in TABLE_1:
        joined, ends = ends[: rungs[0][0]], ends[rungs[0][0] :]
        assert [(sum(end >= steps for end in joined), steps) for _, steps in rungs] == rungs


def test_rays_finished_bracket_takes_all_later_trials_which_run_at_full_length() -> None:
    """Hyperband is random search from its second bracket on. Remove `Bracket.filled`."""
    ends = lengths(run(Library(), budget=25))
    assert Counter(ends[:81]) == {1: 54, 3: 18, 9: 6, 27: 2, 81: 1}
    assert set(ends[81:-1]) == {81}  # the last one is cut when the budget is spent


def test_rays_hyperband_scheduler_begins_with_the_bracket_that_stops_nothing() -> None:
    """Table 1 begins with s = 4, whose 81 trials begin with 1 step: we use HyperBandForBOHB."""
    ends = lengths(run(Library(scheduler="HyperBandScheduler"), budget=5))
    assert set(ends) == {81}


def test_rays_brackets_have_more_places_than_table_1() -> None:
    """34, 15 and 8 for 27, 9 and 6. Remove `_get_n0`."""
    scheduler = HyperBandForBOHB(max_t=81, metric="loss", mode="min")
    assert [scheduler._get_n0(s) for s in (4, 3, 2, 1, 0)] == [81, 34, 15, 8, 5]


def test_rays_last_rung_may_come_short_of_a_full_training() -> None:
    """R = 20: 2, 6, 18 steps; and none in a bracket s = 3, which is left out. Remove `_get_r0`."""
    assert max(lengths(run(Library(), budget=9, max_steps=20))) == 18
    assert max(lengths(run(Hyperband(), budget=9, max_steps=20))) == 20


@pytest.mark.parametrize(("kind", "full"), [(HyperBandForBOHB, False), (OurScheduler, True)])
def test_rays_bracket_that_lost_a_trial_is_never_full(
    kind: type[HyperBandForBOHB], full: bool
) -> None:
    """Its rungs are judged only when nothing else runs. Remove `Bracket.filled`."""
    scheduler, controller, trials = nine_trials(kind)
    scheduler.on_trial_error(controller, trials[0])
    assert scheduler._state["bracket"].filled() is full


@pytest.mark.parametrize(("kind", "judged"), [(HyperBandForBOHB, True), (OurScheduler, False)])
def test_ray_judges_a_rung_before_all_its_trials_are_there_when_one_fails(
    kind: type[HyperBandForBOHB], judged: bool
) -> None:
    """Of four trials at the first rung three go on. Remove `Bracket.cur_iter_done`."""
    scheduler, controller, trials = nine_trials(kind, count=5)
    for number, trial in enumerate(trials[:4]):
        result = {"training_iteration": 1, "loss": float(number)}
        assert scheduler.on_trial_result(controller, trial, result) == TrialScheduler.PAUSE
        trial.set_status(Trial.PAUSED)
    scheduler.on_trial_error(controller, trials[4])
    assert bool(controller.stopped) is judged


@pytest.mark.parametrize(("kind", "judged"), [(HyperBandForBOHB, False), (OurScheduler, True)])
def test_ray_does_not_judge_a_rung_whose_last_result_comes_while_another_is_saved(
    kind: type[HyperBandForBOHB], judged: bool
) -> None:
    """Nobody judges it then as long as any trial runs. Remove `on_trial_result`."""
    scheduler, controller, trials = nine_trials(kind)
    for number, trial in enumerate(trials):
        result = {"training_iteration": 1, "loss": float(number)}
        decision = scheduler.on_trial_result(controller, trial, result)
        if number < 7:
            trial.set_status(Trial.PAUSED)
        else:
            trial.temporary_state.saving_to = True  # still running, until it is saved
    assert (decision == TrialScheduler.STOP) is judged
    assert (len(controller.stopped) == 5) is judged


@pytest.mark.parametrize(("kind", "judged"), [(HyperBandForBOHB, False), (OurScheduler, True)])
def test_ray_does_not_judge_a_later_rung_when_its_last_trial_fails(
    kind: type[HyperBandForBOHB], judged: bool
) -> None:
    """A mark of the first rung's judgement stays for ever. Remove `_process_bracket`."""
    scheduler, controller, trials = nine_trials(kind)

    def stop(trial: Trial) -> None:
        controller.stopped.append(trial)
        scheduler.on_trial_remove(controller, trial)

    controller.stop_trial = stop
    for steps, running in ((1, trials), (3, trials[:2])):
        for number, trial in enumerate(running):
            result = {"training_iteration": steps, "loss": float(number)}
            scheduler.on_trial_result(controller, trial, result)
            trial.set_status(Trial.PAUSED)
        for trial in trials[:3] if steps == 1 else []:
            trial.set_status(Trial.RUNNING)  # the three best go on
    before = len(controller.stopped)
    scheduler.on_trial_error(controller, trials[2])
    assert (len(controller.stopped) > before) is judged


def nine_trials(kind: type[HyperBandForBOHB], count: int = 9) -> tuple[Any, Any, list[Trial]]:
    """A scheduler for R = 9, a stand-in controller, and trials that run in the first bracket."""
    scheduler = kind(
        time_attr="training_iteration", metric="loss", mode="min", max_t=9, reduction_factor=3
    )
    told = SimpleNamespace(on_pause=lambda trial_id: None, on_unpause=lambda trial_id: None)
    stopped: list[Trial] = []
    search_alg = SimpleNamespace(searcher=told)
    controller = SimpleNamespace(search_alg=search_alg, stop_trial=stopped.append, stopped=stopped)
    trials = [Trial("stub", stub=True) for _ in range(count)]
    for trial in trials:
        scheduler.on_trial_add(controller, trial)
        trial.set_status(Trial.RUNNING)
    return scheduler, controller, trials
