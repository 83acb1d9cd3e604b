"""Exports, opened by the tools that they are for."""

import hashlib
import json
import threading
import urllib.request
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import optuna
import pandas as pd
import pyarrow.parquet
import pytest
from journals import cell, end, finish, report, suggest, write

from bench.cell import Cell
from bench.cli import run_command_line
from bench.errors import UserError
from bench.export import write as export
from bench.plugins import resolve

if TYPE_CHECKING:
    from mlflow import MlflowClient

HOSTILE = "=1+1 <script>alert(1)</script>\x1b[31m"
COMMON = {
    "lr": 1e-3,
    "batch_size": 32,
    "optimizer": "adam",
    "weight_decay": 0.01,
    **dict.fromkeys(["kernel1", "kernel2"], 3),
    "conv1": 8,
    "conv2": 16,
    "activation": "relu",
    "dropout": 0.1,
    "fc_dim": 64,
}
PLAIN = {**COMMON, "conv3": 0, "schedule": "none"}
STEPPED = {**COMMON, "conv3": 16, "kernel3": 5, "schedule": "step", "step_size": 2, "gamma": 0.5}


def mnist(algorithm: str = "random", **changes: Any) -> Cell:
    objective = resolve("objectives", "mnist_cnn", None, {"max_steps": 3, "max_channels": 16})
    fields: dict[str, Any] = {"objective": objective, "budget": 2, "max_steps": 3, **changes}
    return cell(algorithm, **fields)


def write_search(folder: Path, of: Cell, least: float = 0.25, **header: object) -> Path:
    """Four trials: trained to the end, stopped after a step, diverged, cut before a report."""
    events = [
        *[suggest(0, 0.5, configuration=PLAIN), suggest(1, 0.5, configuration=STEPPED)],
        report(0, 1.0, 0.75, 1, accuracy=0.5),
        report(0, 2.0, least, 2, accuracy=0.75),
        report(0, 3.0, 0.5, 3, accuracy=0.625),
        finish(0, 3.0, "completed"),
        report(1, 3.5, 1.5, 1, accuracy=0.25),
        finish(1, 3.5, "stopped"),
        suggest(2, 4.0, configuration={**PLAIN, "lr": 5e-3}),
        report(2, 5.0, 2.0, 1, accuracy=0.125, raw_loss="nan"),
        finish(2, 5.0, "failed", error=HOSTILE),
        *[suggest(3, 5.0, configuration=STEPPED), report(3, 6.0, 1.0, 1, accuracy=0.5)],
        *[finish(3, 6.0, "cut"), suggest(4, 6.0, configuration=STEPPED), finish(4, 6.0, "cut")],
        end(6.0),
    ]
    return write(folder, of, events, metrics={"accuracy": "share"}, **header)


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    of = mnist()
    write_search(tmp_path, of)
    export("optuna", tmp_path, [of])
    return optuna.load_study(
        study_name=of.key, storage=f"sqlite:///{tmp_path}/export/optuna/{of.key}.db"
    )


def test_a_study_has_the_trials_their_states_and_their_reports(study: optuna.Study) -> None:
    assert [(each.number, each.state.name, each.value) for each in study.trials] == [
        (0, "COMPLETE", 0.5),
        (1, "PRUNED", 1.5),
        (2, "FAIL", None),
        (3, "PRUNED", 1.0),
        (4, "PRUNED", None),
    ]
    assert [each.intermediate_values for each in study.trials] == [
        {1: 0.75, 2: 0.25, 3: 0.5},
        {1: 1.5},
        {1: 2.0},
        {1: 1.0},
        {},
    ]
    assert [each.params for each in study.trials[:2]] == [PLAIN, STEPPED]
    assert [each.user_attrs["status"] for each in study.trials] == [
        *["completed", "stopped", "failed", "cut", "cut"]
    ]
    assert study.trials[2].user_attrs["error"] == "=1+1 <script>alert(1)</script> [31m"
    assert study.trials[0].duration is not None
    assert study.trials[0].duration.total_seconds() == 2.5
    assert study.user_attrs["clock"] == "wall"
    assert study.user_attrs["algorithm"] == "random"
    assert "virtual" not in study.user_attrs


def test_a_studys_distributions_are_the_objectives_space(study: optuna.Study) -> None:
    one = study.trials[1].distributions
    assert one["lr"] == optuna.distributions.FloatDistribution(1e-5, 5e-3, log=True)
    assert one["step_size"] == optuna.distributions.IntDistribution(1, 2)
    assert one["kernel3"] == optuna.distributions.CategoricalDistribution((3, 5, 7))
    assert "kernel3" not in study.trials[0].distributions, "inactive without a third convolution"


