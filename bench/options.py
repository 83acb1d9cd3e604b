"""What a file may set: typed fields, checked before running; what is wrong is said in one line."""

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import UserError, one_of

Model = TypeVar("Model", bound=BaseModel)


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


def read_toml(path: Path, model: type[Model]) -> Model:
    """Read and check a TOML file; UserError is one line: file, place in it, cause."""
    try:
        with path.open("rb") as file:
            return model(**tomllib.load(file))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"{path}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        raise UserError(f"{path}: {in_one_line(error, [*model.model_fields])}") from None
