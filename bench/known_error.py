"""What a validation found, kept beside the curves that it is of, for every report to show."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from bench import curves, machine
from bench.errors import UserError

NOT_VALIDATED = "not validated on this device"


def keep(table: Path, summary: pd.DataFrame, cells: str) -> Path:
    """Write what was found of a table's curves; `cells` says which searches were compared."""
    here = machine.describe()
    found = {
        "curves": curves.digest(table),
        "machine": f"{here['cpu_model']}, {here['cores']} cores",
        "gpus": [gpu["name"] for gpu in here["gpus"]],
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
def sentence(digest: str) -> str:
    """How wrong searches on the curves of this SHA-256 were, or that nobody knows."""
    for path in curves.files("*.validation.json"):
        try:
            found = json.loads(path.read_text())
            if found["curves"] == digest:
                return _sentence(found)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not one of ours
    return NOT_VALIDATED


def _sentence(found: dict[str, Any]) -> str:
    errors = {each["error"]: each for each in found["errors"] if each["part"] == "all"}
    time, use = errors["time_to_target"], errors["utilisation"]
    where = ", ".join([found["machine"], *found["gpus"]])
    return (
        f"error of the virtual clock, median of {time['n']} searches on {where}: time to target "
        f"{_percent(time)}, area between incumbents {_percent(errors['incumbent'])}, utilisation "
        f"{_percent(use)}"
    )


def _percent(error: dict[str, Any]) -> str:
    if error["median"] is None:
        return "unbounded"
    low, high = (f"{error[end]:.0%}" if error[end] is not None else "?" for end in ("low", "high"))
    return f"{error['median']:.0%} ({low} to {high})"
