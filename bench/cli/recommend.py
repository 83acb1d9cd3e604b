"""The verb that answers: recommend."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.cells import RESULTS, Device, Folder, Gpus, planned
from bench.errors import UserError

if TYPE_CHECKING:
    from bench.recommend.points import Question


def recommend(
    suites: Annotated[
        list[str], typer.Argument(help="Names of suites in suites/, or paths of .toml files.")
    ],
    objective: Annotated[str, typer.Option(help="Which of the suites' objectives.")],
    gpu_hours: Annotated[
        float | None, typer.Option(help="At most so many (on CPU: core-hours).")
    ] = None,
    deadline: Annotated[
        str | None, typer.Option(help="At most so much wall time: 8h, 90m, 1d12h, 08:00:00.")
    ] = None,
    target: Annotated[
        float | None, typer.Option(help="The loss to reach, instead of the least there is.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON, with all that is known.")] = False,
    gpus: Gpus = None,
    device: Device = None,
    results: Folder = RESULTS,
) -> None:
    """Say which algorithm, on how many GPUs, for how long, and how sure that is.

    From what the suites recorded, and nothing beyond; real and virtual searches answer apart.
    """
    import json
    import shlex

    from bench.recommend import data, text
    from bench.recommend.answer import answers
    from bench.recommend.settle import Settle
    from bench.report.gather import gather

    question = _question(gpu_hours, deadline, target, gpus)
    plans = [planned(suite, None, device, results) for suite in suites]
    cells = {cell.key: cell for _, found in plans for cell in found}
    found = answers(gather([(results / name, each) for name, each in plans], objective), question)
    asked = ["--objective", objective]
    for option, value in [("--gpu-hours", gpu_hours), ("--deadline", deadline),
                          ("--target", target), ("--gpus", gpus)]:  # fmt: skip
        asked += [] if value is None else [option, str(value)]
    where = [] if results == RESULTS else ["--results", str(results)]

    commands = Settle(cells, suites, asked, where)
    if all(each.refusal for each in found):
        raise UserError("; ".join(text.lines(each, commands)[0] for each in found))
    if as_json:
        written = [data.as_json(each, commands) for each in found]
        print(json.dumps(written, indent=2, ensure_ascii=False, allow_nan=False))
        return
    print(shlex.join(["bench", "recommend", *suites, *asked]))
    for each in found:
        print("", *text.lines(each, commands), sep="\n")


def _question(
    gpu_hours: float | None, deadline: str | None, target: float | None, gpus: str | None
) -> "Question":
    from bench import duration
    from bench.cli.cells import counts_of
    from bench.recommend.points import Question

    try:
        seconds = math.inf if deadline is None else duration.spoken(deadline)
    except ValueError as error:
        raise UserError(f"--deadline {deadline}: {error}") from None
    hours = math.inf if gpu_hours is None else gpu_hours
    if not hours > 0 or not seconds > 0:
        raise UserError("--gpu-hours and --deadline: legal: more than 0")
    if target is not None and not math.isfinite(target):
        raise UserError(f"--target {target}: legal: a number")
    counts = None if gpus is None else frozenset(counts_of(gpus))
    return Question(hours, seconds, target, counts)
