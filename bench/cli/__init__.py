"""The command line: one verb for each function in the files beside this one.

Heavy imports are inside the verbs, so that `bench --help` starts at once. Exit status: 0 all is
well, 1 a cell or a check failed (or no cell could run), 2 the user can mend it, 75 asked to leave
by a signal (the same command goes on), 130 interrupted.
"""

import os
import sys
from typing import Any

import typer

from bench.cli import cells, curves, export, image, plugins, recommend, slurm
from bench.errors import UserError

app = typer.Typer(
    help="Compare hyper-parameter search algorithms on real trainings at several GPU counts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("list")(plugins.list_)
app.command()(cells.plan)
app.command()(cells.run)
app.command()(slurm.submit)
app.command()(cells.status)
app.command()(cells.report)
app.command()(recommend.recommend)
app.command()(export.best)
app.command()(export.export)
app.command()(plugins.audit)
app.command()(plugins.check)
app.command()(plugins.data)
app.command()(curves.record)
app.command()(curves.validate)
app.command()(image.verify_image)


def run_command_line(arguments: list[str] | None = None) -> int:
    """Run the command line; errors of the user's are one line and exit status 2."""
    try:
        result: Any = app(arguments, standalone_mode=False)
    except UserError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except typer.Exit as exit_:
        return exit_.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except Exception as error:
        if not hasattr(error, "format_message"):  # click's own: a bad option or argument
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error.format_message())
            return 2
        print(f"bench: {error.format_message()} (bench --help)", file=sys.stderr)
        return 2
    return result if isinstance(result, int) else 0
