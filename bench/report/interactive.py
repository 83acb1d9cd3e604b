"""What the page's interactive figures are drawn from: aggregates only, as JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
import pandas as pd

from bench.metrics import _style as style
from bench.metrics._factors import FACTORS
from bench.metrics._table import FIGURE, groups
from bench.metrics.ledger import PARTS

DIGITS = 5
"""Significant digits of what is drawn; the CSV has all."""
SYMBOLS = {
    "o": ("circle", "●"),
    "s": ("square", "■"),
    "D": ("diamond", "◆"),
    "v": ("triangle-down", "▼"),
    "P": ("cross", "✚"),
    "X": ("x", "✖"),
    "<": ("triangle-left", "◀"),
    ">": ("triangle-right", "▶"),
    "p": ("pentagon", "⬟"),
    "h": ("hexagon", "⬢"),
}
"""The figures' markers as Plotly calls them, and as text."""
METRICS = ("regret", "scaling", "ledger")
"""Those with an interactive figure."""


def looks(frame: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Colour and marker of each algorithm of the table, as in the PNG figures."""
    names = style.by_engine(frame, frame)["algorithm"].cat.categories
    found = style.look(pd.DataFrame({"algorithm": pd.Categorical(names, names)}))
    return {
        name: {
            "colour": _css(kind["color"]),
            "symbol": SYMBOLS[kind["marker"]][0],
            "glyph": SYMBOLS[kind["marker"]][1],
        }
        for name, kind in found.items()
    }


def figures(
    metric: str, frame: pd.DataFrame, whole: pd.DataFrame
) -> list[tuple[dict[str, Any], pd.DataFrame]]:
    """One figure for each objective and budget, with the rows that it shows.

    The labels are those that `looks(whole)` knows.
    """
    series = {"regret": _regret, "scaling": _scaling, "ledger": _ledger}[metric]
    return [
        (
            {
                "kind": metric,
                "title": str(named["objective"]),
                "unit": style.unit(rows, 1),
                "clock": " and ".join(sorted(set(rows["clock"].astype(str)), reverse=True)),
                "counts": sorted({int(count) for count in rows["gpus"]}),
                "series": series(rows),
            },
            rows,
        )
        for named, rows in groups(style.by_engine(frame, whole), FIGURE)
    ]


def parts() -> dict[str, Any]:
    """Names and colours of the ledger's parts; names of the factors of scaling."""
    colours = [_css(colour) for colour in style.PART_COLOURS]
    return {"parts": list(PARTS.values()), "part_colours": colours}


def as_json(value: object) -> str:
    """JSON that can stand in a script element: no text in it can end the element."""
    text = orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _css(colour: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in colour)


def _who(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Of which algorithm, clock and engine a series is."""
    return {
        "algorithm": str(row["algorithm"]),
        "virtual": row["clock"] == "virtual",
        "engine": str(row["engine"]),
    }


def _regret(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Curves are step functions: only the points where something changes are kept, and the end."""
    found = []
    for named, rows in groups(frame, ["engine", "clock", "error", "algorithm", "gpus", "axis"]):
        shown = rows[["regret", "low", "high", "n"]].to_numpy(float)
        changed = (shown[1:] != shown[:-1]) & ~(np.isnan(shown[1:]) & np.isnan(shown[:-1]))
        kept = np.concatenate([[True], changed.any(axis=1)])
        kept[-1] = True
        points = {name: _numbers(rows[name][kept]) for name in ("x", "regret", "low", "high", "n")}
        found.append(
            {**_who(named), "gpus": int(named["gpus"]), "axis": str(named["axis"]), **points}
        )
    return found


def _scaling(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Each factor's median, its bounds where it is not known, and its interval, by GPU count."""
    found = []
    for named, rows in groups(frame, ["engine", "clock", "error", "algorithm"]):
        ordered = rows.sort_values("gpus")
        ring = (ordered["gpus"] == ordered["enough_gpus"]) & (ordered["worth_it"] == "no")
        one: dict[str, Any] = {
            **_who(named),
            "gpus": ordered["gpus"].tolist(),
            "n": ordered["n"].tolist(),
            "base": int(ordered["base_gpus"].iloc[0]),
            "enough": ordered["gpus"][ring].tolist(),
            "factors": [
                {name: _numbers(ordered[column]) for name, column in columns._asdict().items()}
                for columns, _ in FACTORS
            ],
        }
        found.append(one)
    return found


def _ledger(frame: pd.DataFrame) -> list[dict[str, Any]]:
    found = []
    order = ["algorithm", "clock", "gpus", "engine"]
    for row in frame.sort_values(order, ascending=[True, False, True, True]).to_dict("records"):
        numbers = [row[part] for part in PARTS]
        bars = {"shares": _numbers(numbers), "low": row["training_low"]}
        bars |= {"high": row["training_high"], "n": row["n"], "held": row["gpu_seconds"]}
        found.append({**_who(row), "gpus": row["gpus"], **bars})
    return found


def _numbers(values: Any) -> list[float | str | None]:
    """Rounded; None where there is none, "inf" where it is not bounded."""
    floats = np.asarray(values, dtype=float).tolist()
    return [
        "inf" if each == np.inf else None if not np.isfinite(each) else float(f"{each:.{DIGITS}g}")
        for each in floats
    ]
