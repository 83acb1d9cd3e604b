"""Fields of a stranger's journal: checked numbers, and text that is safe to show."""

from typing import Any

import numpy as np


def text(value: object) -> str:
    """A stranger's text as one short line without control characters (e.g. a terminal's)."""
    line = "".join(each if each.isprintable() else " " for each in str(value)[:500])
    return " ".join(line.split())


def all_of(name: str, values: list[Any], kinds: set[type]) -> list[Any]:
    """The values; TypeError if one is of another type (text that looks like a number is)."""
    for kind in set(map(type, values)) - kinds:
        raise TypeError(f"{name} is not a number but {kind.__name__}")
    return values


def numbers(name: str, values: list[Any]) -> np.ndarray:
    """Numbers as an array, NaN for None."""
    return np.array(all_of(name, values, {int, float, type(None)}), dtype=float)


def number(fields: dict[str, Any], name: str) -> float:
    """One number, NaN where it is missing."""
    return float(numbers(name, [fields.get(name)])[0])


def provenance(found: Any) -> dict[str, str]:
    """Where it ran, as lines; a header may lack any part of it."""
    parts = _dict(found)
    machine = _dict(parts.get("machine"))
    packages = {"Python": parts.get("python"), **_dict(parts.get("packages"))}
    gpus = machine.get("gpus")
    names = [str(_dict(gpu).get("name")) for gpu in gpus] if isinstance(gpus, list) else []
    where = [f"{machine.get('cpu_model') or 'unknown CPU'}", f"{machine.get('cores', '?')} cores"]
    where += [f"{names.count(name)} of {name}" for name in dict.fromkeys(names)]
    return {
        "machine": text(", ".join(where)),
        "commit": text(parts.get("commit") or "unknown") + ("+edits" if parts.get("dirty") else ""),
        "packages": text(", ".join(f"{name} {value}" for name, value in packages.items() if value)),
    }


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
