"""Find objectives, algorithms and engines: a file's name is the thing's name.

`bench/algorithms/tpe.py` *is* the algorithm `tpe`; there is no registry. A user's own is a path
to a .py file that defines one class of the same kind; nothing else differs.
"""

import hashlib
import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from bench import overrides
from bench.algorithm import Algorithm
from bench.cell import PlugIn
from bench.engine import Engine
from bench.errors import UserError, one_of
from bench.objective import Objective
from bench.options import Options, in_one_line

TABLE = ".parquet"
"""An objective may be a table of recorded trainings, too."""

KINDS: dict[str, type[Options]] = {"objectives": Objective, "algorithms": Algorithm}


def names(kind: str) -> list[str]:
    """Names of the plug-ins of a kind (objectives, algorithms, engines): its folder's files."""
    folder = Path(__file__).parent / kind
    return sorted(f.stem for f in folder.glob("*.py") if not f.stem.startswith("_"))


def load_module(kind: str, name: str) -> ModuleType:
    """Import one of this package's plug-ins; UserError lists the legal names."""
    if name not in names(kind):
        raise UserError(f"unknown {kind[:-1]} '{name}'; {one_of(names(kind))}")
    return importlib.import_module(f"bench.{kind}.{name}")


def load_class(kind: str, name: str, path: str | None = None) -> type[Options]:
    """The class of a plug-in; from the user's own file if `path` is given."""
    if kind == "objectives" and path is not None and path.endswith(TABLE):
        from bench.objectives._table import objective_of

        return objective_of(Path(path))
    module = load_module(kind, name) if path is None else _load_file(Path(path))
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, KINDS[kind])
        and each.__module__ == module.__name__
    ]
    if len(found) != 1:
        where = path or f"bench/{kind}/{name}.py"
        raise UserError(
            f"{where} must define exactly one class of kind {KINDS[kind].__name__} "
            f"(bench/{kind[:-1]}.py says what it has), it defines {len(found)}"
        )
    if missing := sorted(getattr(found[0], "__abstractmethods__", ())):
        raise UserError(
            f"{path or name}: class {found[0].__name__} lacks {', '.join(missing)} "
            f"(bench/{kind[:-1]}.py says what it is)"
        )
    return found[0]


def resolve(
    kind: str,
    name: str | None,
    path: Path | None,
    options: dict[str, Any],
    space: Mapping[str, Any] | None = None,
) -> PlugIn:
    """Check a plug-in's options, and overrides of an objective's space; fill in the defaults.

    Raises UserError for an unknown name, a bad file, an override that is not legal, and
    (pydantic's) ValidationError for options.
    """
    if path is not None:
        path = path.resolve()
        name = path.stem
    assert name is not None
    where = None if path is None else str(path)
    source = None if path is None else _source(path)
    made: Any = load_class(kind, name, where)(**options)
    changed = overrides.resolve(made, space) if space else {}
    return PlugIn(name, made.model_dump(mode="json"), where, source, changed)


def make(kind: str, plugin: PlugIn) -> Any:
    """Build the objective or the algorithm that a cell names.

    Raises UserError for options that are not legal, and for a user's file that is no longer the
    one that was planned: its results would bear the name of another's.
    """
    if plugin.path is not None and _source(Path(plugin.path)) != plugin.source:
        raise UserError(f"{plugin.path} has changed since the plan: run the same command again")
    found: Any = load_class(kind, plugin.name, plugin.path)
    try:
        return overrides.overridden(found, plugin.space)(**plugin.options)
    except ValidationError as error:
        raise UserError(f"{plugin.name}: {error.errors()[0]['msg']}") from None


def engine(name: str) -> type[Engine]:
    """The class of an engine; UserError lists the legal names."""
    found: type[Engine] = load_module("engines", name).Engine
    return found


def of_user(text: str, options: list[str]) -> Options:
    """Build what a user means by a name, or by the path of a .py file, with options "name=value".

    Values are TOML, as in a suite; what is none is a string. An option "space.NAME={log=[1, 9]}"
    overrides a parameter of an objective. Raises UserError for what is wrong.
    """
    kind, name, path = _find(text)
    given: dict[str, Any] = {}
    space: dict[str, Any] = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise UserError(f"option {option}: legal: name=value, e.g. resolution=6")
        of_space = kind == "objectives" and key.startswith("space.")
        into, key = (space, key.removeprefix("space.")) if of_space else (given, key)
        try:
            into[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            into[key] = value
    found: Any = load_class(kind, name, path)
    try:
        made = found(**given)
        if space:
            made = overrides.overridden(found, overrides.resolve(made, space))(**given)
    except ValidationError as error:
        raise UserError(f"{text}: {in_one_line(error, [*found.model_fields])}") from None
    return made  # type: ignore[no-any-return]


def _find(text: str) -> tuple[str, str, str | None]:
    """Kind, name and path of a plug-in."""
    if not text.endswith(".py"):
        kinds = [kind for kind in KINDS if text in names(kind)]
        if not kinds:
            legal = [name for kind in KINDS for name in names(kind)]
            raise UserError(f"no plug-in '{text}'; {one_of(legal)}, or the path of a .py file")
        return kinds[0], text, None
    path = Path(text).resolve()
    module = _load_file(path)
    defined = [each for each in vars(module).values() if isinstance(each, type)]
    for kind, base in KINDS.items():
        if any(issubclass(each, base) and each.__module__ == module.__name__ for each in defined):
            return kind, path.stem, str(path)
    raise UserError(f"{text} defines neither an Objective nor an Algorithm")


def _source(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None


def _load_file(path: Path) -> ModuleType:
    if path.suffix != ".py" or not path.is_file():
        raise UserError(f"{path} is not a .py file; give the path of one")
    name = f"bench_user_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path):
        return known
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserError(f"{path} cannot be imported: {type(error).__name__}: {error}") from None
    return module
