"""Durations as SLURM writes them: HH:MM:SS, or D-HH:MM:SS from a day on; and as people do."""

import re

PATTERN = re.compile(r"(?:(\d+)-)?(\d{1,3}):([0-5]\d):([0-5]\d)")

SPOKEN = re.compile(r"(?=\d)(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


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


def spoken(text: str) -> int:
    """Seconds of what a person writes, or SLURM does; ValueError for another form.

    >>> spoken("8h"), spoken("1d12h"), spoken("90s"), spoken("08:00:00")
    (28800, 129600, 90, 28800)
    """
    found = SPOKEN.fullmatch(text)
    if found is None:
        try:
            return parse(text)
        except ValueError:
            raise ValueError("write 8h, 1d12h, 90m, 45s or HH:MM:SS") from None
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
