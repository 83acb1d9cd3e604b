"""A PostgreSQL server: its URL has a password, so it is in the environment, and written nowhere."""

import os
from typing import TYPE_CHECKING

from bench.errors import UserError

if TYPE_CHECKING:
    from optuna.storages import RDBStorage

VARIABLE = "BENCH_OPTUNA_POSTGRESQL"

LEGAL = "postgresql://USER:PASSWORD@HOST:PORT/NAME"


def is_given() -> bool:
    """Whether there is a URL."""
    return bool(os.environ.get(VARIABLE))


def server() -> "RDBStorage":
    """Optuna's storage on the server; UserError, without the URL, where that cannot be had."""
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import SQLAlchemyError

    scheme, _, rest = os.environ.get(VARIABLE, "").partition("://")
    if scheme not in ("postgresql", "postgres", "postgresql+psycopg") or not rest:
        raise UserError(f"{VARIABLE} is no URL of a PostgreSQL server: legal: {LEGAL}")
    try:
        # a connection that was lost while nothing was asked of it is made again
        return RDBStorage(f"postgresql+psycopg://{rest}", engine_kwargs={"pool_pre_ping": True})
    except (SQLAlchemyError, ValueError) as error:  # its words may have parts of the URL
        kind = type(getattr(error, "orig", None) or error).__name__
        raise UserError(
            f"no PostgreSQL server answers at the URL in {VARIABLE} ({kind}): start it, or correct "
            f"that; legal: {LEGAL}"
        ) from None
