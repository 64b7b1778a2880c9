"""JSONL: one label a line, an object with what `station.labels.formats.fields` names; complete.

Source: JSON Lines (jsonlines.org): UTF-8, one value a line.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from station.core.durable import write_whole
from station.labels.formats.entry import Entry, Found, Sheet
from station.labels.formats.fields import entry_of, fields_of
from station.labels.formats.json_source import JsonItem, parse_json
from station.labels.formats.source import read_text, told_at


def read_json_lines(path: Path) -> Found:
    """What a file says.

    Raises:
        WrongFileError: It cannot be read, or a line is no label.
    """
    return Found(tuple(_entries(path)))


def _entries(path: Path) -> Iterator[Entry]:
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            where = f"{path} line {number}"
            document = parse_json(line.strip(), where)
            with told_at(where):
                yield entry_of(_texts(document), where)


def _texts(document: JsonItem) -> dict[str, str]:
    if not isinstance(document.value, dict):
        raise document.wrong("an object is expected, one label a line")
    texts = {}
    for name, value in document.value.items():
        if isinstance(value, bool) or not isinstance(value, str | int | None):
            raise document.wrong(f"{name}: a text, a whole number or null is expected")
        texts[name] = "" if value is None else str(value)
    return texts


def write_json_lines(path: Path, sheet: Sheet) -> None:
    """Write labels."""
    lines = (json.dumps(fields_of(row), ensure_ascii=False) + "\n" for row in sheet.rows)
    write_whole(path, "".join(lines).encode())
