"""What a check raises."""


class Violation(Exception):
    """A plug-in breaks a rule. The message is one line: what was found, and where."""
