"""Engine `optuna` with its study in a database: SQLite, or a real PostgreSQL server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import postgresql
import psycopg
import pytest
from consistent import consistent
from runs import Run

from bench.engines._postgresql import VARIABLE


def kept_in(storage: str) -> dict[str, str]:
    return {"name": "optuna", "storage": storage}


@pytest.fixture(scope="module")
def database() -> Iterator[dict[str, str]]:
    """A server's URL in the environment."""
    if postgresql.program("initdb") is None:
        pytest.skip("PostgreSQL IS NOT TESTED: there is no initdb on this machine")
    with postgresql.server() as url:
        yield {VARIABLE: url}


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"])
def test_the_study_may_be_in_a_database(
    tmp_path: Path, storage: str, request: pytest.FixtureRequest
) -> None:
    environment = request.getfixturevalue("database") if storage == "postgresql" else {}
    tpe_asha = {"name": "tpe_asha", "startup_trials": 3}
    toy = {"max_steps": 9, "fault": "kill", "from_x": 0.8}
    keys: dict[str, Any] = {"budget": 5, "gpus": [2], "environment": environment}
    run = Run(tmp_path, kept_in(storage), [tpe_asha], [toy], **keys)
    assert run.printed.returncode == 0, run.printed.stderr
    for record in run.records:
        consistent(record)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or postgresql.PASSWORD.encode() not in file.read_bytes()
    assert postgresql.PASSWORD not in run.printed.stdout + run.printed.stderr
    if storage == "postgresql":
        with psycopg.connect(environment[VARIABLE]) as connection:
            row = connection.execute("select count(*) from studies").fetchone()
        assert row == (0,), "nothing is left on the server"


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    without = Run(tmp_path, kept_in("postgresql"), ["random"])
    assert f"needs a PostgreSQL server: set {VARIABLE} to its URL" in without.printed.stdout + (
        without.printed.stderr
    )
    for url, words in (
        ("postgresql://bench:not-to-be-seen@127.0.0.1:1/none", "no PostgreSQL server answers"),
        ("mysql://bench:not-to-be-seen@127.0.0.1:1/none", "is no URL of a PostgreSQL server"),
    ):
        printed = without.again(**{VARIABLE: url})
        assert printed.returncode == 2 and words in printed.stderr, printed.stderr
        assert "not-to-be-seen" not in printed.stderr + printed.stdout
        assert "Traceback" not in printed.stderr
