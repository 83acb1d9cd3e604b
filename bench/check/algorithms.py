"""What every algorithm must do, as functions that raise Violation; `CHECKS` has them all.

They are for each of its forms: Ray Tune's pair, and that of Optuna's workers if it has one.

The first line of each docstring is the rule. Searches are of cheap objectives, in this process and
in virtual time, by the calls that Ray's controller would make. In all of them suggestions must be
in the space (bounds, types, conditions), and the whole budget must be spent.
"""

import json
import random
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from bench.algorithm import Problem, effective_settings
from bench.audit.landscape import MnistSpace, SmallSpace
from bench.check._elsewhere import ask_elsewhere
from bench.check._faulty import Constant, Faulty
from bench.check._race import ERROR, race
from bench.check._searches import Tried, drawn, told
from bench.check._violation import Violation

SLOTS = 3


def the_seed_alone_decides(tried: Tried) -> None:
    """The same seed searches the same way, in another process with another hash seed too."""
    here = told(tried.search())
    there = ask_elsewhere("bench.check._searches", tried.algorithm, {"seed": 0, "form": tried.form})
    if here != there:
        at = next(n for n, (one, two) in enumerate(zip(here, there, strict=False)) if one != two)
        raise Violation(f"in another process event {at} was {there[at]}, not {here[at]}")


def another_seed_suggests_something_else(tried: Tried) -> None:
    """Another seed, another search."""
    one, two = (drawn(tried.search(budget=3, seed=seed)) for seed in (0, 1))
    if one == two:
        raise Violation("seeds 0 and 1 suggested the same configurations")


def it_draws_from_no_global_generator(tried: Tried) -> None:
    """Python's, numpy's and torch's global generators are as they were."""
    tried.search(budget=1)  # imports what it needs
    torch: Any = sys.modules.get("torch")
    random.seed(0)
    np.random.seed(0)
    before = random.getstate(), repr(np.random.get_state())
    of_torch = torch.get_rng_state() if torch else None
    tried.search()
    if torch and not torch.equal(torch.get_rng_state(), of_torch):
        raise Violation("it draws from torch's global generator")
    if random.getstate() != before[0]:
        raise Violation("it draws from python's global generator")
    if repr(np.random.get_state()) != before[1]:
        raise Violation("it draws from numpy's global generator")


def it_keeps_to_a_large_space(tried: Tried) -> None:
    """Sixteen parameters of all types, three of them under conditions: nothing leaves the space."""
    tried.search(MnistSpace(), budget=12)  # most models suggest from the eleventh on


def it_survives_failed_trials(tried: Tried) -> None:
    """Trials that raise, and losses that are NaN or infinite, do not end the search."""
    events = tried.search(Faulty(), slots=SLOTS)
    failed = sum(event.get("status") == "failed" for event in events[:-1])
    if not failed:
        raise Violation("no trial came to its second step, where two of three fail")


def it_survives_a_constant_objective(tried: Tried) -> None:
    """Losses that are all the same do not end the search."""
    tried.search(Constant())


def it_survives_a_budget_of_one_training(tried: Tried) -> None:
    """The least budget there is, at one slot and at several."""
    for slots in (1, SLOTS):
        tried.search(budget=1, slots=slots)


def it_keeps_to_its_slots(tried: Tried) -> None:
    """No more trials run than there are slots; and all slots are used."""
    most, running = 0, set[int]()
    for event in tried.search(slots=SLOTS):
        kind, decision = event["event"], event.get("decision")
        if kind == "suggest" or (kind == "report" and event["trial"] not in running):
            running.add(event["trial"])  # a paused trial goes on without a word: seen by its report
        elif kind == "finish" or decision in ("pause", "stop"):
            running.discard(event["trial"])
        most = max(most, len(running))
    if most > SLOTS:
        raise Violation(f"{most} trials ran at {SLOTS} slots")
    if most < SLOTS:
        raise Violation(f"only {most} trials ran at {SLOTS} slots")


def it_suggests_different_things_at_once(tried: Tried) -> None:
    """What runs at once is not the same: each of Optuna's workers has a seed of its own."""
    first = drawn(tried.search(budget=SLOTS, slots=SLOTS))[:SLOTS]
    if all(each == first[0] for each in first):
        raise Violation(f"all {SLOTS} slots were given {first[0]}")


def it_trains_some_configuration_in_full(tried: Tried) -> None:
    """A trial comes to `max_steps`: a scheduler left at another length would not let it."""
    space = SmallSpace()
    longest = max(e["step"] for e in tried.search(space, budget=9) if e["event"] == "report")
    if longest < space.max_steps:
        raise Violation(f"the longest trial had {longest} of {space.max_steps} steps")


def its_settings_can_be_written_down(tried: Tried) -> None:
    """What a journal's header says of the objects that run is JSON, and the same each time."""
    one, two = (_settings(tried) for _ in range(2))
    if json.loads(json.dumps(one, allow_nan=False)) != one:
        raise Violation("its effective settings are not JSON")
    if one != two:
        changed = [
            name
            for part, other in zip(one, two, strict=True)
            for name in part
            if part[name] != other.get(name)
        ]
        raise Violation(f"its settings differ from search to search: {', '.join(changed)}")


def it_beats_random_search_where_it_claims_to(tried: Tried) -> None:
    """On the smooth objectives of `beats_random` its losses are below random search's median."""
    for name, budget in tried.algorithm.beats_random.items():
        passed, won, seeds = race(tried, name, budget)
        if not passed:
            raise Violation(
                f"on {name} with {budget} full trainings it was better than random search's median "
                f"in {won} of {seeds} seeds (tested so that one no better than random passes with "
                f"a probability of {ERROR:.0%})"
            )


def _settings(tried: Tried) -> list[dict[str, Any]]:
    space = SmallSpace()
    problem = Problem(space.space(), space.max_steps, slots=1, seed=3)
    made, ray = tried.algorithm, tried.form == "ray"
    pair = made.ray(problem) if ray else made.optuna(problem, problem.seed)
    return [effective_settings(part) for part in pair]


CHECKS: tuple[Callable[[Tried], None], ...] = (
    the_seed_alone_decides,
    another_seed_suggests_something_else,
    it_draws_from_no_global_generator,
    it_keeps_to_a_large_space,
    it_survives_failed_trials,
    it_survives_a_constant_objective,
    it_survives_a_budget_of_one_training,
    it_keeps_to_its_slots,
    it_suggests_different_things_at_once,
    it_trains_some_configuration_in_full,
    its_settings_can_be_written_down,
    it_beats_random_search_where_it_claims_to,
)
