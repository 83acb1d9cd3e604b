"""Target `optuna`: one study per cell, in an SQLite file of its own, for Optuna's own tools.

A study holds the trials in the order of suggestion; its distributions are the objective's space, a
conditional parameter is there where it is active. Reports are intermediate values. COMPLETE was
trained to the end, PRUNED was stopped by the scheduler or cut when the budget was spent (the
attribute `status` says which), FAIL failed (`error` says why); a value is the last report's loss.
"""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import plugins
from bench.export._source import Source, cell_facts, new_folder
from bench.export._trial import Trial
from bench.space import to_distributions, within

if TYPE_CHECKING:
    import optuna

STATES = {"completed": "COMPLETE", "stopped": "PRUNED", "cut": "PRUNED", "failed": "FAIL"}


def write(source: Source, out: str) -> str:
    """Write `<cell key>.db` for each cell into the new folder `out`."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    studies = 0
    with new_folder(Path(out)) as folder:
        empty = folder / "empty"
        optuna.storages.RDBStorage(_url(empty)).remove_session()  # makes the tables, slowly
        for row, found in source.searches():
            try:
                frozen = frozen_trials(row, found, source)
            except (KeyError, TypeError, ValueError) as error:
                source.unused[str(row.file)] = str(error)
                continue
            shutil.copy(empty, folder / f"{row.key}.db")
            _fill(folder / f"{row.key}.db", row, frozen)
            studies += 1
        empty.unlink()
    return f"{studies} studies in {out}: optuna-dashboard sqlite:///{out}/<cell key>.db"


def frozen_trials(row: Any, found: list[Trial], source: Source) -> "list[optuna.trial.FrozenTrial]":
    """Optuna's trials; ValueError or KeyError for what is outside the objective's space."""
    import optuna

    began = datetime.fromisoformat(row.started)
    space = plugins.make("objectives", source.cells[row.key].objective).space()
    distributions = to_distributions(space)
    local = began.astimezone(UTC).astimezone().replace(tzinfo=None)  # Optuna's are naive, local
    frozen: list[optuna.trial.FrozenTrial] = []
    for each in found:
        state = optuna.trial.TrialState[STATES[each.status]]
        known = bool(each.reports) and each.status != "failed"
        values = {
            name: within(distributions[name], value) for name, value in each.configuration.items()
        }
        trial = optuna.trial.FrozenTrial(
            number=len(frozen),
            trial_id=len(frozen),
            state=state,
            value=each.loss if known else None,
            datetime_start=local + timedelta(seconds=each.started),
            datetime_complete=local + timedelta(seconds=each.ended),
            params=values,
            distributions={name: distributions[name] for name in values},
            user_attrs={"status": each.status} | ({"error": each.error} if each.error else {}),
            system_attrs={},
            intermediate_values={step: at["loss"] for step, at in each.reports.items()},
        )
        trial._validate()
        frozen.append(trial)
    return frozen


def _fill(path: Path, row: Any, frozen: "list[optuna.trial.FrozenTrial]") -> None:
    """Create the study and put its trials into the tables, many at a time.

    `Study.add_trials` takes some 50 ms for each; that its result is the same is tested.
    """
    import optuna
    from optuna.storages._rdb import models
    from sqlalchemy import insert

    storage = optuna.storages.RDBStorage(_url(path), skip_table_creation=True)
    study = optuna.create_study(storage=storage, study_name=row.key, direction="minimize")
    for name, value in cell_facts(row).items():
        study.set_user_attr(name, value)
    with storage.engine.begin() as connection:
        for model, rows in _rows(models, study._study_id, frozen).items():
            if rows:
                connection.execute(insert(model), rows)
    storage.remove_session()
    storage.engine.dispose()


def _rows(
    models: Any, study: int, frozen: "list[optuna.trial.FrozenTrial]"
) -> dict[Any, list[dict[str, Any]]]:
    """The rows of Optuna's tables (version 5) that hold the trials."""
    from optuna.distributions import distribution_to_json

    trials, params, values, reports, attributes = [], [], [], [], []
    for each in frozen:
        of = {"trial_id": each.number + 1}
        start, complete = (
            at and at.astimezone(UTC).replace(tzinfo=None)
            for at in (each.datetime_start, each.datetime_complete)
        )
        trials.append(
            {
                **of,
                "number": each.number,
                "study_id": study,
                "state": each.state,
                "datetime_start": start,
                "datetime_complete": complete,
            }
        )
        for name, distribution in each.distributions.items():
            internal = distribution.to_internal_repr(each.params[name])
            form = distribution_to_json(distribution)
            params.append({**of, "param_name": name, "param_value": internal})
            params[-1]["distribution_json"] = form
        if each.value is not None:
            kind = models.TrialValueModel.TrialValueType.FINITE
            values.append({**of, "objective": 0, "value": each.value, "value_type": kind})
        for step, loss in each.intermediate_values.items():
            kind = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE
            reports.append({**of, "step": step, "intermediate_value": loss})
            reports[-1]["intermediate_value_type"] = kind
        for key, text in each.user_attrs.items():
            attributes.append({**of, "key": key, "value_json": json.dumps(text)})
    return {
        models.TrialModel: trials,
        models.TrialParamModel: params,
        models.TrialValueModel: values,
        models.TrialIntermediateValueModel: reports,
        models.TrialUserAttributeModel: attributes,
    }


def _url(path: Path) -> str:
    return f"sqlite:///{path}"
