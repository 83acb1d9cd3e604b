"""Durations as SLURM writes them: HH:MM:SS, or D-HH:MM:SS from a day on."""

import re

PATTERN = re.compile(r"(?:(\d+)-)?(\d{1,3}):([0-5]\d):([0-5]\d)")


def parse(text: str) -> int:
    """Seconds; ValueError for another form.

    >>> parse("1-02:00:00")
    93600
    """
    found = PATTERN.fullmatch(text)
    if found is None:
        raise ValueError("write HH:MM:SS or D-HH:MM:SS, e.g. 12:00:00")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def text(seconds: int) -> str:
    """Write seconds as SLURM does.

    >>> text(93600)
    '1-02:00:00'
    """
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    clock = f"{hours:02}:{minutes:02}:{seconds:02}"
    return f"{days}-{clock}" if days else clock
