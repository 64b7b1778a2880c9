"""What a person writes to search: conditions as `name:value`, one behind the other; a word alone is a part's id."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal
from urllib.parse import urlencode

from station.core.moments import stamp
from station.core.sought import Sought

NAMES = ("verdict", "type", "since", "until", "reason", "label", "class", "id", "model")
"""What may be asked."""
TIMES = frozenset({"since", "until"})
WORD = re.compile(r'(?:([^\s:"]+):)?(?:"((?:[^"]|"")*)"|(\S*))')
QUOTED = re.compile(r'\s|^"|^$')
"""Such a value stands in quotation marks, and those in it twice."""
SEARCH = "/search"

Known = Mapping[str, tuple[str, ...]]
"""What there is, by the name by which it is asked."""


@dataclass(frozen=True, slots=True)
class Term:
    """One condition, as it was written."""

    name: str
    value: str

    @property
    def text(self) -> str:
        """As it is written."""
        doubled = self.value.replace('"', '""')
        return f'{self.name}:"{doubled}"' if QUOTED.search(self.value) else f"{self.name}:{self.value}"


@dataclass(frozen=True, slots=True)
class Misread:
    """A condition that cannot be read.

    Attributes:
        why: What is wrong with it.
        text: What was written.
    """

    why: Literal["unknown", "twice", "empty", "no_time"]
    text: str


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything that was written.

    Attributes:
        terms: What can be read, each name once.
        misread: What cannot.
    """

    terms: tuple[Term, ...]
    misread: tuple[Misread, ...] = ()

    def value(self, name: str) -> str | None:
        """What is asked of a name; None where nothing is."""
        return next((term.value for term in self.terms if term.name == name), None)

    def strange(self, known: Known) -> list[Term]:
        """What is asked that there is not, or no more."""
        return [term for term in self.terms if term.name in known and term.value not in known[term.name]]

    @property
    def text(self) -> str:
        """As one writes it."""
        return " ".join(term.text for term in self.terms)

    def without(self, name: str) -> str:
        """The address of this search without one of its conditions."""
        return address(Terms(tuple(term for term in self.terms if term.name != name)))

    def narrowed(self, name: str, value: str) -> str:
        """The address of this search with one more condition, or another in its place."""
        others = tuple(term for term in self.terms if term.name != name)
        return address(Terms((*others, Term(name, value))))


def address(terms: Terms, before: int | None = None) -> str:
    """Where a search is, to be sent to others.

    Args:
        terms: What is asked.
        before: Below which number the page goes on; None for the first one.
    """
    asked = {name: value for name, value in (("q", terms.text), ("before", before)) if value}
    return f"{SEARCH}?{urlencode(asked)}" if asked else SEARCH


def read_terms(text: str, zone: tzinfo, known: Known) -> Terms:
    """What was written.

    Args:
        text: In any order.
        zone: Of times that name none.
        known: What is meant by one that is written in other letters, large or small.
    """
    terms: dict[str, Term] = {}
    misread = []
    for match in WORD.finditer(text):
        if not match[0]:
            continue
        term = _term(match, known)
        if why := _wrong(term, terms, zone):
            misread.append(Misread(why, match[0]))
        else:
            terms[term.name] = term
    return Terms(tuple(terms.values()), tuple(misread))


def moment_of(text: str, zone: tzinfo) -> str:
    """A time as `station.core.moments` writes it.

    Args:
        text: `2026-05-01`, which begins at midnight, or `2026-05-01T06:00`.
        zone: Of a time that names none.

    Raises:
        ValueError: It is no time.
        OverflowError: It is none that anybody counts.
    """
    told = datetime.fromisoformat(text)
    return stamp(told if told.tzinfo else told.replace(tzinfo=zone))


def _term(match: re.Match[str], known: Known) -> Term:
    name, quoted = (match[1] or "id").lower(), match[2]
    value = (match[3] if quoted is None else quoted.replace('""', '"')).strip()
    meant = (one for one in known.get(name, ()) if one.casefold() == value.casefold())
    return Term(name, next(meant, value))


def _wrong(term: Term, before: dict[str, Term], zone: tzinfo) -> Literal["unknown", "twice", "empty", "no_time"] | None:
    if term.name not in NAMES:
        return "unknown"
    if not term.value:
        return "empty"
    if term.name in before:
        return "twice"
    return "no_time" if term.name in TIMES and not _is_time(term.value, zone) else None


def _is_time(text: str, zone: tzinfo) -> bool:
    try:
        moment_of(text, zone)
    except (ValueError, OverflowError):
        return False
    return True


def sought_by(terms: Terms, zone: tzinfo, called: Callable[[str], Iterable[str]]) -> Sought:
    """What is asked of the records.

    Args:
        terms: Of which nothing is misread.
        zone: The plant's time zone.
        called: The inspections of which somebody says that they are this.
    """
    label = terms.value("label")
    since, until = (terms.value(name) for name in ("since", "until"))
    return Sought(
        since=since and moment_of(since, zone),
        until=until and moment_of(until, zone),
        verdict=terms.value("verdict"),
        part_type=terms.value("type"),
        reason=terms.value("reason"),
        defect=terms.value("class"),
        model=terms.value("model"),
        part=terms.value("id"),
        inspections=None if label is None else tuple(dict.fromkeys(called(label))),
    )
