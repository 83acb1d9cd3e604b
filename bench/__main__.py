"""`python -m bench`, and the command `bench`."""

import sys


def main() -> None:
    from bench.cli import run_command_line

    sys.exit(run_command_line())


if __name__ == "__main__":
    main()
