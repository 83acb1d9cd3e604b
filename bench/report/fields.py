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
    built = _dict(parts.get("image"))
    return {
        "machine": text(", ".join(where)),
        "image": text(built.get("sha256") or "of unknown digest") if built else "none",
        "commit": text(parts.get("commit") or "unknown") + ("+edits" if parts.get("dirty") else ""),
        "packages": text(", ".join(f"{name} {value}" for name, value in packages.items() if value)),
    }


def surrogate(found: Any) -> str:
    """What a virtual cell's trainings were predicted from, and how well; empty for the others."""
    quality = _dict(_dict(found).get("quality"))
    if not quality:
        return ""
    recorded = _dict(_dict(found).get("recorded")).get("machine", "an unknown machine")
    shares = {name: number(quality, name) for name in quality}
    return text(
        f"predicted from {quality.get('configurations')} configurations recorded on {recorded}; "
        f"cross-validated: R² {shares.get('r2', np.nan):.2f}, rank correlation of final loss "
        f"{shares.get('rank_correlation', np.nan):.2f}, median error of final loss "
        f"{shares.get('loss_error', np.nan):.1%}, of a training's seconds "
        f"{shares.get('seconds_error', np.nan):.1%}"
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
