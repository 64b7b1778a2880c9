"""Lines of CSV that spreadsheets show, and do not compute."""

import csv
import io
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With one of these begins what spreadsheets compute, or send somewhere, when they open a CSV file."""


def csv_line(values: Iterable[object]) -> str:
    """A line with its end; a text that a spreadsheet would take for a formula stands behind an apostrophe."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(map(_harmless, values))
    return line.getvalue()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