def test_the_files_rows_are_those_that_optuna_itself_would_write(study: optuna.Study) -> None:
    by_optuna = optuna.create_study(storage="sqlite://")
    by_optuna.add_trials(study.trials)
    for ours, theirs in zip(study.trials, by_optuna.trials, strict=True):
        theirs._trial_id = ours._trial_id
        assert ours == theirs


def test_a_virtual_study_says_so(tmp_path: Path) -> None:
    of = mnist(engine="virtual")
    write_search(tmp_path, of, clock="virtual")
    export("optuna", tmp_path, [of])
    found = optuna.load_study(
        study_name=of.key, storage=f"sqlite:///{tmp_path}/export/optuna/{of.key}.db"
    )
    assert found.user_attrs["clock"] == "virtual"
    assert found.user_attrs["virtual"].startswith("simulated, never trained")


def test_a_study_can_be_drawn_by_optuna(study: optuna.Study) -> None:
    study.add_trials([each for each in study.trials if each.number == 0])  # two make a comparison
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plots = optuna.visualization
        history = plots.plot_optimization_history(study)
        assert list(history.data[0].y) == [0.5, 0.5]
        assert len(plots.plot_intermediate_values(study).data) >= 4
        axes = plots.plot_parallel_coordinate(study).layout.xaxis.ticktext
        assert {"lr", "conv1"} <= {*axes}
        assert plots.plot_param_importances(study).data
        assert plots.plot_timeline(study).data


def test_optuna_dashboard_shows_a_study(study: optuna.Study) -> None:
    from optuna_dashboard import wsgi

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with make_server("127.0.0.1", 0, wsgi(study._storage), handler_class=Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = f"http://127.0.0.1:{server.server_port}"

        def ask(path: str) -> bytes:
            with urllib.request.urlopen(at + path, timeout=60) as answer:
                return bytes(answer.read())

        assert b"<!DOCTYPE html>" in ask("/dashboard/")
        (shown,) = json.loads(ask("/api/studies"))["study_summaries"]
        assert shown["study_name"] == study.study_name
        found = json.loads(ask(f"/api/studies/{shown['study_id']}?after=0"))
        server.shutdown()
    states = [each["state"] for each in found["trials"]]
    assert states == ["Complete", "Pruned", "Fail", "Pruned", "Pruned"]
    assert {each["name"] for each in found["union_search_space"]} == set(STEPPED)
    assert len(found["trials"][0]["intermediate_values"]) == 3


def test_mlflow_reads_a_file_store_with_a_run_per_cell_and_per_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    of = mnist()
    write_search(tmp_path, of)
    export("mlflow", tmp_path, [of])
    assert_runs(MlflowClient(f"file://{tmp_path}/export/mlflow"), tmp_path.name, of)


def test_mlflow_reads_what_was_sent_to_a_tracking_uri_and_what_is_there_is_not_touched(
    tmp_path: Path,
) -> None:
    from mlflow import MlflowClient

    of, uri = mnist(), f"sqlite:///{tmp_path}/tracking.db"
    write_search(tmp_path, of)
    export("mlflow", tmp_path, [of], uri)
    client = MlflowClient(uri)
    assert_runs(client, tmp_path.name, of)
    with pytest.raises(UserError, match="is there already, and nothing in it is touched"):
        export("mlflow", tmp_path, [of], uri)
    assert_runs(client, tmp_path.name, of)


def assert_runs(client: "MlflowClient", suite: str, of: Cell) -> None:
    experiment = client.get_experiment_by_name(f"searchbench/{suite}")
    runs = client.search_runs([experiment.experiment_id], order_by=["start_time"])
    (whole,) = [run for run in runs if run.data.tags["bench.kind"] == "cell"]
    trials = {run.info.run_name.rpartition(" ")[2]: run for run in runs if run is not whole}
    assert whole.info.run_name == of.key
    assert whole.data.tags["bench.algorithm"] == "random"
    assert whole.data.metrics["best_loss"] == 0.25
    assert whole.data.metrics["wall"] == 6.0
    history = client.get_metric_history(whole.info.run_id, "best_loss")
    assert [(each.step, each.value) for each in history][:3] == [(1, 0.75), (2, 0.25), (3, 0.25)]
    status = {name: run.info.status for name, run in trials.items()}
    assert status == dict(zip("01234", ["FINISHED", "KILLED", "FAILED", "KILLED", "KILLED"]))  # noqa: B905
    assert trials["1"].data.params == {name: str(value) for name, value in STEPPED.items()}
    assert trials["1"].data.tags["mlflow.parentRunId"] == whole.info.run_id
    losses = client.get_metric_history(trials["0"].info.run_id, "loss")
    assert [(each.step, each.value) for each in losses] == [(1, 0.75), (2, 0.25), (3, 0.5)]
    assert trials["0"].data.metrics["accuracy"] == 0.625
    assert trials["0"].info.end_time - trials["0"].info.start_time == 2500


def test_parquet_holds_cells_reports_and_trials_with_types(tmp_path: Path) -> None:
    of = mnist()
    write_search(tmp_path, of)
    export("parquet", tmp_path, [of])
    folder = tmp_path / "export" / "parquet"
    tables = {path.stem: pyarrow.parquet.read_table(path) for path in folder.iterdir()}
    assert {name: table.num_rows for name, table in tables.items()} == {
        "cells": 1,
        "reports": 6,
        "trials": 5,
    }
    trials = tables["trials"]
    assert trials["status"].to_pylist() == ["completed", "stopped", "failed", "cut", "cut"]
    assert trials["configuration.kernel3"].to_pylist() == [None, 5, None, 5, 5]
    assert str(trials.schema.field("configuration.lr").type) == "double"
    assert str(trials.schema.field("configuration.conv1").type) == "int64"
    assert tables["reports"]["loss"].to_pylist() == [0.75, 0.25, 0.5, 1.5, 2.0, 1.0]


def test_csv_has_all_digits_and_no_formulas(tmp_path: Path) -> None:
    of = mnist()
    write_search(tmp_path, of, least=0.1234567890123456)
    export("csv", tmp_path, [of])
    folder = tmp_path / "export" / "csv"
    assert pd.read_csv(folder / "reports.csv")["loss"][1] == 0.1234567890123456
    trials = pd.read_csv(folder / "trials.csv")
    assert trials["error"][2] == "'=1+1 <script>alert(1)</script> [31m"
    assert "\x1b" not in (folder / "trials.csv").read_text()


@pytest.mark.parametrize("target", ["csv", "mlflow", "optuna", "parquet"])
def test_nothing_that_is_there_is_overwritten(target: str, tmp_path: Path) -> None:
    of = mnist()
    write_search(tmp_path, of)
    export(target, tmp_path, [of])
    out = tmp_path / "export" / target
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match="is there already, and nothing in it is touched"):
        export(target, tmp_path, [of])
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(UserError, match="is there already"):
        export(target, tmp_path, [of], str(file))
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before
    assert file.read_text() == "mine"
    assert [path.name for path in out.parent.iterdir()] == [target], "no drafts are left"


