"""What would settle it: a suite of the searches that are missing, and the commands that run it."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from glob import escape
from itertools import count, islice
from typing import Any

from bench import plugins
from bench.cell import Cell, PlugIn
from bench.recommend.choice import Rival
from bench.recommend.points import Point
from bench.seeds import digest


@dataclass(frozen=True)
class Settle:
    """Says which commands would tell two options apart, of one question."""

    cells: Mapping[str, Cell]
    """Of the suites, by key."""
    suites: list[str]
    asked: list[str]
    """The question, as options of `bench recommend`."""
    results: list[str]
    """Where the results are, likewise; `bench run` has the same."""

    def __call__(self, best: Point, rival: Rival) -> str:
        """Shell lines that run what is missing, and ask again."""
        options = best.option, rival.point.option
        first, other = (self.cells[option.keys[0]] for option in options)
        seeds = set(options[0].seeds), set(options[1].seeds)
        wanted = missing((first, other), seeds, int(rival.more_seeds))
        return commands(wanted, self.suites, self.asked, self.results)


Wanted = list[tuple[Cell, list[int]]]
"""A cell, and the seeds with which it is to be run."""


def missing(cells: tuple[Cell, Cell], seeds: tuple[set[int], set[int]], more: int) -> Wanted:
    """What gives two options `more` seeds that both have; the cells are one of each."""
    both = seeds[0] & seeds[1]
    new = list(islice((seed for seed in count() if seed not in both), more))
    found = [
        (cell, [s for s in new if s not in own]) for cell, own in zip(cells, seeds, strict=True)
    ]
    return [(cell, needed) for cell, needed in found if needed]


def commands(wanted: Wanted, suites: list[str], asked: list[str], results: list[str]) -> str:
    """Shell lines: write a suite, run what is missing, ask again with it.

    `asked` and `results` are options of the question; the latter are those of `bench run`, too.
    """
    suite = toml(wanted)
    name = f"settle-{digest(suite)[:8]}.toml"
    run = [
        shlex.join(["bench", "run", name, "--device", wanted[0][0].device, *results, *cells])
        for cells in _only(wanted)
    ]
    again = shlex.join(["bench", "recommend", *suites, name, *asked, *results])
    return "\n".join([f"cat > {name} <<'END'", f"{suite}END", *run, again])


def _only(wanted: Wanted) -> list[list[str]]:
    """The --cells of each run: none where the suite has nothing but what is wanted."""
    algorithms = {json.dumps(cell.algorithm.identity): needed for cell, needed in wanted}
    counts = {cell.gpus for cell, _ in wanted}
    if len(counts) * sum(map(len, algorithms.values())) == sum(len(each) for _, each in wanted):
        return [[]]
    return [
        ["--cells", f"*-{escape(cell.algorithm.name)}-{cell.engine}-*-g{cell.gpus}-s*"]
        for cell, _ in wanted
    ]


def toml(wanted: Wanted) -> str:
    """A suite of these cells (and of no other kind): they agree in all but algorithm and GPUs."""
    first = wanted[0][0]
    settings = plugins.engine(first.engine).Settings.model_fields
    engine = {k: v for k, v in first.engine_settings.items() if k in settings}
    seeds: dict[str, tuple[PlugIn, set[int]]] = {}
    for cell, new in wanted:
        identity = json.dumps(cell.algorithm.identity)
        seeds.setdefault(identity, (cell.algorithm, set()))[1].update(new)
    lines = _entries(
        {
            "budget": first.budget,
            "seeds": sorted({seed for _, new in wanted for seed in new}),
            "gpus": sorted({cell.gpus for cell, _ in wanted}),
            "gpus_per_trial": first.gpus_per_trial,
            "max_seconds": first.max_seconds,
            "max_trial_seconds": first.max_trial_seconds,
        }
    )
    lines += ["[[engines]]", *_entries({"name": first.engine, **engine})]
    lines += ["[[objectives]]", *_plugin(first.objective)]
    for name, override in first.objective.space.items():
        lines += [f"[objectives.space.{json.dumps(name)}]", *_entries(override)]
    alike = len({tuple(sorted(new)) for _, new in seeds.values()}) == 1
    for algorithm, each in seeds.values():
        own = {"seeds": None if alike else sorted(each)}
        lines += ["[[algorithms]]", *_plugin(algorithm), *_entries(own)]
    return "\n".join(lines) + "\n"


def _plugin(plugin: PlugIn) -> list[str]:
    where = {"name": plugin.name} if plugin.path is None else {"path": plugin.path}
    return _entries({**where, **plugin.options})


def _entries(values: dict[str, Any]) -> list[str]:
    """TOML, whose strings, numbers, booleans and lists are those of JSON; it has no null."""
    return [
        f"{name} = {json.dumps(value, ensure_ascii=False)}"
        for name, value in values.items()
        if value is not None
    ]
