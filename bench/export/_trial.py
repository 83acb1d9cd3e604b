"""The trials of one search, out of its journal."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.journal import Record
from bench.report.fields import all_of, number, text


@dataclass
class Trial:
    """One trial of a search, as its journal tells it. Seconds are on the engine's clock."""

    trial: int
    configuration: dict[str, Any]
    """Active parameters only."""
    started: float
    """When it was suggested."""
    ended: float
    """Its end or, where none is written, its last report."""
    status: str = "cut"
    """completed, stopped, failed or cut, as in docs/journal.md."""
    error: str = ""
    reports: dict[int, dict[str, float]] = field(default_factory=dict)
    """Of each step: `loss` (what counts), `seconds` and the objective's other metrics."""

    @property
    def loss(self) -> float:
        """The loss of its last report, NaN if it has none."""
        return self.reports[max(self.reports)]["loss"] if self.reports else np.nan


def trials(record: Record) -> list[Trial]:
    """In the order of suggestion; KeyError, TypeError or ValueError where an event is not legal."""
    found: dict[int, Trial] = {}
    metrics = record.header.get("metrics")
    names = ["loss", "seconds", *(metrics if isinstance(metrics, dict) else ["accuracy"])]
    for event in record.events:
        match event["event"]:
            case "suggest":
                each, at = _index(event, "trial"), number(event, "seconds")
                found[each] = Trial(each, _configuration(event["configuration"]), at, at)
            case "report":
                each = _index(event, "trial")
                if each not in found:
                    raise ValueError(f"trial {each} reports, but was never suggested")
                values = {name: number(event, name) for name in names}
                found[each].reports[_index(event, "step")] = values
                found[each].ended = values["seconds"]
            case "finish":
                trial = found[_index(event, "trial")]
                trial.ended = number(event, "seconds")
                trial.status = text(event["status"])
                trial.error = text(event.get("error") or "")
    return list(found.values())


def _index(event: dict[str, Any], name: str) -> int:
    return int(all_of(name, [event[name]], {int})[0])


def _configuration(found: Any) -> dict[str, Any]:
    """Names and plain values; text of a stranger's is made safe to show."""
    if not isinstance(found, dict):
        raise TypeError("a configuration is no table of names and values")
    all_of("a parameter", list(found.values()), {int, float, bool, str, type(None)})
    return {
        text(name): text(value) if isinstance(value, str) else value
        for name, value in found.items()
    }
