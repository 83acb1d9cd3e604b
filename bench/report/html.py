"""index.html: the report as one file that needs no network; the answer first."""

import base64
import hashlib
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.metrics import _style as style
from bench.report import interactive
from bench.report.audit import READING, audit_rows
from bench.report.elements import FLOW, fold, image, listed, stacked, table
from bench.report.numbers import summary_rows
from bench.report.page import counts_line, remarks, warnings
from bench.report.recommendations import recommendations

if TYPE_CHECKING:
    from bench.report.contents import Report

STATIC = Path(__file__).parent / "static"
INTERACTIVE = {
    "regret": (
        "Regret",
        "Who is ahead after so much budget? Lower is better: of two curves the lower one had found "
        "better configurations for the same x. A curve begins where every seed has a result.",
    ),
    "scaling": (
        "Scaling",
        "Is it worth asking for more GPUs, and who wastes what is added? Scaling efficiency is "
        "what is left of each GPU that was added; it is utilisation × sample efficiency. A ring "
        "in the speed-up marks the count beyond which another doubling is not worth it.",
    ),
    "ledger": (
        "Ledger",
        "Where did the GPU-seconds go? Each bar is all that was held. Lost is what came to no "
        "useful report: failed, NaN, timed out, killed, or in flight when its search was over.",
    ),
}
ROWS = 24
"""Of the audit, that are shown without a click."""
COMPARED = ("comparisons", "critical_difference")


def index(report: "Report", folder: Path) -> str:
    """The page, of the figures in `folder`; text from journals is escaped."""
    data: dict[str, Any] = {
        "looks": interactive.looks(report.frames["summary"]),
        "clocks": sorted(set(report.table.cells["clock"] == "virtual")),
        **interactive.parts(),
        "figures": [],
    }
    pictures = _pictures(report)
    rests = [*report.notes, *warnings(report.table.cells)]
    body = [
        f"<h1>{escape(report.folder.parent.name)}</h1>",
        f"<p>{escape(counts_line(report))}</p>",
        _navigation(),
        '<h2 id="answer">Answer</h2>',
        recommendations(report.answers),
        '<small>Beside this page: <a href="recommend.csv">recommend.csv</a></small>',
        fold("All medians", table(*summary_rows(report.frames["summary"]))),
        '<div class="chips" role="group" aria-label="shown in the figures"></div>',
        "<noscript><p>The figures below need JavaScript; the same are beside this page as PNG."
        "</p></noscript>",
        *(_section(report, metric, data["figures"], pictures) for metric in INTERACTIVE),
        '<h2 id="comparisons">Comparisons</h2>',
        *(_images(pictures.pop(name), folder) for name in COMPARED if name in pictures),
        '<h2 id="more">More figures</h2>',
        *(_images(of, folder) for of in pictures.values()),
        '<h2 id="rests">What this rests on</h2>',
        listed(rests),
        '<h2 id="audit">Audit</h2>',
        *_audit(report),
        '<h2 id="provenance">Provenance</h2>',
        *_provenance(report),
    ]
    script, plotly = (STATIC / "page.js").read_text(encoding="utf-8"), _plotly()
    policy = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {_hash(plotly)} {_hash(script)}"
    )
    return Template((STATIC / "page.html").read_text(encoding="utf-8")).substitute(
        policy=policy,
        title=escape(f"{report.folder.parent.name}: searchbench"),
        css=(STATIC / "page.css").read_text(encoding="utf-8"),
        body="\n".join(body),
        data=interactive.as_json(data),
        plotly=plotly,
        script=script,
    )


@cache
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def _hash(script: str) -> str:
    """What the page's policy lets run: this script alone."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _navigation() -> str:
    names = ["answer", *INTERACTIVE, "comparisons", "more", "audit", "provenance"]
    links = [f'<a href="#{name}">{name}</a>' for name in names]
    return f"<nav>{''.join(links)}</nav>"


def _pictures(report: "Report") -> dict[str, list[tuple[str, str]]]:
    """The PNG figures by metric: file and how to read it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for file, reading in report.figures:
        metric = next(m for m in report.frames if file.startswith((f"{m}-", f"{m}.")))
        found.setdefault(metric, []).append((file, reading))
    return found


