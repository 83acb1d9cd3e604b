"""Text in columns, for the terminal."""


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Lines of columns, each as wide as its widest value."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
