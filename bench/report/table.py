"""Reads all journals of a suite into one table; what cannot be used is named, never dropped."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench import known_error
from bench.errors import UserError
from bench.metrics._table import GROUP, Table
from bench.overrides import in_words
from bench.report.cache import extracts
from bench.report.extract import Extract, problem
from bench.report.fields import text
from bench.report.record import CELL_COLUMNS, REPORT_COLUMNS, Columns
from bench.report.trained import COLUMNS as TRAINED_COLUMNS
from bench.seeds import canonical, digest


def load(folder: Path, keys: Collection[str] | None = None) -> Table:
    """Read results/<suite>/*.jsonl; of those, the cells named in `keys` (None: all).

    Raises UserError where the folder cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == ".jsonl")
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}; `bench run` makes it") from None
    wanted = None if keys is None else set(keys)
    found = _Found()
    planned = [path for path in paths if wanted is None or path.stem in wanted]
    for path in sorted(set(paths) - set(planned)):
        why = "not a cell of this suite as it is now: not used"
        found.problems.append(problem(path, "not in the plan", why))
    for each in extracts(planned):
        found.add(each)
    return found.table()


@dataclass
class _Found:
    """What has been read so far."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    columns: list[Columns] = field(default_factory=list)
    problems: list[dict[str, str]] = field(default_factory=list)
    configurations: list[dict[str, Any]] = field(default_factory=list)

    def add(self, found: Extract) -> None:
        self.problems += found.problems
        if found.row is not None:
            self.rows.append(found.row)
            self.columns.append(found.columns)
            self.configurations += found.configurations

    def table(self) -> Table:
        cells = pd.DataFrame(self.rows, columns=CELL_COLUMNS)
        for kind in ("objective", "algorithm", "engine"):
            cells.insert(2, kind, labels_of(cells.pop(f"{kind}_plugin")))
        cells["error"] = [
            known_error.sentence(str(row.curves), not row.default_settings)
            if row.clock == "virtual"
            else ""
            for row in cells.itertuples()
        ]
        cells["algorithm"] = cells["algorithm"].astype("category")
        again = cells.sort_values("started", kind="stable").duplicated(
            [*GROUP, "seed"], keep="last"
        )
        again = again.reindex(cells.index)
        for file in cells.loc[again, "file"]:
            why = "the same search was run later too: not used"
            self.problems.append(problem(Path(file), "repeated", why))
        used = [part for part, drop in zip(self.columns, again, strict=True) if not drop]
        cells = cells[~again.astype(bool)].reset_index(drop=True)
        problems = pd.DataFrame(self.problems, columns=["file", "what", "why"])
        configurations = pd.DataFrame(self.configurations, columns=TRAINED_COLUMNS)
        configurations = configurations[configurations["key"].isin(cells["key"])]
        return Table(cells, _reports(cells["key"], used), problems, configurations)


def _reports(keys: "pd.Series[str]", columns: list[Columns]) -> pd.DataFrame:
    if not columns:
        return pd.DataFrame(columns=["key", *REPORT_COLUMNS]).astype({"key": "category"})
    codes = np.repeat(np.arange(len(keys)), [len(part["loss"]) for part in columns])
    joined = {name: np.concatenate([part[name] for part in columns]) for name in REPORT_COLUMNS}
    return pd.DataFrame({"key": pd.Categorical.from_codes(codes, pd.Index(keys)), **joined})


def labels_of(plugins: "pd.Series[Any]") -> list[str]:
    """A label for each plug-in: its name, and what tells variants of it apart."""
    variants: dict[str, dict[str, dict[str, Any]]] = {}
    for plugin in plugins:
        variants.setdefault(plugin["name"], {})[canonical(plugin)] = plugin
    labels: dict[str, str] = {}
    for name, found in variants.items():
        options = [each["options"] for each in found.values()]
        differing = _differing(options)
        overridden = _differing([each.get("space", {}) for each in found.values()])
        for identity, plugin in found.items():
            parts = [f"{key}={plugin['options'].get(key)}" for key in differing]
            parts += [
                f"{key} {in_words(space[key])}" if key in space else f"{key} its own"
                for space in [plugin.get("space", {})]
                for key in overridden
            ]
            if len({each["source"] for each in found.values()}) > 1:
                parts.append(f"source={(plugin['source'] or 'built in')[:8]}")
            label = text(" ".join([name, *parts]))
            clash = label in labels.values()
            labels[identity] = f"{label} {digest(plugin)[:6]}" if clash else label
    return [labels[canonical(plugin)] for plugin in plugins]


def _differing(variants: list[dict[str, Any]]) -> list[str]:
    """The keys whose values are not the same in all."""
    return [
        key
        for key in sorted({key for each in variants for key in each})
        if len({canonical(each.get(key)) for each in variants}) > 1
    ]
