"""CSV: one label a row, with the columns of `station.labels.formats.fields`; complete.

A text that a spreadsheet would compute gets an apostrophe before it, which is taken off again when it is read.
Source: RFC 4180; OWASP, CSV injection.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from station.core.durable import write_whole
from station.labels.formats.entry import Entry, Found, Sheet
from station.labels.formats.fields import FIELDS, entry_of, fields_of
from station.labels.formats.source import WrongFileError, read_text, told_at

COMPUTED = ("=", "+", "-", "@", "\t", "\r", "'")
"""How a text begins that a spreadsheet would not take as one."""


def read_csv(path: Path) -> Found:
    """What a file says: the first row names the columns, in any order.

    Raises:
        WrongFileError: It cannot be read, has an unknown column, or a row is no label.
    """
    return Found(tuple(_entries(path)))


def _entries(path: Path) -> Iterator[Entry]:
    text = read_text(path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names = [name.strip() for name in next(rows, [])]
        _require_columns(path, names)
        begins = rows.line_num + 1
        for row in rows:
            where = f"{path} line {begins}"
            begins = rows.line_num + 1
            if row:
                with told_at(where):
                    yield entry_of(_fields(names, row), where)
    except csv.Error as error:
        raise WrongFileError(f"{path} line {rows.line_num}: {error}") from error


def _delimiter(text: str) -> str:
    """A comma, or what stands in its place where spreadsheets take the comma for the decimal point."""
    first = text.partition("\n")[0]
    return ";" if ";" in first and "," not in first else ","


def _require_columns(path: Path, names: list[str]) -> None:
    if unknown := [name for name in names if name not in FIELDS]:
        told = f"no column is named {', '.join(map(repr, unknown))}; there are {', '.join(FIELDS)}"
        raise WrongFileError(f"{path} line 1: {told}")
    if len(set(names)) < len(names) or "class" not in names:
        raise WrongFileError(f"{path} line 1: it must name the columns, each once, among them class")


def _fields(names: list[str], row: list[str]) -> dict[str, str]:
    if len(row) != len(names):
        raise ValueError(f"it has {len(row)} values for {len(names)} columns")
    return {name: _plain(value) for name, value in zip(names, row, strict=True)}


def write_csv(path: Path, sheet: Sheet) -> None:
    """Write labels."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _harmless(str(value)) for name, value in fields_of(row).items()} for row in sheet.rows)
    write_whole(path, text.getvalue().encode())


def _harmless(text: str) -> str:
    return "'" + text if text.startswith(COMPUTED) else text


def _plain(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:].startswith(COMPUTED) else text
