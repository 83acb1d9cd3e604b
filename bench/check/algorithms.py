"""What every algorithm must do, as functions that raise Violation; `CHECKS` has them all.

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

from bench.algorithm import Algorithm, Problem, effective_settings
from bench.audit.landscape import MnistSpace, SmallSpace
from bench.check._elsewhere import ask_elsewhere
from bench.check._faulty import Constant, Faulty
from bench.check._race import ERROR, race
from bench.check._searches import drawn, search, told
from bench.check._violation import Violation

SLOTS = 3


def the_seed_alone_decides(algorithm: Algorithm) -> None:
    """The same seed searches the same way, in another process with another hash seed too."""
    here = told(search(algorithm))
    there = ask_elsewhere("bench.check._searches", algorithm, {"seed": 0})
    if here != there:
        at = next(n for n, (one, two) in enumerate(zip(here, there, strict=False)) if one != two)
        raise Violation(f"in another process event {at} was {there[at]}, not {here[at]}")


def another_seed_suggests_something_else(algorithm: Algorithm) -> None:
    """Another seed, another search."""
    one, two = (drawn(search(algorithm, budget=3, seed=seed)) for seed in (0, 1))
    if one == two:
        raise Violation("seeds 0 and 1 suggested the same configurations")


def it_draws_from_no_global_generator(algorithm: Algorithm) -> None:
    """Python's, numpy's and torch's global generators are as they were."""
    search(algorithm, budget=1)  # imports what it needs
    torch: Any = sys.modules.get("torch")
    random.seed(0)
    np.random.seed(0)
    before = random.getstate(), repr(np.random.get_state())
    of_torch = torch.get_rng_state() if torch else None
    search(algorithm)
    if torch and not torch.equal(torch.get_rng_state(), of_torch):
        raise Violation("it draws from torch's global generator")
    if random.getstate() != before[0]:
        raise Violation("it draws from python's global generator")
    if repr(np.random.get_state()) != before[1]:
        raise Violation("it draws from numpy's global generator")


def it_keeps_to_a_large_space(algorithm: Algorithm) -> None:
    """Sixteen parameters of all types, three of them under conditions: nothing leaves the space."""
    search(algorithm, MnistSpace(), budget=12)  # most models suggest from the eleventh on


def it_survives_failed_trials(algorithm: Algorithm) -> None:
    """Trials that raise, and losses that are NaN or infinite, do not end the search."""
    events = search(algorithm, Faulty(), slots=SLOTS)
    failed = sum(event.get("status") == "failed" for event in events[:-1])
    if not failed:
        raise Violation("no trial came to its second step, where two of three fail")


def it_survives_a_constant_objective(algorithm: Algorithm) -> None:
    """Losses that are all the same do not end the search."""
    search(algorithm, Constant())


def it_survives_a_budget_of_one_training(algorithm: Algorithm) -> None:
    """The least budget there is, at one slot and at several."""
    for slots in (1, SLOTS):
        search(algorithm, budget=1, slots=slots)


def it_keeps_to_its_slots(algorithm: Algorithm) -> None:
    """No more trials run than there are slots; and all slots are used."""
    most, running = 0, set[int]()
    for event in search(algorithm, slots=SLOTS):
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


def it_trains_some_configuration_in_full(algorithm: Algorithm) -> None:
    """A trial comes to `max_steps`: a scheduler left at another length would not let it."""
    space = SmallSpace()
    longest = max(e["step"] for e in search(algorithm, space, budget=9) if e["event"] == "report")
    if longest < space.max_steps:
        raise Violation(f"the longest trial had {longest} of {space.max_steps} steps")


def its_settings_can_be_written_down(algorithm: Algorithm) -> None:
    """What a journal's header says of the objects that run is JSON, and the same each time."""
    one, two = (_settings(algorithm) for _ in range(2))
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


def it_beats_random_search_where_it_claims_to(algorithm: Algorithm) -> None:
    """On the smooth objectives of `beats_random` its losses are below random search's median."""
    for name, budget in algorithm.beats_random.items():
        passed, won, seeds = race(algorithm, name, budget)
        if not passed:
            raise Violation(
                f"on {name} with {budget} full trainings it was better than random search's median "
                f"in {won} of {seeds} seeds (tested so that one no better than random passes with "
                f"a probability of {ERROR:.0%})"
            )


def _settings(algorithm: Algorithm) -> list[dict[str, Any]]:
    space = SmallSpace()
    pair = algorithm.ray(Problem(space.space(), space.max_steps, slots=1, seed=3))
    return [effective_settings(part) for part in pair]


CHECKS: tuple[Callable[[Algorithm], None], ...] = (
    the_seed_alone_decides,
    another_seed_suggests_something_else,
    it_draws_from_no_global_generator,
    it_keeps_to_a_large_space,
    it_survives_failed_trials,
    it_survives_a_constant_objective,
    it_survives_a_budget_of_one_training,
    it_keeps_to_its_slots,
    it_trains_some_configuration_in_full,
    its_settings_can_be_written_down,
    it_beats_random_search_where_it_claims_to,
)
