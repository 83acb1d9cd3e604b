"""What a validation found, kept beside the curves that it is of, for every report to show."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from bench import curves
from bench.cell import COMPARABILITY
from bench.errors import UserError

NOT_VALIDATED = "not validated on this device"


def keep(table: Path, summary: pd.DataFrame, cells: str, machine: str) -> Path:
    """Write what was found of a table's curves: which searches were compared, and where."""
    found = {
        "curves": curves.digest(table),
        "predictions": curves.PREDICTIONS,
        "comparability": COMPARABILITY,
        "machine": machine,
        "cells": cells,
        "errors": json.loads(summary.to_json(orient="records")),
    }
    path = file_of(table)
    try:
        path.write_text(json.dumps(found, indent=1) + "\n")
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from None
    return path


def sentence_of(table: Path) -> str:
    """What was found of a table's curves, just now perhaps."""
    sentence.cache_clear()
    return sentence(curves.digest(table))


def file_of(table: Path) -> Path:
    return table.with_suffix(".validation.json")


@cache
def sentence(digest: str, settings_differ: bool = False) -> str:
    """How wrong searches on the curves of this SHA-256 were, or that nobody knows.

    Validations are of the virtual engine at its default settings.
    """
    for folder in curves.FOLDERS:
        for path in sorted(folder.glob("*.validation.json")):
            try:
                found = json.loads(path.read_text())
                of = found["curves"], found["predictions"], found["comparability"]
                if of == (digest, curves.PREDICTIONS, COMPARABILITY):
                    return "not validated with these settings" if settings_differ else said(found)
            except (OSError, ValueError, KeyError, TypeError):
                continue  # not one of ours
    return NOT_VALIDATED


def said(found: dict[str, Any]) -> str:
    """A validation in a sentence, with its scope."""
    errors, chance = (
        {each["error"]: each for each in found["errors"] if each["part"] == part}
        for part in ("all", "chance")
    )
    time, alone = errors["time_to_target"], chance["time_to_target"]
    missed = f" ({time['missed']} of them reached it on one clock only)" if time["missed"] else ""
    easier = "time_to_easier_target"
    return (
        f"error of the virtual clock: median over seeds of the time to target {_percent(time)} in "
        f"{time['n']} groups{missed}, real searches of other seeds {_percent(alone)}; to a loss "
        f"that 3 of 4 random searches reach {_percent(errors[easier])}, other seeds "
        f"{_percent(chance[easier])}; area between incumbents {_percent(errors['incumbent'])}, "
        f"utilisation {_percent(errors['utilisation'])}; validated by {found['cells']}, on "
        f"{found['machine']}"
    )


def _percent(error: dict[str, Any]) -> str:
    if not error["n"]:
        return "unknown (none reached it)"
    if error["median"] is None:
        return "unbounded"
    low, high = (f"{error[end]:.0%}" if error[end] is not None else "?" for end in ("low", "high"))
    return f"{error['median']:.0%} ({low} to {high})"
