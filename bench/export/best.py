"""The best configuration that was found for each objective, and where it is from."""

import json
from typing import Any

from bench.export._source import Source

VIRTUAL_NOTE = "predicted from recorded trainings, never trained: train it before you rely on it"


def best(source: Source, by_algorithm: bool = False) -> list[dict[str, Any]]:
    """One entry for each objective (and algorithm): real ones first, virtual ones apart.

    The best is the least loss that any trial reported, at whichever step; of equal ones the first
    to arrive. What a failed training counts as is no result.
    """
    by = ["clock", "objective", *(["algorithm"] if by_algorithm else [])]
    reports = source.table.reports
    reports = reports[~reports["failed"].astype(bool) & reports["loss"].notna()]
    joined = reports.merge(source.table.cells[["key", *by]], on="key")
    joined = joined.sort_values(["loss", "seconds"], kind="stable")
    first = joined.groupby(by, observed=True, sort=False).head(1)
    wanted = {str(row.key): row for row in first.itertuples()}
    found = []
    for row, trials in source.searches(wanted):
        report: Any = wanted[row.key]
        trial = next(each for each in trials if each.trial == report.trial)
        found.append(_entry(row, report, trial.configuration, trial.reports[int(report.step)]))
    return sorted(found, key=lambda each: (each["virtual"], each["objective"], each["loss"]))


def _entry(
    row: Any, report: Any, configuration: dict[str, Any], metrics: dict[str, float]
) -> dict[str, Any]:
    virtual = row.clock == "virtual"
    others = {name: value for name, value in metrics.items() if name not in ("loss", "seconds")}
    return {
        "objective": str(row.objective),
        "algorithm": str(row.algorithm),
        "virtual": virtual,
        **({"note": VIRTUAL_NOTE} if virtual else {}),
        "loss": float(report.loss),
        **{name: value for name, value in others.items() if value == value},
        "step": int(report.step),
        "max_steps": int(row.max_steps),
        "cell": str(row.key),
        "trial": int(report.trial),
        "seed": int(row.seed),
        "clock": str(row.clock),
        "device": str(row.device),
        "gpus": int(row.gpus),
        "seconds": float(report.seconds),
        "configuration": configuration,
    }


def as_toml(entries: list[dict[str, Any]]) -> str:
    """The entries as TOML: [[best]] for what was trained, [[virtual_best]] for what was not."""
    lines = []
    for entry in entries:
        head = "virtual_best" if entry["virtual"] else "best"
        if entry["virtual"]:
            lines.append(f"# virtual: {VIRTUAL_NOTE}")
        values = {key: value for key, value in entry.items() if key != "configuration"}
        lines += [f"[[{head}]]", *_lines(values)]
        lines += [f"[{head}.configuration]", *_lines(entry["configuration"]), ""]
    return "\n".join(lines)


def _lines(values: dict[str, Any]) -> list[str]:
    return [
        f"{_text(name)} = {_value(value)}" for name, value in values.items() if value is not None
    ]


def _value(value: Any) -> str:
    return _text(value, bare=False) if isinstance(value, str) else json.dumps(value)


def _text(text: str, bare: bool = True) -> str:
    """A key or a string of TOML; control characters are no part of what a journal's text may be."""
    if bare and text.isascii() and text.replace("_", "").replace("-", "").isalnum():
        return text
    return json.dumps(text, ensure_ascii=False)
