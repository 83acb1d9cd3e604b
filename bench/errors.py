"""The one exception for whatever a user can get wrong."""


class UserError(Exception):
    """A mistake, a missing thing or a refusal that its reader can mend.

    The message is one line: the cause, the legal values, the next step. The command line
    prints it without a traceback and exits with status 2.
    """


def one_of(names: list[str]) -> str:
    """Spell out the legal values at the end of an error message."""
    return f"legal: {', '.join(sorted(names))}" if names else "there are none"
