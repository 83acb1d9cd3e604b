"""The verbs that are about plug-ins and their data: list, audit, check, data."""

from typing import Annotated

import typer

from bench.errors import UserError, one_of

Options = Annotated[
    list[str] | None, typer.Argument(help="Its options, as in a suite: name=value.")
]


def list_() -> None:
    """Show the objectives, algorithms, engines, suites and data sets there are."""
    from bench import data, plugins, suite

    for kind in ("objectives", "algorithms", "engines"):
        print(f"{kind + ':':<12}{', '.join(plugins.names(kind))}")
    print(f"{'suites:':<12}{', '.join(suite.names())}")
    print(f"{'data:':<12}{', '.join(data.names())}")


def audit(
    algorithm: Annotated[
        str | None, typer.Argument(help="Name, or path of a .py file. Default: all of them.")
    ] = None,
    options: Options = None,
) -> None:
    """Run algorithms on cheap objectives and print what they really do; times are virtual."""
    from bench import plugins
    from bench.algorithm import Algorithm
    from bench.audit.text import LEGEND, NEEDED
    from bench.audit.text import audit as parts

    print(LEGEND)
    for name in plugins.names("algorithms") if algorithm is None else [algorithm]:
        given = [f"{key}={value}" for key, value in NEEDED.get(name, {}).items()]
        made = plugins.of_user(name, options or given)
        if not isinstance(made, Algorithm):
            raise UserError(f"{name} is no algorithm; {one_of(plugins.names('algorithms'))}")
        try:
            for part in parts(name, made):
                print(part, flush=True)
        except Exception as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise UserError(f"{name} cannot be audited: {cause}") from None


def check(
    plugin: Annotated[str, typer.Argument(help="Path of your .py file, or a name of bench list.")],
    options: Options = None,
) -> None:
    """Check an algorithm or an objective against the rules that all of them must keep."""
    from bench import plugins
    from bench.check.rules import check as checked

    failed = 0
    for rule, violation in checked(plugins.of_user(plugin, options or [])):
        failed += violation is not None
        print(f"{'ok' if violation is None else 'FAILS':<6}{rule}", flush=True)
        if violation is not None:
            print(f"      {violation}", flush=True)
    if failed:
        raise SystemExit(1)


def data(name: Annotated[str, typer.Argument(help="Name of a data set: bench list.")]) -> None:
    """Fetch a data set into data/ (or $BENCH_DATA) and check it. Trainings never download."""
    from bench.data import fetch

    print(f"{name}: complete and checked in {fetch(name)}")
