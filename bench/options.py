"""What a suite may set of an objective or an algorithm: typed fields, checked before running."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import one_of


class Options(BaseModel):
    """Base of Objective and Algorithm; its fields are the plug-in's options.

    Every option has a default, an unknown one is an error, and all of them (also those left at
    their default) are part of a cell's identity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def in_one_line(error: ValidationError, legal: list[str], place: str = "") -> str:
    """The first problem that pydantic found: where, what, and what would be legal."""
    first: Any = error.errors()[0]
    where = place
    for part in first["loc"]:
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else part
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; {one_of(legal)}"
    message = first["msg"].removeprefix("Value error, ")
    got = "" if first["type"] == "missing" else f", not {first['input']!r}"
    return f"{where}: {message[0].lower() + message[1:]}{got}"
