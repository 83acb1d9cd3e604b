"""The suite: a TOML file of lists that multiply into cells. Planning is pure and its order stable.

The order is GPU count, seed, GPUs of a trial, objective, engine, algorithm: a run that is cut short
has whole seeds.
"""

from itertools import chain, product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bench import plugins
from bench.cell import Cell, PlugIn
from bench.errors import UserError, one_of
from bench.options import in_one_line, read_toml
from bench.overrides import Override
from bench.seeds import canonical

FOLDER = next(
    (each for each in (Path("suites"), Path(__file__).parent.parent / "suites") if each.is_dir()),
    Path("suites"),
)
"""Of the current folder, else of the checkout that this package is in."""

Count = Annotated[int, Field(ge=1, strict=True)]
Seconds = Annotated[float, Field(gt=0, strict=True)]

LEAST_SHARE = 0.0001
"""Of a GPU: Ray counts in such parts."""


def _seed_list(seeds: Any) -> Any:
    """3 means 0, 1, 2."""
    if isinstance(seeds, list):
        return seeds
    if isinstance(seeds, int) and not isinstance(seeds, bool) and seeds >= 1:
        return list(range(seeds))
    raise ValueError("give how many, e.g. 3, or which, e.g. [0, 1, 2]")


def _share_list(shares: Any) -> Any:
    """0.5 means [0.5]; raises ValueError for a share that no trial can have."""
    listed = shares if isinstance(shares, list) else [shares]
    for share in listed:
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not (LEAST_SHARE <= share <= 1 or (share > 1 and share % 1 == 0)):
            raise ValueError(f"legal: {LEAST_SHARE} to 1, a whole number, or a list of such")
    return listed


Seed = Annotated[int, Field(ge=0, strict=True)]


class Entry(BaseModel):
    """One objective or algorithm of a suite: its name or path; whatever else is an option."""

    model_config = ConfigDict(extra="allow", strict=True)
    name: str | None = None
    path: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "Entry":
        if self.name == "table" and self.path is not None and self.path.endswith(plugins.TABLE):
            self.name = None  # the path says all
        if (self.name is None) == (self.path is None):
            raise ValueError("give either name or path (of your own .py file, or .parquet table)")
        return self


class ObjectiveEntry(Entry):
    """One objective; what it changes of its search space goes before what the suite changes."""

    space: dict[str, Override] = {}


class AlgorithmEntry(Entry):
    """One algorithm; a slow one may have fewer seeds than the others."""

    seeds: Annotated[list[Seed], Field(min_length=1), BeforeValidator(_seed_list)] | None = None


class EngineEntry(BaseModel):
    """One engine; whatever else is a setting of it."""

    model_config = ConfigDict(extra="allow", strict=True)
    name: str


def _engine_entry(engine: Any) -> Any:
    """A name alone means its settings are the default ones."""
    return {"name": engine} if isinstance(engine, str) else engine


class Suite(BaseModel):
    """A suite file's contents; the device and the default GPU counts are those of the machine."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    objectives: Annotated[list[ObjectiveEntry], Field(min_length=1)]
    algorithms: Annotated[list[AlgorithmEntry], Field(min_length=1)]
    engines: Annotated[
        list[Annotated[EngineEntry, BeforeValidator(_engine_entry)]], Field(min_length=1)
    ] = [EngineEntry(name="ray")]
    gpus: Annotated[list[Count], Field(min_length=1)] | None = None
    """GPU counts; default: 1, 2, 4, … up to what the machine has."""
    gpus_per_trial: Annotated[
        list[Annotated[float, Field(strict=True)]],
        Field(min_length=1),
        BeforeValidator(_share_list),
    ] = [1]
    """GPUs of each trial, one number or several: below 1, trials share a GPU."""
    seeds: Annotated[list[Seed], Field(min_length=1), BeforeValidator(_seed_list)]
    """How many (0, 1, 2, …), or which; those of an algorithm that has its own are not these."""
    budget: Count
    """Full trainings' worth of steps for each cell."""
    max_seconds: Seconds | None = None
    max_trial_seconds: Seconds | None = None
    space: dict[str, Override] = {}
    """Changes the search space of each objective that has a parameter of that name."""