def _section(
    report: "Report",
    metric: str,
    figures: list[dict[str, Any]],
    pictures: dict[str, list[tuple[str, str]]],
) -> str:
    """A metric's interactive figures; what they show is added to `figures`."""
    title, reading = INTERACTIVE[metric]
    parts = [f'<h2 id="{metric}">{title}</h2>', f"<p>{reading}</p>"]
    static = pictures.pop(metric, [])
    whole = report.frames["summary"]
    for figure, rows in interactive.figures(metric, report.frames[metric], whole):
        lines = "<br>".join(map(escape, _caption(metric, rows)))
        parts.append(
            f'<figure data-figure="{len(figures)}"><h3>{title} on {escape(figure["title"])}</h3>'
            '<div class="controls"></div><div class="plot"></div>'
            f"<figcaption>{lines}</figcaption></figure>"
        )
        figures.append(figure)
    links = [f'<a href="{escape(file)}">{escape(file)}</a>' for file, _ in static]
    links.append(f'<a href="{metric}.csv">{metric}.csv</a>')
    return "\n".join([*parts, f"<small>Beside this page: {', '.join(links)}</small>"])


def _caption(metric: str, rows: pd.DataFrame) -> list[str]:
    """What a figure's n, interval, clock and device are."""
    row = rows.iloc[0]
    engines, clocks = (" and ".join(sorted(set(rows[of]))) for of in ("engine", "clock"))
    lines = {
        "regret": [style.seeds(rows["n"]), f"loss above {row.get('reference', 0):.4g}, "
                   f"{row.get('reference_from')}; on a logarithmic axis 0 is at the lower edge"],
        "scaling": [style.seeds(rows["n"]) + ", paired; dashed: ideal; a bar between triangles: "
                    "the range that censored runs leave open"],
        "ledger": ["shares of what "
                   + style.seeds(rows["n"]).replace("median and 95 % bootstrap interval over ", "")
                   + " held together; whisker: 95 % bootstrap interval of what was training"],
    }[metric]  # fmt: skip
    lines.append(
        f"engine {engines}, {clocks} clock, on {style.unit(rows)}, "
        f"budget of {row['budget']} full trainings a search"
    )
    if errors := sorted(set(rows["error"].astype(str)) - {""}):
        lines += ["dotted, hollow: virtual, simulated from recorded trainings", *errors]
    return lines


def _images(figures: list[tuple[str, str]], folder: Path) -> str:
    return "\n".join(
        [f'<p class="dim">{escape(figures[0][1])}</p>', *(image(folder / f) for f, _ in figures)]
    )


def _audit(report: "Report") -> list[str]:
    """What to know of the algorithms, and what they did."""
    said, (head, rows) = remarks(report.table.cells), audit_rows(report.audit)
    did = stacked(head, [list(map(escape, row)) for row in rows], FLOW)
    algorithm = report.audit["algorithm"].iloc[0]
    return [
        f"<p>{READING} What was measured of the libraries themselves, with figures: "
        f"<code>bench audit {escape(str(algorithm).split()[0])}</code>, and docs/audit.md.</p>",
        table(list(said.columns), said.to_numpy().tolist()) if len(said) else "",
        did if len(rows) <= ROWS else fold(f"What each did: {len(rows)} rows", did),
        '<small>Beside this page: <a href="audit.csv">audit.csv</a></small>',
    ]


def _provenance(report: "Report") -> list[str]:
    cells, counts = report.table.cells, report.counts
    states = {**counts, "resumed": int((cells["resumed"] > 0).sum())}
    parts = [table(["cells", "n"], [[name, str(n)] for name, n in states.items()])]
    for what in ("machine", "device", "engine", "commit", "image", "packages"):
        found = cells[what].value_counts().items()
        parts.append(table([what, "cells"], [[str(name), str(n)] for name, n in found]))
    for title, frame in [
        ("Journals not used, or not complete", report.table.problems),
        ("Skipped cells", report.skipped),
    ]:
        rows = [list(map(str, row)) for row in frame.itertuples(index=False)]
        parts.append(fold(f"{title}: {len(rows)}", table(list(frame.columns), rows)))
    return parts
