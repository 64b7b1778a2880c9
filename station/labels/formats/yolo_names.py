"""The names of a YOLO data set's classes, by number: of `classes.txt`, or of the `names` in `data.yaml`.

YAML has more ways to write the same than a station needs to know. Those that the trade's programs write are read here,
a list or numbers with names, on one line or below each other; any other one is refused with its line.
Source: Ultralytics, detection data sets (`names`); the data.yaml of Roboflow, CVAT and Label Studio.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from station.labels.formats.source import WrongFileError, read_text

Line = tuple[int, str]
"""Number in the file, from 1, and text."""

_NUMBERED = re.compile(r"(\d{1,6})\s*:\s*(.+)")
_ITEM = re.compile(r"-\s+(.+)")
_PIECE = re.compile(r"""\s*+((?:\d{1,6}\s*+:\s*+)?(?:'(?:[^']|'')*+'|"[^"\\]*+"|[^,'"\[\]{}]++))\s*+(?:,|$)""")


def read_classes_txt(path: Path) -> dict[int, str]:
    """One name a line, from number 0 on; an empty line at the end is none.

    Raises:
        WrongFileError: It cannot be read, or a line is empty, or a name stands twice.
    """
    lines = read_text(path).rstrip().splitlines()
    return _checked(path, ((number, number - 1, line) for number, line in enumerate(lines, 1)))


def read_data_yaml(path: Path) -> dict[int, str]:
    """The names under `names`.

    Raises:
        WrongFileError: It cannot be read, has no `names`, or writes them in another way.
    """
    lines = list(enumerate(read_text(path).splitlines(), 1))
    starts = [place for place, (_number, line) in enumerate(lines) if re.match(r"names\s*:", line)]
    if len(starts) != 1:
        raise WrongFileError(f"{path}: it must have names: once, with the names of the classes")
    number, first = lines[starts[0]]
    rest = _plain(first.partition(":")[2])
    found = _flow(path, number, rest) if rest else _block(path, lines[starts[0] + 1 :])
    return _checked(path, found)


def _flow(path: Path, number: int, text: str) -> Iterator[tuple[int, int, str]]:
    """Names on one line: ['a', 'b'] or {0: a, 1: b}."""
    pairs = {"[": "]", "{": "}"}
    if text[0] not in pairs or text[-1] != pairs[text[0]]:
        raise WrongFileError(f"{path} line {number}: names must be a list, or numbers with names, ending on its line")
    inner, position, count = text[1:-1].strip(), 0, 0
    while position < len(inner):
        if not (piece := _PIECE.match(inner, position)):
            raise WrongFileError(f"{path} line {number}: {inner[position:].strip()[:40]!r} is no name")
        numbered = _NUMBERED.fullmatch(piece[1]) if text[0] == "{" else None
        if text[0] == "{" and not numbered:
            raise WrongFileError(f"{path} line {number}: {piece[1][:40]!r} is no number with a name")
        yield (number, int(numbered[1]), numbered[2]) if numbered else (number, count, piece[1])
        position, count = piece.end(), count + 1


def _block(path: Path, lines: Iterable[Line]) -> Iterator[tuple[int, int, str]]:
    """Names on a line each: `- a`, or `0: a`; it ends with the first line that is neither and begins at the margin."""
    count = 0
    for number, line in lines:
        text = _plain(line)
        if not text:
            continue
        item, numbered = _ITEM.fullmatch(text), _NUMBERED.fullmatch(text)
        if not line[0].isspace() and not item:
            return
        if item:
            yield number, count, item[1]
        elif numbered:
            yield number, int(numbered[1]), numbered[2]
        else:
            raise WrongFileError(f"{path} line {number}: {text[:40]!r} is no name of a class")
        count += 1


def _plain(text: str) -> str:
    """Without a comment and blanks at the ends."""
    return re.sub(r"(^|\s)#.*$", "", text).strip()


def _checked(path: Path, found: Iterable[tuple[int, int, str]]) -> dict[int, str]:
    names: dict[int, str] = {}
    for line, number, text in found:
        name = _unquoted(text)
        if not name or number in names or name in names.values():
            raise WrongFileError(f"{path} line {line}: {name!r} is no name, or number or name stand twice")
        names[number] = name
    if not names:
        raise WrongFileError(f"{path}: it names no class")
    return names


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1].replace("''", "'") if text[0] == "'" else text[1:-1]
    return text