def names() -> list[str]:
    """Names of the suites in `suites/`."""
    return sorted(file.stem for file in FOLDER.glob("*.toml"))


def find(name_or_path: str) -> Path:
    """The file of a suite given by name (in `suites/`) or by path; UserError lists the legal."""
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = FOLDER / f"{name_or_path}.toml"
    if not path.is_file():
        raise UserError(
            f"no suite '{name_or_path}' ({path} is not there); {one_of(names())}, or a .toml path"
        )
    return path


def load(path: Path) -> Suite:
    """Read and check a suite file; UserError is one line: file, place in it, cause."""
    return read_toml(path, Suite)


def plan(path: Path, gpus: list[int], device: Literal["cpu", "cuda"]) -> list[Cell]:
    """The cells of a suite file for these GPU counts, in their stable order.

    `gpus` is used as it is: the caller has chosen between the suite's own counts, the user's and
    the machine's. Raises UserError for whatever is wrong in the file.
    """
    suite = load(path)
    engines = [_engine(path, index, entry) for index, entry in enumerate(suite.engines)]
    objectives = _objectives(path, suite)
    algorithms = [_resolve(path, "algorithms", *each) for each in enumerate(suite.algorithms)]
    for (name, _), objective, share in product(engines, objectives, suite.gpus_per_trial):
        made = plugins.make("objectives", objective)
        if reason := plugins.engine(name).refuse_share(made, share):
            where = f"engine {name}, {objective.name}, gpus_per_trial = {share:g}"
            raise UserError(f"{path}: {where}: {reason}")
    max_steps = _refuse_pairs(path, suite.budget, objectives, algorithms)
    for (name, _), objective, algorithm in product(engines, objectives, algorithms):
        pair = plugins.make("objectives", objective), plugins.make("algorithms", algorithm)
        if reason := plugins.engine(name).refuse(*pair):
            where = f"{algorithm.name} on {objective.name}"
            raise UserError(f"{path}: engine {name}, {where}: {reason}")
    rests_on = {
        (engine, index): _rests_on(path, engine, objective, device)
        for engine, _ in engines
        for index, objective in enumerate(objectives)
    }
    seeds = [entry.seeds or suite.seeds for entry in suite.algorithms]
    cells = [
        Cell(
            objective=objective,
            algorithm=algorithm,
            engine=engine,
            device=device,
            gpus=count,
            gpus_per_trial=share,
            seed=seed,
            budget=suite.budget,
            max_steps=max_steps[index],
            max_seconds=suite.max_seconds,
            max_trial_seconds=suite.max_trial_seconds,
            engine_settings={**settings, **rests_on[engine, index]},
        )
        for count, seed, share, (index, objective), (engine, settings), (algorithm, own) in product(
            gpus,
            [*suite.seeds, *dict.fromkeys(s for s in chain(*seeds) if s not in suite.seeds)],
            suite.gpus_per_trial,
            [*enumerate(objectives)],
            engines,
            zip(algorithms, seeds, strict=True),
        )
        if seed in own
    ]
    _refuse_repetition(path, cells)
    return cells


def remarks(cells: list[Cell]) -> list[tuple[str, str, str]]:
    """What must be known of the pairs in a plan: (algorithm, objective, remark), by name."""
    pairs = {canonical([c.algorithm.identity, c.objective.identity]): c for c in cells}
    found = []
    for cell in pairs.values():
        objective = plugins.make("objectives", cell.objective)
        remark = plugins.make("algorithms", cell.algorithm).remark(objective, cell.budget)
        if remark:
            found.append((cell.algorithm.name, cell.objective.name, remark))
    return found


