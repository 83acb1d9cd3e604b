"""Target `mlflow`: an experiment per suite, a run per cell, and in it a run per trial.

A cell's run has the cell as tags and, as metrics, how it ended and the incumbent (`best_loss`, by
step spent, at the time it arrived). A trial's run has its configuration as parameters and its
reports as metrics by step. A file store is a folder; a tracking server is named by its URI.
"""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from bench.errors import UserError
from bench.export._source import Source, cell_facts, new_folder
from bench.export._trial import Trial

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

STATUS = {"completed": "FINISHED", "stopped": "KILLED", "cut": "KILLED", "failed": "FAILED"}
"""KILLED: ended before its last step, by the scheduler or when the budget was spent."""
MEASURED = ["wall", "trials", "steps", "failed_trials", "utilisation", "optimiser_share"]
BATCH = 900
"""Values that a server takes at once are at most 1000."""
LONGEST = 5000
"""Characters of a tag's value, at most."""


def write(source: Source, out: str) -> str:
    """Write a file store into the new folder `out`, or a new experiment of the server `out`."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    name = f"searchbench/{source.suite}"
    if "://" in out:
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # else minutes pass
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # two lines a run
        try:
            runs = _to_server(MlflowClient(tracking_uri=out), name, source)
        except MlflowException as error:
            raise UserError(f"{out}: {' '.join(str(error).split())[:300]}") from None
        return f"{runs} runs in the experiment {name} at {out}"
    path = Path(out).resolve()
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # MLflow keeps it, but wants to be asked
    with new_folder(path) as folder:
        client = MlflowClient(tracking_uri=folder.as_uri())
        experiment = client.create_experiment(name, (path / "artifacts").as_uri())
        _mend_default(folder, path)
        runs = _fill(client, experiment, source)
    return f"{runs} runs in {out}: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {out}"


def _to_server(client: "MlflowClient", name: str, source: Source) -> int:
    """Fill an experiment that gets its name when it is complete; else it is deleted."""
    if client.get_experiment_by_name(name) is not None:
        raise UserError(
            f"the experiment {name} is there already, and nothing in it is touched: "
            "rename it, or delete it for good, then export again"
        )
    experiment = client.create_experiment(f"{name} (being written, {secrets.token_hex(4)})")
    try:
        runs = _fill(client, experiment, source)
        client.rename_experiment(experiment, name)
    except BaseException:
        client.delete_experiment(experiment)
        raise
    return runs


def _mend_default(folder: Path, path: Path) -> None:
    """MLflow's own empty experiment says where it is: there, not in the draft."""
    for file in folder.glob("*/meta.yaml"):
        file.write_text(file.read_text().replace(folder.as_uri(), path.as_uri()))


def _fill(client: "MlflowClient", experiment: str, source: Source) -> int:
    """One run per cell and per trial; how many."""
    from mlflow.entities import Metric

    curves = source.table.curves
    runs = 0
    for row, found in source.searches():
        began = _began(row.started)
        facts = {**cell_facts(row), "kind": "cell"}
        parent = client.create_run(experiment, began, _tags(facts), run_name=row.key).info.run_id
        reports = curves.get(row.key, pd.DataFrame(columns=["seconds", "steps", "incumbent"]))
        best = [
            Metric("best_loss", float(each.incumbent), _at(began, each.seconds), int(each.steps))
            for each in cast("Iterator[Any]", reports.itertuples())
        ]
        ended = _at(began, row.wall)
        ends = {name: float(getattr(row, name)) for name in MEASURED}
        finals = [Metric(name, value, ended, 0) for name, value in ends.items() if value == value]
        _log(client, parent, [*best, *finals])
        client.set_terminated(parent, "FINISHED" if row.complete else "FAILED", ended)
        for trial in found:
            _trial(client, experiment, parent, row, trial)
        runs += 1 + len(found)
    return runs


def _trial(client: "MlflowClient", experiment: str, parent: str, row: Any, trial: Trial) -> None:
    from mlflow.entities import Metric, Param

    began = _began(row.started)
    facts = {**cell_facts(row), "kind": "trial", "status": trial.status, "error": trial.error}
    tags = {**_tags(facts), "mlflow.parentRunId": parent}
    name, start = f"{row.key} trial {trial.trial}", _at(began, trial.started)
    run = client.create_run(experiment, start, tags, run_name=name).info.run_id
    params = [Param(_name(key), str(value)) for key, value in trial.configuration.items()]
    client.log_batch(run, params=params)
    metrics = [
        Metric(_name(key), value, _at(began, values["seconds"]), step)
        for step, values in trial.reports.items()
        for key, value in values.items()
        if key != "seconds" and value == value
    ]
    _log(client, run, metrics)
    client.set_terminated(run, STATUS.get(trial.status, "FAILED"), _at(began, trial.ended))


def _log(client: "MlflowClient", run: str, metrics: "list[Metric]") -> None:
    for part in _parts(metrics):
        client.log_batch(run, metrics=part)


def _parts(values: "list[Metric]") -> "Iterator[list[Metric]]":
    for first in range(0, len(values), BATCH):
        yield values[first : first + BATCH]


def _tags(facts: dict[str, Any]) -> dict[str, str]:
    return {f"bench.{name}": str(value)[:LONGEST] for name, value in facts.items() if value != ""}


def _began(started: str) -> int:
    """Milliseconds since 1970; 0 where the journal does not say when it began."""
    try:
        return int(datetime.fromisoformat(started).timestamp() * 1000)
    except ValueError:
        return 0


def _at(began: int, seconds: float) -> int:
    return began + round(1000 * seconds)


def _name(text: str) -> str:
    """A name as MLflow takes it, and never a path that leads elsewhere."""
    return re.sub(r"[^\w. -]", "_", text, flags=re.ASCII).lstrip(".") or "_"
