"""XML of another program, read without what makes XML dangerous: no document type, no entities, no depth.

A document type is refused as such, before anything in it is looked at: without one there are no entities to expand and
no files or addresses to fetch. The text is UTF-8, as for every other format.
Source: Python, XML security (`xml`); CWE-776, CWE-611.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

from station.labels.formats.source import MOST_ITEMS, WrongFileError, read_text

MOST_DEPTH = 32
"""Elements within each other."""
_QUOTED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
)


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element, and where it begins.

    Attributes:
        tag: Its name.
        attributes: By name.
        where: File and line, for people.
        children: In the order of the file.
        texts: Pieces of its own text.
    """

    tag: str
    attributes: Mapping[str, str]
    where: str
    children: list["XmlElement"] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its own text without blanks at the ends."""
        return "".join(self.texts).strip()

    def named(self, *way: str) -> Iterator["XmlElement"]:
        """Those that are reached by a way of names."""
        found = [self]
        for tag in way:
            found = [child for element in found for child in element.children if child.tag == tag]
        yield from found

    def attribute(self, name: str) -> str:
        """An attribute that must be there.

        Raises:
            WrongFileError: It is not, or is empty.
        """
        if not (value := self.attributes.get(name)):
            raise self.wrong(f"<{self.tag}> has no {name}")
        return value

    def number(self, name: str) -> float:
        """An attribute that is a number, perhaps not a finite one.

        Raises:
            WrongFileError: It is none.
        """
        value = self.attribute(name)
        try:
            return float(value)
        except ValueError:
            raise self.wrong(f'{name}="{value[:40]}" is no number') from None

    def whole(self, name: str) -> int:
        """An attribute that is a whole number of at most nine digits.

        Raises:
            WrongFileError: It is none.
        """
        value = self.attribute(name)
        if not (value.isascii() and value.isdecimal() and len(value) <= 9):
            raise self.wrong(f'{name}="{value[:40]}" is no whole number')
        return int(value)

    def wrong(self, told: str) -> WrongFileError:
        """The error that this element is."""
        return WrongFileError(f"{self.where}: {told}")


class _Builder:
    """What the parser tells, as a tree."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = expat.ParserCreate("utf-8")  # whatever the file says of itself
        self._open = [XmlElement("", {}, str(path))]
        self._count = 0
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def parse(self, content: bytes) -> XmlElement:
        """The one element that holds all others."""
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            told = expat.ErrorString(error.code)
            raise WrongFileError(f"{self._path} line {error.lineno}: it is no XML: {told}") from error
        return self._open[0].children[0]

    def _where(self) -> str:
        return f"{self._path} line {self._parser.CurrentLineNumber}"

    def _doctype(self, *_declared: object) -> None:
        raise WrongFileError(f"{self._where()}: it has a document type (<!DOCTYPE), which is refused; save it without")

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_ITEMS or len(self._open) > MOST_DEPTH:
            raise WrongFileError(f"{self._where()}: too many elements, or too many within each other")
        element = XmlElement(tag, attributes, self._where())
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _tag: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].texts.append(text)


def parse_xml(path: Path) -> XmlElement:
    """The element of a file that holds all others.

    Raises:
        WrongFileError: It cannot be read, is no XML, has a document type, or more in it than describes pictures.
    """
    return _Builder(path).parse(read_text(path).encode())


def quoted(text: str) -> str:
    """A text as it stands in an attribute or between tags.

    Raises:
        ValueError: It has a character that XML 1.0 does not have.
    """
    if wrong := next((one for one in text if not _allowed(one)), None):
        raise ValueError(f"XML has no character {wrong!r}")
    return text.translate(_QUOTED)


def _allowed(one: str) -> bool:
    return one in "\t\n\r" or "\x20" <= one <= "\ud7ff" or "\ue000" <= one <= "\ufffd" or one > "\uffff"