def doubling(most: int) -> list[int]:
    """1, 2, 4, … up to `most`.

    >>> doubling(6)
    [1, 2, 4]
    """
    return [1 << power for power in range(most.bit_length())]


def _objectives(path: Path, suite: Suite) -> list[PlugIn]:
    """The objectives with their own and the suite's overrides; each of the latter fits one."""
    plain = [_resolve(path, "objectives", *each) for each in enumerate(suite.objectives)]
    if not suite.space and not any(entry.space for entry in suite.objectives):
        return plain
    known = [[*plugins.make("objectives", each).space()] for each in plain]
    if unknown := [name for name in suite.space if not any(name in each for each in known)]:
        legal = one_of([*{name for each in known for name in each}])
        raise UserError(f"{path}: space.{unknown[0]}: no objective has this parameter; {legal}")
    return [
        _resolve(
            path, "objectives", index, entry,
            {name: each for name, each in suite.space.items() if name in names} | entry.space,
        )
        for index, (entry, names) in enumerate(zip(suite.objectives, known, strict=True))
    ]  # fmt: skip


def _resolve(
    path: Path, kind: str, index: int, entry: Entry, space: dict[str, Override] | None = None
) -> PlugIn:
    file = path.parent / entry.path if entry.path is not None else None
    options = entry.model_extra or {}
    name = entry.name or Path(str(entry.path)).stem
    try:
        return plugins.resolve(kind, entry.name, file, options, space)
    except UserError as error:
        place = f"{kind}[{index}]" + (f" ({name})" if space else "")
        raise UserError(f"{path}: {place}: {error}") from None
    except ValidationError as error:
        where = None if file is None else str(file.resolve())
        legal = [*plugins.load_class(kind, name, where).model_fields]
        place = f"{kind}[{index}] ({name})"
        raise UserError(f"{path}: {in_one_line(error, legal, place)}") from None


def _engine(path: Path, index: int, entry: EngineEntry) -> tuple[str, dict[str, Any]]:
    """An engine's name and its settings, all resolved."""
    settings = entry.model_extra or {}
    try:
        kind = plugins.engine(entry.name).Settings
        return entry.name, kind(**settings).model_dump(mode="json")
    except UserError as error:
        raise UserError(f"{path}: engines[{index}]: {error}") from None
    except ValidationError as error:
        place = f"engines[{index}] ({entry.name})"
        legal = [*plugins.engine(entry.name).Settings.model_fields]
        raise UserError(f"{path}: {in_one_line(error, legal, place)}") from None


def _rests_on(path: Path, engine: str, objective: PlugIn, device: str) -> dict[str, Any]:
    try:
        return plugins.engine(engine).rests_on(objective, device)
    except UserError as error:
        raise UserError(f"{path}: engine {engine} on {objective.name}: {error}") from None


def _refuse_pairs(
    path: Path, budget: int, objectives: list[PlugIn], algorithms: list[PlugIn]
) -> list[int]:
    """Ask each algorithm whether it can search each objective; their `max_steps`."""
    built = [plugins.make("objectives", each) for each in objectives]
    for index, algorithm in enumerate(algorithms):
        asked = plugins.make("algorithms", algorithm)
        for objective, plugin in zip(built, objectives, strict=True):
            if reason := asked.refuse(objective, budget):
                place = f"algorithms[{index}] ({algorithm.name}) on {plugin.name}"
                raise UserError(f"{path}: {place}: {reason}")
    return [objective.max_steps for objective in built]


def _refuse_repetition(path: Path, cells: list[Cell]) -> None:
    seen: set[str] = set()
    for cell in cells:
        if cell.key in seen:
            raise UserError(
                f"{path}: the cell {cell.key} comes twice; remove the repeated "
                "objective, algorithm, engine, GPU count, GPUs of a trial or seed"
            )
        seen.add(cell.key)
