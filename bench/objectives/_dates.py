"""Written-out dates and their ISO form: a synthetic task that a small model can solve."""

from datetime import date

import numpy as np

from bench.seeds import derive

FIRST, LAST = date(1800, 1, 1), date(2199, 12, 31)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def pairs() -> list[tuple[str, str]]:
    """List every day of four centuries once, in one of three forms, and its ISO form."""
    days = range(FIRST.toordinal(), LAST.toordinal() + 1)
    forms = np.random.RandomState(derive("tiny_t5", "dates")).randint(0, 3, len(days))
    dates = map(date.fromordinal, days)
    return [(written(day, form), day.isoformat()) for day, form in zip(dates, forms, strict=True)]


def written(day: date, form: int) -> str:
    """Write out a date.

    >>> [written(date(1987, 3, 22), form) for form in (0, 1, 2)]
    ['22 March 1987', 'March 22, 1987', 'the 22nd of March, 1987']
    """
    month = MONTHS[day.month - 1]
    if form == 0:
        return f"{day.day} {month} {day.year}"
    if form == 1:
        return f"{month} {day.day}, {day.year}"
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    if day.day in (11, 12, 13):
        ending = "th"
    return f"the {day.day}{ending} of {month}, {day.year}"