def test_a_cell_that_cannot_be_exported_is_named_and_the_others_are(tmp_path: Path) -> None:
    good, outside, odd = mnist(seed=0), mnist(seed=1), mnist(seed=2)
    write_search(tmp_path, good)
    write_search(tmp_path, outside).read_text()
    path = tmp_path / f"{outside.key}.jsonl"
    path.write_text(path.read_text().replace('"lr":0.001', '"lr":9.0'))
    write(tmp_path, odd, [report(0, 1.0, 0.5), end(1.0)])
    said = export("optuna", tmp_path, [good, outside, odd])
    assert said.startswith("1 studies in ")
    assert f"not exported: 2 cells ({outside.key}.jsonl: " in said
    assert [path.stem for path in (tmp_path / "export" / "optuna").iterdir()] == [good.key]


def test_a_strangers_journal_names_no_code_that_an_export_would_run(tmp_path: Path) -> None:
    of, trap = mnist(), tmp_path / "trap.py"
    trap.write_text("raise AssertionError('a stranger may run code')")
    folder = tmp_path / "suite"
    objective = {"name": "trap", "path": str(trap), "options": {}}
    objective["source"] = hashlib.sha256(trap.read_bytes()).hexdigest()
    header = {**of.as_json(), "objective": objective}
    write_search(folder, of, cell=header)
    assert export("optuna", folder, [of]).startswith("1 studies")


def test_unknown_targets_and_suites_without_results_are_the_users_to_mend(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command_line(["export", "quick", "--to", "excel", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err == ("bench: --to excel: legal: csv, mlflow, optuna, parquet\n")
    (tmp_path / "quick").mkdir()
    assert run_command_line(["best", "quick", "--results", str(tmp_path)]) == 2
    assert "has ended yet; `bench run SUITE` runs them" in capsys.readouterr().err
